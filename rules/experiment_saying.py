"""Experiments and control groups in sentences, Chinese and English."""

from collections.abc import Iterator

from rules.binding import bindings_said
from rules.experiments import Control, Treatment
from rules.offered import Offered
from rules.saying import WORDS, Language
from rules.schema import Rule

__all__ = ["control_lines", "experiment_of", "percent"]


def percent(share: float) -> str:
    """Write a share.

    Examples
    --------
    >>> percent(0.125), percent(0.1)
    ('12.5%', '10%')

    """
    return f"{share * 100:.10g}%"


def experiment_of(rule: Rule, language: Language) -> Iterator[str]:
    """Say who is left alone and who gets the offer in another form; nothing where all are treated alike."""
    experiment, zh = rule.experiment, language == "zh"
    if experiment.control:
        share = percent(experiment.control)
        alone = f"{share} of the customers, split by {rule.salt}, are left alone as the control group"
        yield f"{share}的客户（按{rule.salt}分组）为对照组，不触达" if zh else alone
    for one in experiment.treatments or ():
        share, form = percent(one.share), _form(one, language)
        other = f"{share} of the customers, split by {rule.salt}, get the form {one.name}: {form}"
        yield f"{share}的客户（按{rule.salt}分组）采用形式{one.name}：{form}" if zh else other


def _form(one: Treatment, language: Language) -> str:
    words = WORDS[language]
    said: list[str] = []
    if one.offer is not None:
        said.append(_offer(one.offer, language))
    if one.channels is not None:
        ways = words["or"].join(words[channel.value] for channel in one.channels)
        said.append(f"经{ways}" if language == "zh" else f"by {ways}")
    if one.template is not None:
        said.append(f"模板{one.template}" if language == "zh" else f"the template {one.template}")
    if one.text is not None:
        texts = f'in Chinese "{one.text.zh}", in English "{one.text.en}"'
        said.append(f"中文“{one.text.zh}”，英文“{one.text.en}”" if language == "zh" else texts)
    if one.with_ is not None:
        said.append(bindings_said(one.with_, language))
    return ("，" if language == "zh" else ", ").join(said)


def _offer(offer: Offered, language: Language) -> str:
    product = [f"产品{offer.product}" if language == "zh" else f"the product {offer.product}"]
    pool = [f"券池{offer.pool}的券" if language == "zh" else f"a coupon from {offer.pool}"]
    parts = product * bool(offer.product) + pool * bool(offer.pool)
    return ("及" if language == "zh" else " and ").join(parts)


def control_lines(control: Control, language: Language) -> Iterator[str]:
    """Say who is left alone whatever rules say."""
    zh = language == "zh"
    if control.everywhere:
        share = percent(control.everywhere)
        alone = f"{share} of the customers, drawn by {control.salt}, receive nothing from any programme"
        yield f"{share}的客户（按{control.salt}抽取）为全局对照组，任何活动均不触达。" if zh else f"{alone}."
    for programme, share_of in control.programmes.items():
        share = percent(share_of)
        yield (
            f"活动{programme}：{share}的客户为对照组，其全部规则均不触达。"
            if zh
            else f"Programme {programme}: {share} of the customers receive nothing from any of its rules."
        )
