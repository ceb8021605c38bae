"""Conditions on the past, judged for all triggers of a log at once; what columns cannot tell is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kairos.instants import HOUR, SECOND, Millis
from rules import ranges, rings, ties
from rules.conditions.absent import Absent
from rules.conditions.aggregate import Aggregate
from rules.conditions.amounts import Average, Largest, Smallest, Sum
from rules.conditions.count import Count
from rules.conditions.distinct import Distinct
from rules.conditions.first import First
from rules.conditions.last_seen import LastSeen
from rules.conditions.past import Counted
from rules.conditions.sequence import Sequence
from rules.estimate_groups import groups_of
from rules.features import Ring
from rules.met import QUARTER, Flags, Met, Numbers, Rows, key
from rules.moments import first_second
from rules.schema import Rule
from rules.selectors import Watched
from rules.values import name_of

__all__ = ["NotInColumns", "Pasts", "Verdict"]

_MOST = 2**63 - 1
_NEVER = -(2**40)
_ROW = 32
"""How many bits an event's place takes beside its group."""


class NotInColumns(Exception):
    """A rule asks for something that cannot be told from columns; it must be replayed event by event."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """In three values: where neither is true nobody knows."""

    holds: Flags
    fails: Flags


@dataclass(frozen=True, slots=True)
class Pasts:
    """The conditions of one rule on the past."""

    rule: Rule
    met: Met

    def judged(self, leaf: object, events: Rows) -> Verdict:
        """Judge one condition at some triggers."""
        match leaf:
            case Absent():
                # What comes after the trigger speaks neither for nor against its beginning to wait.
                return Verdict(np.ones(len(events.row), np.bool_), np.zeros(len(events.row), np.bool_))
            case Count():
                return self._count(leaf, events)
            case Distinct():
                return self._distinct(leaf, events)
            case Aggregate():
                return self._amounts(leaf, events)
            case LastSeen():
                return self._last_seen(leaf, events)
            case First():
                return self._last_seen(leaf.silence, events)
            case Sequence():
                return self._sequence(leaf, events)
        raise NotInColumns(type(leaf).__name__.lower())

    def _watched(self, leaf: Watched) -> Rows:
        return self.met.by(leaf.watched(self.rule.on.selector))

    def _count(self, leaf: Count, events: Rows) -> Verdict:
        first, behind = _window(self._watched(leaf), events, _begins(leaf, events.at))
        return _within(leaf, behind - first)

    def _distinct(self, leaf: Distinct, events: Rows) -> Verdict:
        selector = leaf.watched(self.rule.on.selector)
        # By the same name as the engine remembers them: two values that share it are one.
        names = {value: name_of(value) for value in self.met.values(selector, leaf.field) if isinstance(value, str)}
        numbers = {name: number for number, name in enumerate(sorted(set(names.values())))}
        said = self.met.codes(selector, leaf.field, {value: numbers[name] for value, name in names.items()})
        watched = self._watched(leaf).where(said >= 0)
        first, behind = _window(watched, events, _begins(leaf, events.at))
        before = ranges.previous(watched.customer, said[said >= 0])
        return _within(leaf, ranges.different(before, first, behind, leaf.most))

    def _amounts(self, leaf: Aggregate, events: Rows) -> Verdict:
        selector = leaf.watched(self.rule.on.selector)
        found = ((value, leaf.minor(value)) for value in self.met.values(selector, leaf.field))
        amounts = {value: minor for value, minor in found if minor is not None}
        if max(amounts.values(), default=0) * len(self._watched(leaf).row) > _MOST:
            raise NotInColumns("amounts of so many digits")
        said = self.met.codes(selector, leaf.field, amounts)
        watched, values = self._watched(leaf).where(said >= 0), said[said >= 0]
        first, behind = _window(watched, events, _panes_begin(leaf, events.at))
        holds = np.ones(len(events.row), np.bool_)
        known = np.ones(len(events.row), np.bool_) if isinstance(leaf, Sum) else behind > first
        compared = _comparing(leaf, values, first, behind)
        for sign, bound in leaf.bounds:
            holds &= compared(sign, min(bound, _MOST))
        return Verdict(holds & known, ~holds & known)

    def _last_seen(self, leaf: LastSeen, events: Rows) -> Verdict:
        watched, kept = self._watched(leaf), self._kept(leaf)
        keys, now = watched.keys, events.at // SECOND
        first = np.searchsorted(keys, key(events.customer, np.zeros_like(now)), "left")
        before = np.searchsorted(keys, key(events.customer, now), "left")
        upto = np.searchsorted(watched.row, events.row, "right")
        seconds = np.append(watched.at // SECOND, 0)
        # What the ring has forgotten, because so many happened in the trigger's own second, is unknown here too.
        is_there = (before > first) & (upto - before < kept)
        ago = now - seconds[np.where(is_there, before - 1, -1)]
        recent = is_there & (ago < rings.second(leaf.at_least or leaf.within or 0))
        never = ~is_there & (np.minimum(upto - first, kept) < rings.KEPT)
        long_ago = (is_there & ~recent) | never
        return Verdict(recent, long_ago) if leaf.at_least is None else Verdict(long_ago, recent)

    def _sequence(self, leaf: Sequence, events: Rows) -> Verdict:
        steps = [self._watched(step) for step in leaf.before]
        if leaf.same is None:
            return self._followed(leaf, steps, events)
        return self._tied(leaf, leaf.same, steps, events)

    def _tied(self, leaf: Sequence, same: tuple[str, ...], steps: list[Rows], events: Rows) -> Verdict:
        """Judge a sequence as that of somebody else for each value."""
        on = self.rule.on.selector
        watched = [(step.watched(on), rows) for step, rows in zip(leaf.before, steps, strict=True)]
        *taken, (group, is_said) = groups_of([*watched, (on, events)], same, self.met)
        kept = [rows.where(said) for rows, (_, said) in zip(steps, taken, strict=True)]
        groups = [found[said] for found, said in taken]
        _few_values(np.concatenate(groups), np.concatenate([rows.customer for rows in kept]))
        tied = [_of_groups(rows, found) for rows, found in zip(kept, groups, strict=True)]
        asked = Rows(events.place, (group << _ROW) + events.row, group, events.at)
        found = self._followed(leaf, tied, asked)
        return Verdict(found.holds & is_said, found.fails & is_said)

    def _followed(self, leaf: Sequence, steps: list[Rows], events: Rows) -> Verdict:
        # Whoever takes a step later has the later start: so the last one who took the step before is all that counts.
        started = steps[0].at // SECOND
        for before, step in pairwise(steps):
            started = _of_last(started, before, step.customer, np.searchsorted(before.keys, step.keys, "left"))
        last = steps[-1]
        if leaf.ends_with_trigger:
            behind = np.searchsorted(last.keys, events.keys, "left")
        else:
            behind = np.searchsorted(last.row, events.row, "right")
        holds = _of_last(started, last, events.customer, behind) > events.at // SECOND - rings.second(leaf.within)
        return Verdict(holds, ~holds)

    def _kept(self, leaf: LastSeen) -> int:
        selector = self.rule.on.selector
        name = leaf.watched(selector).key
        found = [f for f in self.rule.when.features(selector) if isinstance(f, Ring) and f.key == name]
        return max(feature.kept for feature in found)


def _few_values(group: Numbers, customer: Numbers) -> None:
    """Refuse what the engine may have forgotten: more values of one customer than it keeps."""
    first = np.unique(group, return_index=True)[1]
    if np.bincount(customer[first]).max(initial=0) > ties.KEPT:
        raise NotInColumns("a sequence of so many values")


def _of_groups(rows: Rows, group: Numbers) -> Rows:
    """Give rows as if each group were a customer, by these and time."""
    row = (group << _ROW) + rows.row
    order = np.argsort(row)
    return Rows(rows.place[order], row[order], group[order], rows.at[order])


def _of_last(started: Numbers, rows: Rows, customer: Numbers, behind: Numbers) -> Numbers:
    """Give the start of the row that stands before each place, or what is long ago where that is another customer's."""
    place = behind - 1
    ours = (place >= 0) & (np.append(rows.customer, -1)[place] == customer)
    return np.where(ours, np.append(started, _NEVER)[place], _NEVER)


