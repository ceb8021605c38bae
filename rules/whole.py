"""The whole rule in one sentence, so complete that a reader could write the rule again from it.

What is as usual (a draft is not, consent for marketing is) is left out; `tests/test_rules_sentences.py` holds the
sentence against every field of a rule.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from rules.binding import bindings_said
from rules.conditions.past import said_events
from rules.experiment_saying import experiment_of
from rules.explain_gates import valid_days
from rules.priorities_saying import priority_of
from rules.saying import WORDS, Language, length
from rules.schema import Rule, Scenario, Then
from rules.sentence import asked_of, limits_of, unusual

__all__ = ["whole"]

_SCENARIOS: Final[Mapping[Scenario, str]] = {
    Scenario.ACQUISITION: "获客",
    Scenario.ACTIVATION: "促活",
    Scenario.AUM_UPLIFT: "AUM提升",
    Scenario.DEBIT_TO_CREDIT: "借转贷",
}
_REACTIONS: Final[Mapping[str, str]] = {"opened": "打开", "clicked": "点击", "redeemed": "核销", "converted": "转化"}


def whole(rule: Rule, language: Language, zone: str) -> str:
    """Say a whole rule in one sentence.

    Parameters
    ----------
    rule
        The rule.
    language
        In which language.
    zone
        In which its days are meant: the zone of its file.

    """
    asked = asked_of(rule, language)
    event = said_events(rule.on.event, rule.on.where, language)
    if language == "zh":
        head = f"{rule.name}（{rule.id}，{_SCENARIOS[rule.scenario]}场景，活动{rule.programme}）：当客户{event}时，"
        return head + (f"若{asked}，" if asked else "") + f"则{'；'.join(_parts_zh(rule, zone))}。"
    head = f"{rule.name} ({rule.id}, scenario {rule.scenario}, programme {rule.programme}): on {event}, "
    return head + (f"if {asked}, " if asked else "") + f"{'; '.join(_parts_en(rule, zone))}."


def _parts_zh(rule: Rule, zone: str) -> Iterator[str]:
    then, words = rule.then, WORDS["zh"]
    offer = [f"产品{then.offer.product}"] * bool(then.offer.product) + [f"券池{then.offer.pool}的券"] * bool(
        then.offer.pool
    )
    first, *others = [words[channel.value] for channel in then.channels]
    channels = f"优先经{first}、" + "、".join(f"其次经{other}" for other in others) if others else f"经{first}"
    yield f"{channels}提供{'及'.join(offer)}，模板{then.template}{_text(then, 'zh')}"
    yield f"决策后{length(then.expires, 'zh')}内有效"
    if _waits_otherwise(then):
        reactions = "、".join(_REACTIONS[reaction] for reaction in then.reactions)
        yield f"等待{length(then.wait, 'zh')}，以{reactions}为响应，目标{then.objective}"
    if rule.limits.cooldown:
        yield f"同一客户{length(rule.limits.cooldown, 'zh')}内至多一次"
    yield from limits_of(rule, "zh")
    yield f"仅对发生不超过{length(rule.fresh, 'zh')}的事件触达"
    yield from experiment_of(rule, "zh")
    yield from priority_of(rule, "zh")
    if rule.valid.from_ is not None or rule.valid.until is not None:
        yield valid_days(rule, zone)["zh"]
    yield from unusual(rule, "zh")


def _parts_en(rule: Rule, zone: str) -> Iterator[str]:
    then, words = rule.then, WORDS["en"]
    offer = [f"the product {then.offer.product}"] * bool(then.offer.product)
    offer += [f"a coupon from {then.offer.pool}"] * bool(then.offer.pool)
    channels = ", failing that by ".join(words[channel.value] for channel in then.channels)
    yield f"offer {' and '.join(offer)} by {channels}, with the template {then.template}{_text(then, 'en')}"
    yield f"the offer holds for {length(then.expires, 'en')}"
    if _waits_otherwise(then):
        reactions = " or ".join(then.reactions)
        yield f"{reactions} counts as a reaction within {length(then.wait, 'en')}, for the objective {then.objective}"
    if rule.limits.cooldown:
        yield f"at most once in {length(rule.limits.cooldown, 'en')} for a customer"
    yield from limits_of(rule, "en")
    yield f"only for events not older than {length(rule.fresh, 'en')}"
    yield from experiment_of(rule, "en")
    yield from priority_of(rule, "en")
    if rule.valid.from_ is not None or rule.valid.until is not None:
        yield valid_days(rule, zone)["en"]
    yield from unusual(rule, "en")


def _text(then: Then, language: Language) -> str:
    zh = language == "zh"
    if then.text is not None:
        both = (then.text.zh, then.text.en)
        return "，中文“{}”，英文“{}”".format(*both) if zh else ', in Chinese "{}", in English "{}"'.format(*both)
    values = bindings_said(then.with_ or {}, language)
    return f"（{values}）" if zh and values else f" ({values})" if values else ""


def _waits_otherwise(then: Then) -> bool:
    usual = type(then).model_fields
    return any(getattr(then, name) != usual[name].default for name in ("wait", "reactions", "objective"))
