"""Telling: what the tools around rules found, as lines for people; customers' keys are masked."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from console.asking import Answer
from console.explaining import masked
from kairos.decisions import Decision
from kairos.instants import Millis
from rules.columns import Columns
from rules.coverage import Clause, Covered
from rules.diff import Change
from rules.explain import Explanation, lines
from rules.findings import clock
from rules.problems import many, suggest
from rules.saying import Language
from rules.schema import Rule
from rules.sentence import sentence
from rules.trying import Tried, by_period

__all__ = [
    "answer_lines",
    "change_lines",
    "covered_lines",
    "effect_lines",
    "meant",
    "no_event",
    "tried_lines",
    "way_lines",
]

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "customer": "customer",
        "event": "event",
        "decided": "decided",
        "at": "at",
        "none triggered": "no rule is triggered by",
        "no match": "nothing: no rule matched",
        "waits": "matches, and waits for what must not happen",
        "fires": "fires",
        "refused": "matches, and is refused",
        "silent": "does not match",
        "true": "true",
        "false": "false",
        "unknown": "unknown",
        "firings": "firings",
        "customers": "customers",
        "at the end": "attributes and tags are those at the log's end",
        "not asked": "not asked: scores, consent, hours, caps, stock and budgets, the control group",
        "gains": "gains",
        "loses": "loses",
        "added": "added",
        "removed": "removed",
        "changed": "changed",
        "cold": "starts cold, counts from the change on",
        "filled": "is filled from the events still kept",
    },
    "zh": {
        "customer": "客户",
        "event": "事件",
        "decided": "决策",
        "at": "发生于",
        "none triggered": "没有规则由此事件触发：",
        "no match": "无：没有规则满足条件",
        "waits": "满足条件，正在等待不应发生的事件",
        "fires": "触发",
        "refused": "满足条件，但被拦下",
        "silent": "不满足条件",
        "true": "成立",
        "false": "不成立",
        "unknown": "未知",
        "firings": "触发次数",
        "customers": "客户数",
        "at the end": "属性和标签取日志末尾的值",
        "not asked": "未判断：模型评分、同意、触达时段、频控、库存与预算、对照组",
        "gains": "新增",
        "loses": "减少",
        "added": "已新增",
        "removed": "已删除",
        "changed": "已变更",
        "cold": "从变更起重新计数",
        "filled": "由仍保留的事件补齐",
    },
}
_WIDEST = 80
_SHOWN = 5
_LISTED = 30
_LONG = 7
"""From which length on a key's end may be shown beside its beginning, so that two customers can be told apart."""


def answer_lines(answer: Answer, zone: str, language: Language) -> Iterator[str]:
    """Write why rules fired and did not at one event."""
    event, words = answer.event, _WORDS[language]
    what = f", {event.category}" if event.category else ""
    yield f"{words['customer']}  {masked(event.customer)}"
    yield f"{words['event']}     {event.type}{what} {words['at']} {clock(event.at, zone)} ({zone})"
    yield f"{words['decided']}   {_decided(answer.decision, language)}"
    for found in answer.explanations:
        yield ""
        yield f"{found.rule}: {_outcome(found, language)}"
        yield from (f"  {line}" for line in lines(found, language))
    if not answer.explanations:
        yield f"\n{words['none triggered']} {event.type}"


def _decided(decision: Decision | None, language: Language) -> str:
    if decision is None:
        return _WORDS[language]["no match"]
    fates = ", ".join(f"{verdict.rule} {verdict.verdict}" for verdict in decision.verdicts)
    return f"{decision.state}: {fates}"


def _outcome(found: Explanation, language: Language) -> str:
    words = _WORDS[language]
    if found.matches and found.waits:
        return words["waits"]
    if found.reason is None:
        return words["fires"]
    return f"{words['refused' if found.matches else 'silent']}: {found.reason.kind}"


def no_event(customer: str, at: Millis, nearest: Sequence[Millis], zone: str, language: Language = "en") -> str:
    """Say that there is no event to be explained, and when the nearest ones are."""
    name, times = masked(customer), ", ".join(clock(one, zone) for one in nearest)
    if language == "zh":
        late = f"{name}在{clock(at, zone)}（{zone}）及以前没有事件；之后最近的在{times}"
        return late if nearest else f"这里没有{name}的任何事件；客户号是否正确？"
    if not nearest:
        return f"{name} has no event at all here; is the key right?"
    return f"{name} has no event at or before {clock(at, zone)} ({zone}); the next ones are at {times}"


def meant(word: str, known: Iterable[str], language: Language) -> str:
    """Give the tail of a sentence that says there is no such name: the nearest one, or all where they are few.

    Examples
    --------
    >>> print(meant("crad", ["card"], "zh"))
    ；是否指'card'？
    >>> print(meant("sms", ["card", "ride"], "zh"))
    ；可选：card、ride

    """
    if language == "en":
        return suggest(word, known)
    names = sorted(known)
    near = get_close_matches(word[:200], names, 1)
    if near:
        return f"；是否指{near[0]!r}？"
    return f"；可选：{'、'.join(names)}" if 0 < len(names) <= _LISTED else ""


