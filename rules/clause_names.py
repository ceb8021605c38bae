"""Clause names: the names by which a decision's record tells what the clauses of a rule read."""

from collections.abc import Iterator
from typing import NamedTuple

from rules.asked import Asked
from rules.conditions.absent import Absent
from rules.fields import CATEGORY
from rules.logic import Condition, Tree
from rules.moments import Clock
from rules.persons import Score, Tag
from rules.selectors import Trigger

__all__ = ["Clause", "OfCustomer", "OfEvent", "OfPast", "OfScore", "named_clauses"]


class OfEvent(NamedTuple):
    """A test of one field of the trigger, under the name by which a decision's record tells what it read."""

    name: str
    field: str
    asked: Asked


class OfScore(NamedTuple):
    """A score that is asked after the gates."""

    name: str
    asked: Score


class OfCustomer(NamedTuple):
    """A tag, which says the same whenever it is asked."""

    name: str
    asked: Tag


class OfPast(NamedTuple):
    """A condition on the past, as it was at the trigger."""

    name: str
    asked: Condition


Clause = OfEvent | OfScore | OfCustomer | OfPast
"""A clause of a rule whose value a decision tells."""


def named_clauses(on: Trigger, who: Tree, when: Tree) -> Iterator[Clause]:
    """Name the clauses of a rule whose values a decision tells, in the order in which they are written.

    A second clause of a kind has its number behind its name: `count`, `count.2`. Attributes, the event's category and
    its amount are not among them, for the decision's facts tell these of every rule at once.
    """
    for name, test in on.where.items():
        if name not in _known(on) and not isinstance(test, Clock):
            yield OfEvent(f"where:{name}", name, test)
    yield from _of_who(who)
    yield from _numbered(when)


def _known(on: Trigger) -> tuple[str, ...]:
    return (CATEGORY.get(on.event, ""), "amount")


def _of_who(who: Tree) -> Iterator[Clause]:
    found: dict[str, Clause] = {}
    for leaf in who.leaves():
        if isinstance(leaf, Tag):
            found[f"tag:{leaf.name}"] = OfCustomer(f"tag:{leaf.name}", leaf)
        elif isinstance(leaf, Score):
            found[f"score:{leaf.model}"] = OfScore(f"score:{leaf.model}", leaf)
    yield from found.values()


def _numbered(tree: Tree) -> Iterator[Clause]:
    counts: dict[str, int] = {}
    for part in _single(tree):
        kind = next(name for name in type(part).model_fields if getattr(part, name) is not None)
        leaf: Condition = getattr(part, kind)
        if isinstance(leaf, Absent):
            continue
        counts[kind] = counts.get(kind, 0) + 1
        yield OfPast(kind if counts[kind] == 1 else f"{kind}.{counts[kind]}", leaf)


def _single(tree: Tree) -> Iterator[Tree]:
    if tree.parts is None:
        yield tree
    for part in tree.parts or ():
        yield from _single(part)
