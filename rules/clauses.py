"""Clauses: a rule taken apart into what must all hold, each part written as source, for the compiler to arrange.

A rule is written once, whichever buckets it stands in and however often the book around it changes.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from kairos.money import Money
from rules.asked import Amounts, Asked, Numbers, Words
from rules.conditions.absent import Ending
from rules.conditions.count import Count
from rules.conditions.when import When
from rules.features import Feature
from rules.fields import EventName
from rules.logic import Tree
from rules.persons import Attributes, Tag, Who
from rules.schema import Rule, Status
from rules.scope import Scope
from rules.source import ALWAYS, Readings, all_of, constant

__all__ = ["Apart", "Clauses", "Part", "Wanted", "endings_of", "features_of", "taken_apart"]


class Part(NamedTuple):
    """One condition as source. Within a family, one of a higher rank holds only where those of lower ranks do."""

    source: str
    family: str
    rank: int | float = 0


class Wanted(NamedTuple):
    """An attribute that must be one of some words."""

    attribute: str
    words: tuple[str, ...]
    source: str


class Clauses(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """What a rule asks; all must hold. It is text and numbers alone, so that it can be kept, see `rules.kept`.

    Parameters
    ----------
    id
        The rule's.
    draft
        Whether it is watched but never matches.
    event, categories, fields
        Its trigger's events: their type, the categories if it names them, and the variables that the source reads.
    trigger
        What is asked of the event, beside its type and what the index has found.
    past
        What is asked of the past.
    tags, barred
        The tags that the customer must have, and those that the customer must not have.
    words
        The words that attributes must be.
    person
        What else is asked of the customer.
    names
        The readings of all these.

    """

    id: str
    draft: bool
    event: EventName
    categories: tuple[str, ...] | None
    fields: tuple[tuple[str, str], ...]
    trigger: tuple[Part, ...]
    past: tuple[Part, ...]
    tags: frozenset[str]
    barred: frozenset[str]
    words: tuple[Wanted, ...]
    person: tuple[Part, ...]
    names: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """Give the variables that the source reads, and where each comes from."""
        return dict(self.fields)

    @property
    def first(self) -> Part:
        """What is asked of the past first."""
        return self.past[0] if self.past else Part(ALWAYS, ALWAYS)

    @property
    def asks(self) -> bool:
        """Whether anything is asked of the customer."""
        return bool(self.tags or self.barred or self.words or self.person)

    @property
    def everything(self) -> str:
        """What is asked of the customer, as one condition."""
        tags = [f"{constant(tag)} in tags" for tag in sorted(self.tags)]
        tags += [f"{constant(tag)} not in tags" for tag in sorted(self.barred)]
        return all_of([*(wanted.source for wanted in self.words), *tags, *(part.source for part in self.person)])


class Apart(NamedTuple):
    """A rule taken apart: what it asks, what of the past is remembered for it, and what ends its wait, with its id."""

    clauses: Clauses
    features: tuple[Feature, ...]
    endings: tuple[tuple[str, Ending], ...]


def taken_apart(rule: Rule) -> Apart:
    """Take a rule apart."""
    return Apart(_clauses(rule), features_of(rule), endings_of(rule))


def features_of(rule: Rule) -> tuple[Feature, ...]:
    """Give what must be remembered for a rule."""
    return tuple(rule.when.features(rule.on.selector))


def endings_of(rule: Rule) -> tuple[tuple[str, Ending], ...]:
    """Give what must not follow a rule's trigger, each with the rule's id; nothing where it waits for nothing."""
    return tuple((rule.id, one) for one in rule.absent.endings) if rule.absent else ()


def _clauses(rule: Rule) -> Clauses:
    readings = Readings()
    scope = rule.scope(readings)
    trigger = [_of_field(name, test, source) for name, test, source in scope.on.parts(readings)]
    past = [_of_past(tree, scope) for tree in _conjuncts(rule.when)]
    tags, barred = set[str](), set[str]()
    words: list[Wanted] = []
    person: list[Part] = []
    for tree in _conjuncts(rule.who):
        leaf, denied = _leaf(tree), _leaf(tree.none)
        if isinstance(leaf, Tag):
            tags.add(leaf.name)
        elif isinstance(denied, Tag):
            barred.add(denied.name)
        elif isinstance(leaf, Attributes):
            _attributes(leaf, scope, words, person)
        else:
            person.append(_alone(tree.holds(scope)))
    return Clauses(
        rule.id,
        rule.status is Status.DRAFT,
        scope.on.event,
        scope.on.categories,
        tuple(scope.on.variables().items()),
        _told(trigger),
        _told(past),
        frozenset(tags),
        frozenset(barred),
        tuple(words),
        _told(person),
        tuple(readings.names),
    )


def _told(parts: list[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.source != ALWAYS)


def _alone(source: str) -> Part:
    return Part(source, source)


def _conjuncts(tree: Tree) -> Iterator[Tree]:
    if tree.all is None:
        yield tree
    for part in tree.all or ():
        yield from _conjuncts(part)


def _leaf(tree: Tree | None) -> object:
    return tree.leaf if isinstance(tree, Who | When) and tree.parts is None else None


def _of_field(name: str, test: Asked, source: str) -> Part:
    if isinstance(test, Numbers | Amounts) and test.at_least is not None and test.model_fields_set == {"at_least"}:
        least = test.at_least
        if isinstance(least, Money):
            return Part(source, f"{name} {least.currency}", least.minor)
        return Part(source, name, least)
    return _alone(source)


def _of_past(tree: Tree, scope: Scope) -> Part:
    leaf = _leaf(tree)
    if isinstance(leaf, Count) and leaf.at_least is not None and leaf.at_most is None:
        return Part(tree.holds(scope), f"{leaf.watched(scope.on).key} {leaf.begin(scope)[1]}", leaf.at_least)
    return _alone(tree.holds(scope))


def _attributes(leaf: Attributes, scope: Scope, words: list[Wanted], person: list[Part]) -> None:
    for name, test in leaf.asks.items():
        source = Attributes({name: test}).holds(scope)
        # Words may be named, or forbidden, or asked whether they are there; the first can be looked up.
        if isinstance(test, Words) and test.model_fields_set == {"any_of"} and test.any_of:
            words.append(Wanted(name, test.any_of, source))
        else:
            person.append(_alone(source))
