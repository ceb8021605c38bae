"""The compiler: an index on (event type, category), and one generated function for each of its buckets.

A rule that names its categories stands in their buckets only, so an event meets few of a thousand rules, and
those it meets are one function's `if`s. `rules.interpret` says the same slowly; tests hold them together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import is_
from typing import Generic, Protocol, TypeVar

from kairos.customer import Customer, Standing
from kairos.events import Event
from rules.clauses import Clauses
from rules.conditions.absent import Ending
from rules.features import Feature
from rules.generated import made
from rules.masks import masked
from rules.selectors import Selector
from rules.source import ALWAYS, Readings, all_of
from rules.undisturbed import at_once

__all__ = ["Compiled", "Ender", "Index", "Matcher", "Watcher", "enders", "find", "matchers", "watchers"]

Matcher = Callable[[Event, Customer, Callable[[], Standing], Mapping[str, int]], list[str]]
"""Gives the ids of the rules of a bucket that match."""
Watcher = Callable[[Event], list[Feature]]
"""Gives the features of a bucket that remember an event."""
Ender = Callable[[Event], list[tuple[str, Ending]]]
"""Gives the rules of a bucket for which an event ends what they wait for."""

F = TypeVar("F")
"""What a bucket is compiled into."""
I = TypeVar("I")  # noqa: E741 - an item of a bucket
P = TypeVar("P", bound="Placed")
Index = dict[str, tuple[dict[str | None, tuple[F, ...]], tuple[F, ...]]]
"""By event type: the functions for each category that somebody names, and those for all other events."""

MANY = 128
"""From how many rules on a bucket looks for the few that can match, see `rules.masks`; below, `if`s are as fast."""


class Placed(Protocol):
    """What has a place in the index: the type of its events, and their categories, if it names them."""

    @property
    def event(self) -> str:
        """The type."""
        ...

    @property
    def categories(self) -> tuple[str, ...] | None:
        """The categories, or None for all."""
        ...

    def variables(self) -> dict[str, str]:
        """Give the variables that the conditions read, and where each comes from."""
        ...


def find(index: Index[F], event: Event) -> tuple[F, ...]:
    """Give the functions that may have something to say about an event."""
    entry = index.get(event.type)
    return () if entry is None else entry[0].get(event.category, entry[1])


@dataclass(frozen=True, slots=True)
class Compiled(Generic[F]):
    """What was compiled: the index, and each bucket's items with the function that was made of them."""

    index: Index[F]
    buckets: Mapping[tuple[str, str | None], tuple[Sequence[object], F]]


def matchers(
    rules: Iterable[Clauses], before: Compiled[Matcher] | None = None, between: Callable[[], None] = at_once
) -> Compiled[Matcher]:
    """Compile what rules ask; a draft asks nothing. A bucket whose rules are those of before is not compiled again."""
    return _compiled([(clauses, clauses) for clauses in rules if not clauses.draft], _matcher, before, between)


def watchers(features: Iterable[Feature], before: Compiled[Watcher] | None = None) -> Compiled[Watcher]:
    """Compile what rules look back on, see `rules.features`."""
    taken = [(selector, feature) for feature in features for selector in feature.selectors]
    return _compiled(taken, _watcher, before)


def enders(endings: Iterable[tuple[str, Ending]], before: Compiled[Ender] | None = None) -> Compiled[Ender]:
    """Compile what ends the absences that rules wait for; a draft's too, so that it starts warm."""
    return _compiled([(one[1].selector, one) for one in endings], _watcher, before)


