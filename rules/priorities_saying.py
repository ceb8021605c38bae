"""Priorities in sentences, Chinese and English: what rules say, what levers add, and what came of it."""

from collections.abc import Iterable, Iterator
from typing import Final

from kairos.decisions import Reason, Verdict
from kairos.instants import SECOND, Millis
from rules.conditions.past import said_events
from rules.experiment_saying import percent
from rules.findings import clock
from rules.priorities import Lever, Priorities
from rules.saying import WORDS, Language
from rules.schema import Rule

__all__ = ["priorities_lines", "priority_of", "terms_said", "ties"]

_LEVELS: Final = {
    "zh": {"mandatory": "优先于其他一切权益", "default": "仅在没有其他权益时提供"},
    "en": {"mandatory": "it wins over all other offers", "default": "it is offered only where no other is open"},
}

_TERMS: Final = {
    "zh": ("优先级", "响应概率", "情境", "价值", "杠杆"),
    "en": ("priority", "propensity", "context", "value", "levers"),
}


def priority_of(rule: Rule, language: Language) -> Iterator[str]:
    """Say what a rule counts for among others; nothing where that is its chance alone."""
    said, zh = rule.priority, language == "zh"
    if said is None:
        return
    if said.level != "usual":
        yield _LEVELS[language][said.level]
    if said.value != 1:
        yield f"一次响应的价值为{said.value:g}" if zh else f"a reaction is worth {said.value:g}"
    for fit in said.context or ():
        event = said_events(fit.event, fit.where, language)
        yield f"{event}时权重×{fit.times:g}" if zh else f"it counts {fit.times:g} times on {event}"


def priorities_lines(priorities: Priorities, language: Language) -> list[str]:
    """Say everything that the priorities say, a sentence a line."""
    zh = language == "zh"
    none = "There is no lever: offers compete by their chance and what their rules say."
    lines = [_lever(lever, priorities.zone, language) for lever in priorities.levers]
    lines = lines or ["没有杠杆：各权益仅按响应概率及规则自身的价值竞争。" if zh else none]
    if (smoothing := priorities.smoothing) is not None:
        prior, times = percent(smoothing.prior), f"{smoothing.impressions:g}"
        new = f"A new offer is given a chance of {prior}; after {times} whose outcome is known the model counts as much"
        lines.append(f"新权益的响应概率按{prior}计，结果已知的展示达{times}次后模型与之各占一半。" if zh else f"{new}.")
    if (explore := priorities.explore) is not None:
        even, gamma = percent(explore.evenly), f"{explore.gamma:g}"
        tried = f"Offers behind the best are tried, the seldomer the further behind (gamma {gamma})"
        said = f"落后于最优权益的按差距反比尝试（gamma {gamma}），另有{even}的决策均匀分配；概率按决策编号抽取并记录。"
        lines.append(
            said if zh else f"{tried}, and {even} of the decisions are spread evenly; each chance is recorded."
        )
    return lines


def _lever(lever: Lever, zone: str, language: Language) -> str:
    words, zh = WORDS[language], language == "zh"
    kinds = {"rule": "规则", "programme": "活动", "merchant": "商户"} if zh else {}
    named = {"rule": lever.rule, "programme": lever.programme, "merchant": lever.merchant}
    what = [f"{kinds.get(kind, f'the {kind} ')}{name}" for kind, name in named.items() if name is not None]
    way = "" if lever.channel is None else words[lever.channel.value]
    begin = "" if lever.from_ is None else clock(lever.from_, zone).removesuffix(" 00:00")
    end = _last(lever.until, zone)
    if zh:
        span = f"{begin}起" * bool(begin) + f"至{end}（{zone}）"
        about = "、".join([*what, *([f"渠道{way}"] if way else [])])
        why = f"负责人{lever.owner}，理由：{lever.because}"
        return f"{lever.name}：{about}的权益权重×{lever.times:g}，{span}；{why}。"
    span = f"from {begin} " * bool(begin) + f"until {end} ({zone})"
    about = "offers" + (f" of {' and '.join(what)}" if what else "") + (f" by {way}" if way else "")
    return f"{lever.name}: {about} count {lever.times:g} times {span}; {lever.owner}: {lever.because}."


def _last(until: Millis, zone: str) -> str:
    return clock(until - SECOND, zone)[:10] if clock(until, zone).endswith(" 00:00") else clock(until, zone)


def ties(verdicts: Iterable[Verdict]) -> list[list[str]]:
    """Give the rules that competed and counted for as much as one another, which their ids have put in order."""
    same: dict[tuple[str, float], list[str]] = {}
    for verdict in verdicts:
        terms = verdict.terms
        high = verdict.score if terms is None else terms.priority
        if high is not None and verdict.verdict != Reason.SCORE_TOO_LOW:
            same.setdefault(((terms.level or "") if terms else "", high), []).append(verdict.rule)
    return [rules for rules in same.values() if len(rules) > 1]


def terms_said(verdict: Verdict, language: Language) -> str:
    """Say what a candidate counted for, term by term; empty where it was never weighed.

    Examples
    --------
    >>> from kairos.decisions import Arm, Terms
    >>> terms = Terms(value=35, levers=1.5, pulled=("dumplings in december",), priority=2.1)
    >>> verdict = Verdict(
    ...     rule="noon", programme="lunch", offer="o", arm=Arm.TREATMENT, verdict="won", score=0.04, terms=terms
    ... )
    >>> terms_said(verdict, "en")
    'priority 2.1 = propensity 4.0% x context 1 x value 35 x levers 1.5 (dumplings in december)'

    """
    terms, zh = verdict.terms, language == "zh"
    if terms is None or verdict.score is None:
        return ""
    names = (
        ("优先级", "响应概率", "情境", "价值", "杠杆")
        if zh
        else ("priority", "propensity", "context", "value", "levers")
    )
    whole, *parts = names
    smoothed = verdict.score if terms.propensity is None else terms.propensity
    shown = "" if terms.shown is None else f"（已展示{terms.shown}次）" if zh else f" (shown {terms.shown} times)"
    values = (f"{smoothed:.1%}{shown}", f"{terms.context:g}", f"{terms.value:g}", f"{terms.levers:g}")
    factors = " x ".join(f"{name} {value}" for name, value in zip(parts, values, strict=True))
    pulled = f" ({', '.join(terms.pulled)})" if terms.pulled else ""
    level = "" if terms.level is None else ("，" if zh else ", ") + _LEVELS[language][terms.level]
    return f"{whole} {terms.priority:.4g} = {factors}{pulled}{level}"
