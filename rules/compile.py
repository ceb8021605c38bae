"""The compiler: an index on (event type, category), and one generated function for each of its buckets.

A rule that names its categories stands in their buckets only, so an event meets few of a thousand rules, and
those it meets are one function's `if`s. `rules.interpret` says the same slowly; tests hold them together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kairos.customer import Customer, Standing
from kairos.events import Event
from rules.chains import ends, none_started, started
from rules.conditions.absent import Absent
from rules.features import Feature
from rules.firings import last_fired
from rules.moments import day_of, first_second, local, midnight
from rules.panes import largest, reaches, smallest, total
from rules.places import distance
from rules.rings import fewer, long_ago, recent, until
from rules.schema import Rule, Status
from rules.selectors import Selector
from rules.source import ALWAYS, Readings, all_of
from rules.values import ring

__all__ = ["Ender", "Index", "Matcher", "Watcher", "enders", "find", "matchers", "watchers"]

Matcher = Callable[[Event, Customer, Callable[[], Standing], Mapping[str, int]], list[Rule]]
"""Gives the rules of a bucket that match."""
Watcher = Callable[[Event], list[Feature]]
"""Gives the features of a bucket that remember an event."""
Ender = Callable[[Event], list[tuple[str, Absent]]]
"""Gives the rules of a bucket for which an event ends what they wait for."""

F = TypeVar("F")
"""What a bucket is compiled into."""
I = TypeVar("I")  # noqa: E741 - an item of a bucket
Index = dict[str, tuple[dict[str | None, tuple[F, ...]], tuple[F, ...]]]
"""By event type: the functions for each category that somebody names, and those for all other events."""

_NAMES: Mapping[str, object] = {
    "day_of": day_of,
    "distance": distance,
    "ends": ends,
    "fewer": fewer,
    "first_second": first_second,
    "largest": largest,
    "last_fired": last_fired,
    "local": local,
    "long_ago": long_ago,
    "midnight": midnight,
    "none_started": none_started,
    "reaches": reaches,
    "recent": recent,
    "ring": ring,
    "smallest": smallest,
    "started": started,
    "total": total,
    "until": until,
}
"""What generated conditions may call."""


def find(index: Index[F], event: Event) -> tuple[F, ...]:
    """Give the functions that may have something to say about an event."""
    entry = index.get(event.type)
    return () if entry is None else entry[0].get(event.category, entry[1])


def matchers(rules: Iterable[Rule]) -> Index[Matcher]:
    """Compile what rules ask; a draft asks nothing."""
    return _index([(rule.on.selector, rule) for rule in rules if rule.status is not Status.DRAFT], _matcher)


def watchers(features: Iterable[Feature]) -> Index[Watcher]:
    """Compile what rules look back on, see `rules.features`."""
    return _index([(selector, feature) for feature in features for selector in feature.selectors], _watcher)


def enders(rules: Iterable[Rule]) -> Index[Ender]:
    """Compile what ends the absences that rules wait for; a draft's too, so that it starts warm."""
    found = [(rule.id, absent) for rule in rules if (absent := rule.absent) is not None]
    return _index([(absent.selector, (name, absent)) for name, absent in found], _watcher)


def _index(items: Sequence[tuple[Selector, I]], make: Callable[[Sequence[tuple[Selector, I]]], F]) -> Index[F]:
    named: dict[str, dict[str | None, list[tuple[Selector, I]]]] = {}
    rest: dict[str, list[tuple[Selector, I]]] = {}
    for selector, item in items:
        named.setdefault(selector.event, {})
        for category in selector.categories or ():
            named[selector.event].setdefault(category, []).append((selector, item))
        if selector.categories is None:
            rest.setdefault(selector.event, []).append((selector, item))
    index: Index[F] = {}
    for event, buckets in named.items():
        others = (make(rest[event]),) if event in rest else ()
        index[event] = ({category: (make(bucket), *others) for category, bucket in buckets.items()}, others)
    return index


def _matcher(bucket: Sequence[tuple[Selector, Rule]]) -> Matcher:
    readings = Readings()
    lines = [" profile = None", " matched = []"]
    for condition, places in _together(bucket, readings).items():
        lines.append(f" if {condition}:")
        for place in places:
            rule = bucket[place][1]
            lines.append(f"  if {rule.when.holds(rule.scope(readings))}:")
            lines += _person(rule, readings)
            lines.append(f"    matched.append(item_{place})")
    begin = [*_locals(bucket), " past = customer.remembered", " at = event.at // 1000", f" {readings.begin()}"]
    head = "def found(event, customer, standing, since):"
    made: Matcher = _made([head, *begin, *lines, " return matched"], bucket)
    return made


def _person(rule: Rule, readings: Readings) -> list[str]:
    condition = rule.who.holds(rule.scope(readings))
    if condition == ALWAYS:
        return ["   if True:"]
    read = "    profile = standing().profile; attrs = profile.attrs; tags = profile.tags"
    return ["   if profile is None:", read, f"   if {condition}:"]


def _watcher(bucket: Sequence[tuple[Selector, I]]) -> Callable[[Event], list[I]]:
    readings = Readings()
    lines = [" met = []"]
    for condition, places in _together(bucket, readings).items():
        lines.append(f" if {condition}:")
        lines += [f"  met.append(item_{place})" for place in places]
    begin = [*_locals(bucket), f" {readings.begin()}"]
    made: Callable[[Event], list[I]] = _made(["def found(event):", *begin, *lines, " return met"], bucket)
    return made


def _locals(bucket: Sequence[tuple[Selector, object]]) -> list[str]:
    found = {name: source for selector, _ in bucket for name, source in selector.variables().items()}
    return [f" {name} = {source}" for name, source in sorted(found.items())]


def _together(bucket: Sequence[tuple[Selector, object]], readings: Readings) -> dict[str, list[int]]:
    """Put what asks the same of the event under one `if`."""
    places: dict[str, list[int]] = {}
    for place, (selector, _) in enumerate(bucket):
        places.setdefault(all_of(selector.conditions(readings)), []).append(place)
    return places


def _made(lines: list[str], bucket: Sequence[tuple[Selector, object]]) -> Any:
    # Any: what exec makes has no type; the two callers say what it is.
    names: dict[str, Any] = {**_NAMES, **{f"item_{place}": item for place, (_, item) in enumerate(bucket)}}
    # The source is this package's own, with checked literals in it: see `rules.source`.
    exec("\n".join(lines), names)  # noqa: S102 - a function for each bucket is why matching is fast
    return names["found"]
