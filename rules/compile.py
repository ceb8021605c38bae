"""The compiler: an index on (event type, category), and one generated function for each of its buckets.

A rule that names its categories stands in their buckets only, so an event meets few of a thousand rules, and
those it meets are one function's `if`s. `rules.interpret` says the same slowly; tests hold them together.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from kairos.customer import Customer, Standing
from kairos.events import Event
from rules.residual import constant, counted, past, person, present, variables
from rules.rings import long_ago, recent, until
from rules.schema import Rule, Status
from rules.selectors import Selector, trigger

__all__ = ["Index", "Matcher", "Watcher", "find", "matchers", "watchers"]

Matcher = Callable[[Event, Customer, Callable[[], Standing]], list[Rule]]
"""Gives the rules of a bucket that match."""
Watcher = Callable[[Event], list[tuple[str, int]]]
"""Gives the rings of a bucket that an event belongs into, and how many instants each keeps."""

F = TypeVar("F")
"""What a bucket is compiled into."""
I = TypeVar("I")  # noqa: E741 - an item of a bucket
Index = dict[str, tuple[dict[str | None, tuple[F, ...]], tuple[F, ...]]]
"""By event type: the functions for each category that somebody names, and those for all other events."""


def find(index: Index[F], event: Event) -> tuple[F, ...]:
    """Give the functions that may have something to say about an event."""
    entry = index.get(event.type)
    return () if entry is None else entry[0].get(event.category, entry[1])


def matchers(rules: Iterable[Rule]) -> Index[Matcher]:
    """Compile what rules ask; a draft asks nothing."""
    return _index([(trigger(rule), rule) for rule in rules if rule.status is not Status.DRAFT], _matcher)


def watchers(kept: Iterable[tuple[Selector, int]]) -> Index[Watcher]:
    """Compile what rules look back on, see `rules.selectors.capacities`."""
    return _index([(selector, (selector.key, needed)) for selector, needed in kept], _watcher)


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
    rings = _rings(rule for _, rule in bucket)
    lines = ["def found(event, customer, standing):", *_locals(bucket)]
    lines += [" rings = customer.rings", " at = event.at // 1000", " profile = None", " matched = []"]
    lines += [f" {name} = None" for name in rings.values()]
    for condition, places in _together(bucket).items():
        lines.append(f" if {condition or True}:")
        for key in _rings(bucket[place][1] for place in places):
            lines.append(f"  if {rings[key]} is None: {rings[key]} = until(rings.get({constant(key)}, b''), at)")
        for place in places:
            rule = bucket[place][1]
            lines.append(f"  if {past(rule, rings) or True}:")
            lines += _person(rule)
            lines.append(f"    matched.append(item_{place})")
    made: Matcher = _made([*lines, " return matched"], bucket)
    return made


def _rings(rules: Iterable[Rule]) -> dict[str, str]:
    """Name a variable for each ring in which some rules count, for many of them count in the same."""
    keys = dict.fromkeys(key for rule in rules for key in counted(rule))
    return {key: f"ring_{place}" for place, key in enumerate(keys)}


def _person(rule: Rule) -> list[str]:
    condition = person(rule)
    if not condition:
        return ["   if True:"]
    read = "    profile = standing().profile; attrs = profile.attrs; tags = profile.tags"
    return ["   if profile is None:", read, f"   if {condition}:"]


def _watcher(bucket: Sequence[tuple[Selector, tuple[str, int]]]) -> Watcher:
    lines = ["def found(event):", *_locals(bucket), " met = []"]
    for condition, places in _together(bucket).items():
        lines.append(f" if {condition or True}:")
        lines += [f"  met.append(item_{place})" for place in places]
    made: Watcher = _made([*lines, " return met"], bucket)
    return made


def _locals(bucket: Sequence[tuple[Selector, object]]) -> list[str]:
    return [f" {name} = {source}" for name, source in variables(selector for selector, _ in bucket).items()]


def _together(bucket: Sequence[tuple[Selector, object]]) -> dict[str, list[int]]:
    """Put what asks the same of the event under one `if`."""
    places: dict[str, list[int]] = {}
    for place, (selector, _) in enumerate(bucket):
        places.setdefault(present(selector), []).append(place)
    return places


def _made(lines: list[str], bucket: Sequence[tuple[Selector, object]]) -> Any:
    # Any: what exec makes has no type; the two callers say what it is.
    names: dict[str, Any] = {"long_ago": long_ago, "recent": recent, "until": until}
    names |= {f"item_{place}": item for place, (_, item) in enumerate(bucket)}
    # The source is this module's own, with checked literals in it: see `rules.residual`.
    exec("\n".join(lines), names)  # noqa: S102 - a function for each bucket is why matching is fast
    return names["found"]
