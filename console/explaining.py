"""Explaining: a decision's own record as people read it, in Chinese or in English, on one screen."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from console.explaining_words import WORDS_OF
from kairos.decisions import Decision, DecisionEnded, LedgerWord, Reason, Value, Verdict
from kairos.money import Money
from rules.asked import Asked
from rules.documents import documents_of, read_documents
from rules.findings import flag, read_of
from rules.priorities_saying import terms_said, ties
from rules.reasons import REASONS
from rules.saying import WORDS, Language
from rules.schema import Rule

__all__ = ["SCREEN", "Telling", "lines_of", "masked", "rules_named"]

SCREEN: Final = 40
"""How many lines a screen has: more than the first few losers are counted, not told one by one."""
_HIDDEN = "***"
_SHORT = 12
_WIDE = 110
_ORDER = tuple(Reason)
_LEFT = 10


@dataclass(frozen=True, slots=True)
class Telling:
    """How a decision is told.

    Parameters
    ----------
    rules
        The rules of the book that decided, as far as they are known: then clauses are told in sentences.
    zone
        In which times are told.
    language
        In which language.
    unmask
        Whether the customer's key, attributes and texts of the event are shown.

    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    zone: str = "UTC"
    language: Language = "en"
    unmask: bool = False

    def word(self, name: str) -> str:
        """Give a word of this language."""
        return WORDS_OF[self.language][name]

    def why(self, reason: Reason) -> str:
        """Say a reason, with its name."""
        return f"{reason} ({REASONS[self.language][reason]})"


def rules_named(content: bytes, names: Sequence[str]) -> dict[str, Rule]:
    """Read some rules of a published book, and no others, for a book may have thousands."""
    documents = documents_of(content, names)
    return {rule.id: rule for rule in read_documents(documents).values()} if documents else {}


def lines_of(decision: Decision, ended: DecisionEnded | None, telling: Telling | None = None) -> list[str]:
    """Write a decision for people: customer masked, every candidate with its reason, the versions that decided."""
    t = telling or Telling()
    head, tail = list(_head(decision, ended, t)), list(_tail(decision, t))
    room = SCREEN - len(head) - len(tail) - 2
    rows = [*head, ("candidates", ""), *(("", line) for line in _candidates(decision, t, room)), *tail]
    return [_row(t.word(name) if name else "", text) for name, text in rows]


def _row(name: str, text: str) -> str:
    # A Chinese character takes two columns of a terminal.
    return f"{name}{' ' * (_LEFT - len(name) - sum(letter > '⺀' for letter in name))}{text}".rstrip()


def masked(customer: str) -> str:
    """Hide a customer's key but its beginning.

    Examples
    --------
    >>> masked("C00012345")
    'C0***'

    """
    return f"{customer[:2]}{_HIDDEN}"


def _head(decision: Decision, ended: DecisionEnded | None, t: Telling) -> Iterator[tuple[str, str]]:
    event = decision.event
    yield "decision", decision.id
    yield "customer", decision.customer if t.unmask else masked(decision.customer)
    place = f"({event.topic}/{event.partition}@{event.offset})"
    yield "event", f"{WORDS[t.language].get(event.type, event.type)} {t.word('at')} {_clock(event.at, t)} {place}"
    if (absence := decision.absence) is not None:
        yield "absence", f"{t.word('nothing followed')} {_clock(absence.deadline, t)} (rules {absence.rules[:_SHORT]})"
    if decision.deferred_at is not None:
        yield "waited", f"{t.word('since')} {_clock(decision.deferred_at, t)} {t.word('for quiet hours')}"
    if decision.test:
        yield "test", t.word("tests")
    why = f"{t.word('colon')}{t.why(decision.reason)}" if decision.reason else ""
    yield "decided", f"{_clock(decision.decided_at, t)} {t.word(decision.state)}{why}"
    if decision.ledger is not None:
        yield "ledger", _ledger(decision, decision.ledger, t)
    if ended is not None or decision.state == "offered":
        yield "ended", t.word("not ended") if ended is None else _end(ended, t)


def _clock(at: datetime, t: Telling) -> str:
    return f"{at.astimezone(ZoneInfo(t.zone)):%Y-%m-%d %H:%M:%S} ({t.zone})"


def _ledger(decision: Decision, word: LedgerWord, t: Telling) -> str:
    took = (word.at - decision.decided_at).total_seconds()
    kind = "nothing" if word.granted is None else "virtual" if word.virtual else "granted"
    pool = f"{t.word('comma')}{t.word('from')} {word.pool}" if word.pool else ""
    return f"{_clock(word.at, t)} {t.word(kind).format(took)}{pool}"


def _end(ended: DecisionEnded, t: Telling) -> str:
    why = f"{t.word('colon')}{t.why(ended.reason)}" if ended.reason else ""
    return f"{_clock(ended.ended_at, t)} {t.word(ended.state)}{why}"