def _compiled(
    items: Sequence[tuple[P, I]],
    make: Callable[[Sequence[tuple[P, I]]], F],
    before: Compiled[F] | None,
    between: Callable[[], None] = at_once,
) -> Compiled[F]:
    found: dict[tuple[str, str | None], list[tuple[P, I]]] = {}
    for selector, item in items:
        for category in selector.categories or (None,):
            found.setdefault((selector.event, category), []).append((selector, item))
    known = {} if before is None else before.buckets
    buckets = {}
    for place, bucket in found.items():
        ours = [item for _, item in bucket]
        was, made_before = known.get(place, ((), None))
        if made_before is None or len(was) != len(ours) or not all(map(is_, was, ours)):
            made_before = make(bucket)
            between()
        buckets[place] = ours, made_before
    index: Index[F] = {}
    for event in dict.fromkeys(event for event, _ in buckets):
        others: tuple[F, ...] = (buckets[event, None][1],) if (event, None) in buckets else ()
        named: dict[str | None, tuple[F, ...]] = {
            c: (one, *others) for (of, c), (_, one) in buckets.items() if of == event and c is not None
        }
        index[event] = (named, others)
    return Compiled(index, buckets)


def _matcher(bucket: Sequence[tuple[Clauses, Clauses]]) -> Matcher:
    rules = [clauses for _, clauses in bucket]
    if len(rules) >= MANY:
        many: Matcher = masked(rules, _locals(bucket))
        return many
    lines = [" profile = None", " matched = []"]
    for condition, places in _together([part.source for part in clauses.trigger] for clauses in rules).items():
        lines += [f" if {condition}:", *_by_past(rules, places)]
    readings = Readings(chain.from_iterable(clauses.names for clauses in rules))
    begin = [*_locals(bucket), " past = customer.remembered", " at = event.at // 1000", f" {readings.begin()}"]
    head = "def found(event, customer, standing, since):"
    few: Matcher = made([head, *begin, *lines, " return matched"], _items(clauses.id for clauses in rules))
    return few


def _by_past(rules: Sequence[Clauses], places: Iterable[int]) -> Iterator[str]:
    """Ask the past of rules whose trigger is the same: who asks for more is asked where the less of others holds."""
    families: dict[str, list[int]] = {}
    for place in places:
        families.setdefault(rules[place].first.family, []).append(place)
    for family in families.values():
        deep, asked = "  ", None
        for place in sorted(family, key=lambda place: rules[place].first.rank):
            first, rest = rules[place].first.source, [part.source for part in rules[place].past[1:]]
            if first != asked:
                yield f"{deep}if {first}:"
                deep, asked = f"{deep} ", first
            yield f"{deep}if {all_of(rest)}:"
            yield from _person(rules[place], f"{deep} ")
            yield f"{deep}  matched.append(item_{place})"


def _person(clauses: Clauses, deep: str) -> Iterator[str]:
    condition = clauses.everything
    if condition != ALWAYS:
        yield f"{deep}if profile is None:"
        yield f"{deep} profile = standing().profile; attrs = profile.attrs; tags = profile.tags"
    yield f"{deep}if {condition}:"


def _watcher(bucket: Sequence[tuple[Selector, I]]) -> Callable[[Event], list[I]]:
    readings = Readings()
    lines = [" met = []"]
    for condition, places in _together(selector.conditions(readings) for selector, _ in bucket).items():
        lines.append(f" if {condition}:")
        lines += [f"  met.append(item_{place})" for place in places]
    begin = [*_locals(bucket), f" {readings.begin()}"]
    names = _items(item for _, item in bucket)
    found: Callable[[Event], list[I]] = made(["def found(event):", *begin, *lines, " return met"], names)
    return found


def _locals(bucket: Sequence[tuple[Placed, object]]) -> list[str]:
    found = {name: source for placed, _ in bucket for name, source in placed.variables().items()}
    return [f" {name} = {source}" for name, source in sorted(found.items())]


def _items(items: Iterable[object]) -> dict[str, object]:
    return {f"item_{place}": item for place, item in enumerate(items)}


def _together(asked: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """Put what asks the same of the event under one `if`."""
    places: dict[str, list[int]] = {}
    for place, sources in enumerate(asked):
        places.setdefault(all_of(sources), []).append(place)
    return places
