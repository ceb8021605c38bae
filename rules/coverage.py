"""Coverage: how often each clause of a rule held, failed or was unknown while a recorded log went by.

A clause that never fails says nothing, one that never holds lets nobody through, and one that was never asked has not
been tried: the log shows none of the events that lead to it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from rules.asked import Asked
from rules.book import Book
from rules.conditions.absent import Absent
from rules.fields import value_of
from rules.findings import Bilingual, both
from rules.judged import Seen, all_hold
from rules.lives import Happening, lived
from rules.logic import Condition, Tree
from rules.persons import Attributes, Score
from rules.schema import Rule
from rules.scope import Scope

__all__ = ["Clause", "Covered", "covered"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, and how often which verdict was given on it."""

    said: Bilingual
    judge: Callable[[Seen], bool | None] = field(repr=False)
    verdicts: Counter[bool | None] = field(default_factory=Counter)

    @property
    def remark(self) -> Bilingual | None:
        """What is to be noticed: it was never asked, never true, or never false."""
        if not self.verdicts:
            return {"zh": "从未判断", "en": "never asked"}
        if not self.verdicts[True]:
            return {"zh": "从未成立", "en": "never true"}
        return None if self.verdicts[False] else {"zh": "从未不成立", "en": "never false"}


@dataclass(slots=True)
class Covered:
    """What a log showed of one rule.

    Parameters
    ----------
    rule
        The rule.
    trigger
        The tests of the trigger, asked of every event of its type.
    clauses
        What is asked of the customer and of the past, whenever the trigger is met; nothing is cut short.
    met, matched
        How often the trigger was met, and all the rest with it.

    """

    rule: Rule
    trigger: tuple[Clause, ...]
    clauses: tuple[Clause, ...]
    met: int = 0
    matched: int = 0


def covered(book: Book, happenings: Iterable[Happening]) -> list[Covered]:
    """Count the verdicts on every clause of every rule, by rule id."""
    found = [_of(rule) for rule in book.rules.values()]
    by_event: dict[str, list[Covered]] = {}
    for one in found:
        by_event.setdefault(one.rule.on.event, []).append(one)
    for seen in lived(book, happenings):
        for one in by_event.get(seen.event.type, ()):
            _count(one, seen)
    return found


def _count(one: Covered, seen: Seen) -> None:
    verdicts = [clause.judge(seen) for clause in one.trigger]
    for clause, verdict in zip(one.trigger, verdicts, strict=True):
        clause.verdicts[verdict] += 1
    if all(verdict is True for verdict in verdicts):
        one.met += 1
        for clause in one.clauses:
            clause.verdicts[clause.judge(seen)] += 1
        scope = one.rule.scope()
        one.matched += all_hold(tree.judged(seen, scope).holds for tree in (one.rule.who, one.rule.when)) is True


def _of(rule: Rule) -> Covered:
    scope = rule.scope()
    trigger = tuple(
        Clause(both(partial(test.said, name)), partial(_field, name, test)) for name, test in rule.on.where.items()
    )
    return Covered(rule, trigger, tuple(clause for tree in (rule.who, rule.when) for clause in _clauses(tree, scope)))


def _clauses(tree: Tree, scope: Scope) -> Iterator[Clause]:
    for leaf in tree.leaves():
        if isinstance(leaf, Attributes):
            for name, test in leaf.asks.items():
                yield Clause(both(partial(test.said, name)), partial(_attribute, name, test))
        # Scores and absences are decided later than at the trigger.
        elif not isinstance(leaf, Score | Absent):
            yield Clause(both(leaf.said), partial(_past, leaf, scope))


def _field(name: str, test: Asked, seen: Seen) -> bool | None:
    return test.fits(value_of(seen.event, name, test))


def _attribute(name: str, test: Asked, seen: Seen) -> bool | None:
    return test.fits(seen.standing().profile.attrs.get(name))


def _past(leaf: Condition, scope: Scope, seen: Seen) -> bool | None:
    return leaf.judged(seen, scope).holds
