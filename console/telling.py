"""Telling: what the tools around rules found, as lines for people; customers' keys are masked."""

from collections.abc import Iterator, Sequence

from console.asking import Answer
from console.explaining import masked
from kairos.decisions import Decision
from kairos.instants import Millis
from rules.columns import Columns
from rules.coverage import Clause, Covered
from rules.diff import Change
from rules.explain import Explanation, lines
from rules.findings import clock
from rules.saying import Language
from rules.schema import Rule
from rules.sentence import sentence
from rules.trying import Tried, by_period

__all__ = ["answer_lines", "change_lines", "covered_lines", "effect_lines", "no_event", "tried_lines", "way_lines"]

_WIDEST = 80
_SHOWN = 5
_LONG = 7
"""From which length on a key's end may be shown beside its beginning, so that two customers can be told apart."""


def answer_lines(answer: Answer, zone: str, language: Language) -> Iterator[str]:
    """Write why rules fired and did not at one event."""
    event = answer.event
    what = f", {event.category}" if event.category else ""
    yield f"customer  {masked(event.customer)}"
    yield f"event     {event.type}{what} at {clock(event.at, zone)} ({zone})"
    yield f"decided   {_decided(answer.decision)}"
    for found in answer.explanations:
        yield ""
        yield f"{found.rule}: {_outcome(found)}"
        yield from (f"  {line}" for line in lines(found, language))
    if not answer.explanations:
        yield f"\nno rule is triggered by {event.type}"


def _decided(decision: Decision | None) -> str:
    if decision is None:
        return "nothing: no rule matched"
    fates = ", ".join(f"{verdict.rule} {verdict.verdict}" for verdict in decision.verdicts)
    return f"{decision.state}: {fates}"


def _outcome(found: Explanation) -> str:
    if found.matches and found.waits:
        return "matches, and waits for what must not happen"
    if found.reason is None:
        return "fires"
    return f"{'matches, and is refused' if found.matches else 'does not match'}: {found.reason.kind}"


def no_event(customer: str, at: Millis, nearest: Sequence[Millis], zone: str) -> str:
    """Say that there is no event to be explained, and when the nearest ones are."""
    if not nearest:
        return f"{masked(customer)} has no event at all here; is the key right?"
    times = ", ".join(clock(one, zone) for one in nearest)
    return f"{masked(customer)} has no event at or before {clock(at, zone)} ({zone}); the next ones are at {times}"


def covered_lines(one: Covered, language: Language) -> Iterator[str]:
    """Write a table of a rule's clauses."""
    yield f"{one.rule.id}: the trigger was met {_many(one.met, 'time')}, everything {_many(one.matched, 'time')}"
    clauses = (*one.trigger, *one.clauses)
    width = min(_WIDEST, max((len(clause.said[language]) for clause in clauses), default=0))
    yield f"  {'':{width}} {'true':>9} {'false':>9} {'unknown':>9}"
    yield from (_clause(clause, width, language) for clause in clauses)


def _clause(clause: Clause, width: int, language: Language) -> str:
    said = clause.said[language]
    shown = said if len(said) <= width else f"{said[: width - 3]}..."
    counts = " ".join(f"{clause.verdicts[verdict]:>9,}" for verdict in (True, False, None))
    remark = f"  <- {clause.remark[language]}" if clause.remark else ""
    return f"  {shown:{width}} {counts}{remark}"


def tried_lines(rule: Rule, found: Tried, columns: Columns, zone: str, language: Language) -> Iterator[str]:
    """Write how often a rule would have fired: a sentence and a small table."""
    first, last = clock(columns.first, zone)[:10], clock(columns.last, zone)[:10]
    yield f"{rule.id}: {sentence(rule, language)}"
    yield (
        f"would have fired {_many(len(found.fired), 'time')} for {_many(len(found.customers), 'customer')} "
        f"from {first} to {last}: of {_many(found.triggers, 'trigger')} {found.matched:,} matched, "
        "the cooldown left these"
    )
    if found.fired:
        yield f"  {'':10} {'firings':>9} {'customers':>9}"
    yield from (
        f"  {period:10} {count:>9,} {customers:>9,}"
        for period, count, customers in by_period(found.fired, columns.first, columns.last, zone)
    )


def way_lines(found: Tried, took: float) -> Iterator[str]:
    """Write how it was found out, in how many seconds where that was the slow way, and what was not asked."""
    if found.replayed:
        yield f"columns cannot tell {found.replayed}, so the log was replayed event by event, in {took:.1f} s"
    else:
        yield "attributes and tags are those at the log's end"
    yield "not asked: scores, consent, hours, caps, stock and budgets, the control group"


def change_lines(change: Change, language: Language) -> Iterator[str]:
    """Write what changed in a rule."""
    if change.before is None and change.after is not None:
        yield f"+ {change.rule} added: {sentence(change.after, language)}"
    elif change.after is None and change.before is not None:
        yield f"- {change.rule} removed: {sentence(change.before, language)}"
    else:
        yield f"~ {change.rule} changed"
    yield from (f"    {line[language]}" for line in change.lines)
    yield from (f"    starts cold, counts from the change on: {line[language]}" for line in change.cold)
    yield from (f"    is filled from the events still kept: {line[language]}" for line in change.filled)


def effect_lines(before: Tried | None, after: Tried | None) -> Iterator[str]:
    """Write whom a change gains and loses."""
    old, new = (set(one.fired) if one else set() for one in (before, after))
    had, has = (one.customers if one else frozenset() for one in (before, after))
    yield f"    firings: {len(old):,} before, {len(new):,} after; {len(new - old):,} gained, {len(old - new):,} lost"
    for word, customers in (("gains", has - had), ("loses", had - has)):
        names = [f"{masked(name)}{name[-2:] if len(name) >= _LONG else ''}" for name in sorted(customers)[:_SHOWN]]
        yield f"    {word} {_many(len(customers), 'customer')}" + (f", such as {', '.join(names)}" if names else "")


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