def covered_lines(one: Covered, language: Language) -> Iterator[str]:
    """Write a table of a rule's clauses."""
    words = _WORDS[language]
    if language == "zh":
        yield f"{one.rule.id}：触发条件满足{one.met:,}次，全部条件满足{one.matched:,}次"
    else:
        yield f"{one.rule.id}: the trigger was met {many(one.met, 'time')}, everything {many(one.matched, 'time')}"
    clauses = (*one.trigger, *one.clauses)
    width = min(_WIDEST, max((_columns(clause.said[language]) for clause in clauses), default=0))
    yield f"  {'':{width}} " + " ".join(_right(words[verdict]) for verdict in ("true", "false", "unknown"))
    yield from (_clause(clause, width, language) for clause in clauses)


def _clause(clause: Clause, width: int, language: Language) -> str:
    said = clause.said[language]
    shown = said if _columns(said) <= width else f"{_cut(said, width - 3)}..."
    counts = " ".join(f"{clause.verdicts[verdict]:>9,}" for verdict in (True, False, None))
    remark = f"  <- {clause.remark[language]}" if clause.remark else ""
    return f"  {shown}{' ' * (width - _columns(shown))} {counts}{remark}"


def _columns(text: str) -> int:
    """Give how wide a text stands in a terminal: Chinese characters take two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _cut(text: str, columns: int) -> str:
    while _columns(text) > columns:
        text = text[:-1]
    return text


def _right(text: str) -> str:
    return " " * (9 - _columns(text)) + text


def tried_lines(rule: Rule, found: Tried, columns: Columns, zone: str, language: Language) -> Iterator[str]:
    """Write how often a rule would have fired: a sentence and a small table."""
    first, last, words = clock(columns.first, zone)[:10], clock(columns.last, zone)[:10], _WORDS[language]
    yield f"{rule.id}: {sentence(rule, language)}"
    yield _counted(found, first, last, language)
    if found.fired:
        yield f"  {'':10} {_right(words['firings'])} {_right(words['customers'])}"
    yield from (
        f"  {period:10} {count:>9,} {customers:>9,}"
        for period, count, customers in by_period(found.fired, columns.first, columns.last, zone)
    )


def _counted(found: Tried, first: str, last: str, language: Language) -> str:
    fired, people, triggers, matched = len(found.fired), len(found.customers), found.triggers, found.matched
    if language == "zh":
        counted = f"{first}至{last}本应触发{fired:,}次，涉及{people:,}位客户"
        return f"{counted}：{triggers:,}次触发事件中{matched:,}次满足条件，其余由冷却期拦下"
    return (
        f"would have fired {many(fired, 'time')} for {many(people, 'customer')} "
        f"from {first} to {last}: of {many(triggers, 'trigger')} {matched:,} matched, "
        "the cooldown left these"
    )


def way_lines(found: Tried, took: float, language: Language) -> Iterator[str]:
    """Write how it was found out, in how many seconds where that was the slow way, and what was not asked."""
    if found.replayed and language == "zh":
        yield f"列存无法判断{found.replayed}，因此逐个事件回放了日志，用时{took:.1f}秒"
    elif found.replayed:
        yield f"columns cannot tell {found.replayed}, so the log was replayed event by event, in {took:.1f} s"
    else:
        yield _WORDS[language]["at the end"]
    yield _WORDS[language]["not asked"]


def change_lines(change: Change, language: Language) -> Iterator[str]:
    """Write what changed in a rule."""
    words = _WORDS[language]
    if change.before is None and change.after is not None:
        yield f"+ {change.rule} {words['added']}: {sentence(change.after, language)}"
    elif change.after is None and change.before is not None:
        yield f"- {change.rule} {words['removed']}: {sentence(change.before, language)}"
    else:
        yield f"~ {change.rule} {words['changed']}"
    yield from (f"    {line[language]}" for line in change.lines)
    yield from (f"    {words['cold']}: {line[language]}" for line in change.cold)
    yield from (f"    {words['filled']}: {line[language]}" for line in change.filled)


def effect_lines(before: Tried | None, after: Tried | None, language: Language) -> Iterator[str]:
    """Write whom a change gains and loses."""
    old, new = (set(one.fired) if one else set() for one in (before, after))
    had, has = (one.customers if one else frozenset() for one in (before, after))
    numbers = (len(old), len(new), len(new - old), len(old - new))
    if language == "zh":
        yield "    触发：之前{:,}次，之后{:,}次；新增{:,}次，减少{:,}次".format(*numbers)
    else:
        yield "    firings: {:,} before, {:,} after; {:,} gained, {:,} lost".format(*numbers)
    for word, customers in (("gains", has - had), ("loses", had - has)):
        names = ", ".join(f"{masked(one)}{one[-2:] if len(one) >= _LONG else ''}" for one in sorted(customers)[:_SHOWN])
        if language == "zh":
            yield f"    {_WORDS[language][word]}{len(customers):,}位客户" + (f"，例如{names}" if names else "")
        else:
            yield f"    {_WORDS[language][word]} {many(len(customers), 'customer')}" + (
                f", such as {names}" if names else ""
            )
