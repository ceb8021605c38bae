"""Values read: what the clauses of a rule that matched were held against, for the record of the decision."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kairos.decisions import Value
from kairos.money import Money
from rules.asked import Asked
from rules.conditions.absent import Absent
from rules.fields import CATEGORY, value_of
from rules.judged import Seen
from rules.logic import Condition, Tree
from rules.moments import Clock
from rules.persons import Score, Tag
from rules.places import Near, distance
from rules.schema import Rule

__all__ = ["Clause", "clauses", "values_read"]


class Clause(NamedTuple):
    """A clause of a rule under the name by which a decision's record tells what it read."""

    name: str
    asked: Condition | Asked


def clauses(rule: Rule) -> Iterator[Clause]:
    """Name the clauses of a rule whose values a decision tells, in the order in which they are written.

    A second clause of a kind has its number behind its name: `count`, `count.2`. Attributes, the event's category and
    its amount are not among them, for the decision's facts tell these of every rule at once.
    """
    for name, test in rule.on.where.items():
        if name not in _known(rule) and not isinstance(test, Clock):
            yield Clause(f"where:{name}", test)
    yield from _of_who(rule)
    yield from _numbered(rule.when)


def _known(rule: Rule) -> tuple[str, ...]:
    return (CATEGORY.get(rule.on.event, ""), "amount")


def _of_who(rule: Rule) -> Iterator[Clause]:
    found: dict[str, Condition] = {}
    for leaf in rule.who.leaves():
        if isinstance(leaf, Tag):
            found[f"tag:{leaf.name}"] = leaf
        elif isinstance(leaf, Score):
            found[f"score:{leaf.model}"] = leaf
    yield from (Clause(name, leaf) for name, leaf in found.items())


def _numbered(tree: Tree) -> Iterator[Clause]:
    counts: dict[str, int] = {}
    for part in _single(tree):
        if isinstance(part.leaf, Absent):
            continue
        kind = next(name for name in type(part).model_fields if getattr(part, name) is not None)
        counts[kind] = counts.get(kind, 0) + 1
        yield Clause(kind if counts[kind] == 1 else f"{kind}.{counts[kind]}", part.leaf)


def _single(tree: Tree) -> Iterator[Tree]:
    if tree.parts is None:
        yield tree
    for part in tree.parts or ():
        yield from _single(part)


def values_read(
    rule: Rule, seen: Seen, scores: Mapping[str, float | None], *, is_later: bool = False
) -> dict[str, Value]:
    """Give what each clause of a rule read, by the clause's name.

    Parameters
    ----------
    rule
        A rule that matched.
    seen
        The event and the customer, as the decision sees them.
    scores
        What each model gave that was asked.
    is_later
        Whether the decision is made some time after its event: then the past is not asked again, and not told.

    """
    scope, found = rule.scope(), dict[str, Value]()
    for name, asked in clauses(rule):
        if isinstance(asked, Score):
            found[name] = scores.get(asked.model)
        elif isinstance(asked, Asked):
            found[name] = _of_event(asked, value_of(seen.event, name.removeprefix("where:"), asked))
        elif isinstance(asked, Tag) or not is_later:
            found[name] = _plain(asked.judged(seen, scope).read)
    return found


def _of_event(asked: Asked, value: object) -> Value:
    if isinstance(asked, Near) and isinstance(value, tuple):
        lat, lon = value
        # How far it was, not where: that is what the clause compares.
        return None if lat is None or lon is None else round(distance(asked.lat, asked.lon, lat, lon))
    return _plain(value)


def _plain(value: object) -> Value:
    if isinstance(value, Money):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else None