def _tail(decision: Decision, t: Telling) -> Iterator[tuple[str, str]]:
    said = [f"{name} = {_fact(name, value, t)}" for name, value in _facts(decision).items()]
    yield from _wrapped("facts", said)
    yield from _wrapped("versions", [f"{kind} {name[:_SHORT]}" for kind, name in sorted(decision.versions.items())])
    if (sampled := decision.losers) is not None:
        yield "", t.word("kept" if sampled.kept else "left out").format(100 * sampled.rate)


def _facts(decision: Decision) -> Mapping[str, Value]:
    """Give the facts as people read them: an amount with its currency, and not the two apart."""
    facts = dict(decision.facts)
    amount, currency = facts.get("event.amount"), facts.pop("event.currency", None)
    if isinstance(amount, int) and isinstance(currency, str):
        facts["event.amount"] = str(Money(amount, currency))
    return facts


def _fact(name: str, value: Value, t: Telling) -> str:
    if name.startswith("attr.") and not t.unmask:
        return _HIDDEN
    return _plain(value, t)


def _plain(value: Value, t: Telling) -> str:
    if value is None:
        return t.word("unread")
    if isinstance(value, bool):
        return flag(value)[t.language]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _wrapped(name: str, parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    line = ""
    for part in parts:
        if line and len(line) + len(part) > _WIDE:
            yield name, line
            name, line = "", ""
        line += f"; {part}" if line else part
    if line:
        yield name, line


def _candidates(decision: Decision, t: Telling, room: int) -> Iterator[str]:
    """Write the candidates: each with what it read while there is room, then without, then counted by their reasons."""
    verdicts = sorted(decision.verdicts, key=lambda one: (one.offer != decision.offer, one.rank or len(_ORDER)))
    told = verdicts if len(verdicts) <= room else verdicts[: room - 1]
    tied = [f"{t.word('tied')}{t.word('colon')}{', '.join(rules)}" for rules in ties(told)]
    spare = room - len(told) - (len(told) < len(verdicts)) - len(tied)
    for verdict in told:
        first, *read = [*_candidate(verdict, t), *_read(verdict, t)]
        yield first
        if len(read) <= spare:
            spare -= len(read)
            yield from read
    yield from tied
    if rest := Counter(str(one.verdict) for one in verdicts[len(told) :]):
        yield f"{t.word('more')} {t.word('comma').join(f'{reason} {count}' for reason, count in rest.most_common())}"


def _candidate(verdict: Verdict, t: Telling) -> Iterator[str]:
    fate = t.word("won") if verdict.verdict == "won" else t.why(verdict.verdict)
    yield f"{verdict.rule} ({verdict.programme}, {_arm(verdict, t)}){t.word('colon')}{fate}"
    parts: list[str] = []
    if verdict.channel:
        parts.append(f"{t.word('by')} {WORDS[t.language][verdict.channel]}")
    if verdict.pool:
        parts.append(f"{t.word('from')} {verdict.pool}")
    if verdict.rank is not None:
        parts.append(f"{t.word('rank')} {verdict.rank}")
    if verdict.score is not None:
        parts.append(f"{t.word('chance')} {verdict.score:.1%}")
    if verdict.parameter is not None:
        parts.append(f"{t.word('parameter')} {verdict.parameter}")
    if verdict.passed is not None:
        gates = ", ".join(verdict.passed.gates)
        parts.append(f"{t.word('passed')} {gates} {t.word('because')}{t.word('colon')}{verdict.passed.because}")
    if verdict.chance is not None:
        parts.append(f"{t.word('first with')} {verdict.chance:.4g}")
    if weighed := terms_said(verdict, t.language):
        parts.append(weighed)
    if parts:
        yield f"  {t.word('comma').join(parts)}"


def _arm(verdict: Verdict, t: Telling) -> str:
    """Say the arm, whose control group it is where that is not the rule's own, and the form of the offer."""
    control = f" ({t.word(verdict.control)})" if verdict.control not in (None, "rule") else ""
    form = f"{t.word('comma')}{t.word('form')} {verdict.treatment}" if verdict.treatment else ""
    return f"{t.word(verdict.arm)}{control}{form}"


def _read(verdict: Verdict, t: Telling) -> Iterator[str]:
    """Write what a rule's clauses read: in its sentences where the rule is known, else by their names."""
    rule, read = t.rules.get(verdict.rule), verdict.read or {}
    asked = {} if rule is None else {clause.name: clause.asked for clause in rule.clauses}
    for name, value in read.items():
        clause = asked.get(name)
        if isinstance(clause, Asked):
            said = clause.said(name.removeprefix("where:"), t.language)
        else:
            said = name if clause is None else clause.said(t.language)
        shown = read_of(clause, value)[t.language] if clause is not None else _plain(value, t)
        hidden = name.startswith("where:") and isinstance(value, str) and not t.unmask and clause is None
        yield f"  {said}{t.word('colon')}{_HIDDEN if hidden else shown}"