def _window(watched: Rows, events: Rows, begin: Numbers) -> tuple[Numbers, Numbers]:
    """Give the window of each trigger: its first place among what is watched, and the place behind its last one."""
    behind = np.searchsorted(watched.row, events.row, "right")
    return np.searchsorted(watched.keys, key(events.customer, np.maximum(begin, -1)), "right"), behind


def _begins(leaf: Counted, at: Numbers) -> Numbers:
    """Give the last second before the window of each trigger."""
    if leaf.within is not None:
        return at // SECOND - rings.second(leaf.within)
    days, zone = leaf.days or 1, leaf.zone
    return _by_quarter(at, lambda quarter: first_second(quarter, zone, days) - 1)


def _panes_begin(leaf: Aggregate, at: Numbers) -> Numbers:
    """Give the last second before the hour or the day in which the window of each trigger begins."""
    if leaf.in_hours:
        return (at - (leaf.within or 0)) // HOUR * (HOUR // SECOND) - 1
    days, zone = leaf.days or 1, leaf.zone
    return _by_quarter(at - (leaf.within or 0), lambda quarter: first_second(quarter, zone, days) - 1)


def _by_quarter(at: Numbers, give: Callable[[Millis], int]) -> Numbers:
    """Ask once for each quarter of an hour what is the same in all of it."""
    quarters, place = np.unique(at // QUARTER, return_inverse=True)
    return np.array([give(quarter * QUARTER) for quarter in quarters.tolist()], np.int64)[place]


def _within(leaf: Counted, number: Numbers) -> Verdict:
    holds = np.ones(len(number), np.bool_)
    if leaf.at_least is not None:
        holds &= number >= leaf.at_least
    if leaf.at_most is not None:
        holds &= number <= leaf.at_most
    return Verdict(holds, ~holds)


def _comparing(leaf: Aggregate, values: Numbers, first: Numbers, behind: Numbers) -> Callable[[str, int], Flags]:
    """Give what compares the windows of all triggers with a bound."""
    match leaf:
        case Smallest():
            came = ranges.least(values, first, behind)
        case Largest():
            came = -ranges.least(-values, first, behind)
        case _:
            came = ranges.totals(values, first, behind)
    if not isinstance(leaf, Average):
        return lambda sign, bound: _COMPARED[sign](came, bound)
    number = np.maximum(behind - first, 1)
    # An average is a fraction: whether it reaches a whole number, its whole part tells, and whether it passes one, that
    # of its opposite.
    floor, ceiling = came // number, -(-came // number)
    return lambda sign, bound: _COMPARED[sign](floor if sign in (">=", "<") else ceiling, bound)


_COMPARED: Mapping[str, Callable[[Numbers, int], Flags]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
}
