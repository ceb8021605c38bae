"""Estimating: how often a rule would have matched in a recorded log, all of it at once in NumPy.

It agrees with `rules.interpret` over the same events in the order of their time (see the tests), but for what it leaves
out on purpose: attributes and tags are those at the log's end, scores and the gates beside the cooldown are not asked.
"""

from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kairos.instants import MINUTE, SECOND, Millis
from rules import rings
from rules.asked import Asked
from rules.columns import Columns
from rules.conditions.count import Count
from rules.conditions.first import First
from rules.conditions.last_seen import LastSeen
from rules.features import Ring
from rules.logic import Tree
from rules.moments import Clock, first_second, local
from rules.persons import Attributes, Score, Tag
from rules.schema import Rule
from rules.selectors import Selector

__all__ = ["Firings", "NotInColumns", "estimate", "rested"]

_SECONDS: Final = 33
"""How many bits the second takes beside the customer's number in one sorted key."""
_QUARTER: Final = 15 * MINUTE

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


class NotInColumns(Exception):
    """A rule asks for something that cannot be told from columns; it must be replayed event by event."""


@dataclass(frozen=True, slots=True)
class Firings:
    """Whom a rule would have met, and when.

    Parameters
    ----------
    triggers
        How many events were of the rule's kind.
    matched
        How many of them met every clause.
    customers, at
        The customer's number and the time of each match that the cooldown leaves, by customer and time.

    """

    triggers: int
    matched: int
    customers: Numbers
    at: Numbers


@dataclass(frozen=True, slots=True)
class _Verdict:
    """In three values: where neither is true nobody knows."""

    holds: Flags
    fails: Flags


@dataclass(frozen=True, slots=True)
class _Rows:
    """Events of one kind."""

    row: Numbers
    customer: Numbers
    at: Numbers

    @property
    def keys(self) -> Numbers:
        """Customer and second in one sorted number."""
        return _key(self.customer, self.at // SECOND)

    def where(self, chosen: Flags) -> "_Rows":
        return _Rows(self.row[chosen], self.customer[chosen], self.at[chosen])


def estimate(rule: Rule, columns: Columns) -> Firings:
    """Find the matches of a rule, as if it were active and valid all the time.

    Raises
    ------
    NotInColumns
        The rule asks for something that only a replay can tell.

    """
    if rule.consume or rule.limits.per_customer is not None:
        raise NotInColumns("what follows from earlier firings")
    return _Estimating(rule, columns).firings()


def rested(customers: Numbers, at: Numbers, cooldown: Millis) -> Flags:
    """Tell which matches the cooldown leaves; they are sorted by customer and time.

    Examples
    --------
    >>> rested(np.array([1, 1, 1, 2]), np.array([0, 50, 120, 130]), 100).tolist()
    [True, False, True, True]

    """
    left = np.ones(len(at), np.bool_)
    if not cooldown or not len(at):
        return left
    before, until = -1, 0
    for place, (customer, now) in enumerate(zip(customers.tolist(), at.tolist(), strict=True)):
        if customer == before and now < until:
            left[place] = False
        else:
            before, until = customer, now + cooldown
    return left


@dataclass(slots=True)
class _Estimating:
    rule: Rule
    columns: Columns
    _found: dict[str, _Rows] = field(default_factory=dict)

    def firings(self) -> Firings:
        on = self._met(self.rule.on.selector)
        if self.rule.who.parts != ():
            # The customers are asked before their pasts: there are fewer of them than events.
            who = self._tree(self.rule.who, None).holds
            events = on.where(who[on.customer])
        else:
            events = on
        events = events.where(self._tree(self.rule.when, events).holds)
        left = rested(events.customer, events.at, self.rule.limits.cooldown)
        return Firings(len(on.row), len(events.row), events.customer[left], events.at[left])

    def _tree(self, tree: Tree, events: _Rows | None) -> _Verdict:
        """Judge a tree over some events, or over all customers."""
        if tree.parts is None:
            return self._person(tree.leaf) if events is None else self._past(tree.leaf, events)
        found = [self._tree(part, events) for part in tree.parts]
        if tree.none is not None:
            return _Verdict(found[0].fails, found[0].holds)
        size = self.columns.customers if events is None else len(events.row)
        some, every = np.zeros(size, np.bool_), np.ones(size, np.bool_)
        if tree.any is None:
            return _Verdict(
                reduce(np.logical_and, (one.holds for one in found), every),
                reduce(np.logical_or, (one.fails for one in found), some),
            )
        return _Verdict(
            reduce(np.logical_or, (one.holds for one in found), some),
            reduce(np.logical_and, (one.fails for one in found), every),
        )

    def _person(self, leaf: object) -> _Verdict:
        everybody = np.ones(self.columns.customers, np.bool_)
        match leaf:
            case Tag():
                found = self.columns.tagged(leaf.name)
                return _Verdict(found, ~found)
            case Attributes():
                verdicts = [self._attribute(name, test) for name, test in leaf.asks.items()]
                holds = reduce(np.logical_and, (one.holds for one in verdicts), everybody)
                return _Verdict(holds, reduce(np.logical_or, (one.fails for one in verdicts), ~everybody))
            case Score():
                return _Verdict(everybody, ~everybody)
        raise NotInColumns(type(leaf).__name__.lower())

    def _attribute(self, name: str, test: Asked) -> _Verdict:
        column = self.columns.attribute(name)
        fits = [test.fits(value) for value in column.values]
        return _Verdict(
            np.array([fit is True for fit in fits], np.bool_)[column.codes],
            np.array([fit is False for fit in fits], np.bool_)[column.codes],
        )

    def _past(self, leaf: object, events: _Rows) -> _Verdict:
        match leaf:
            case Count():
                return self._count(leaf, events)
            case LastSeen():
                return self._last_seen(leaf, events)
            case First():
                return self._last_seen(leaf.silence, events)
        raise NotInColumns(type(leaf).__name__.lower())

    def _count(self, leaf: Count, events: _Rows) -> _Verdict:
        watched = self._met(leaf.watched(self.rule.on.selector))
        upto = np.searchsorted(watched.row, events.row, "right")
        begin = _key(events.customer, np.maximum(_begins(leaf, events.at), -1))
        number = upto - np.searchsorted(watched.keys, begin, "right")
        holds = np.ones(len(events.row), np.bool_)
        if leaf.at_least is not None:
            holds &= number >= leaf.at_least
        if leaf.at_most is not None:
            holds &= number <= leaf.at_most
        return _Verdict(holds, ~holds)

    def _last_seen(self, leaf: LastSeen, events: _Rows) -> _Verdict:
        selector = self.rule.on.selector
        watched = self._met(leaf.watched(selector))
        keys = watched.keys
        now = events.at // SECOND
        first = np.searchsorted(keys, _key(events.customer, np.zeros_like(now)), "left")
        before = np.searchsorted(keys, _key(events.customer, now), "left")
        upto = np.searchsorted(watched.row, events.row, "right")
        seconds = np.append(watched.at // SECOND, 0)
        # What the ring has forgotten, because so many happened in the trigger's own second, is unknown here too.
        is_there = (before > first) & (upto - before < self._kept(leaf))
        ago = now - seconds[np.where(is_there, before - 1, -1)]
        recent = is_there & (ago < rings.second(leaf.at_least or leaf.within or 0))
        never = ~is_there & (np.minimum(upto - first, self._kept(leaf)) < rings.KEPT)
        long_ago = (is_there & ~recent) | never
        return _Verdict(recent, long_ago) if leaf.at_least is None else _Verdict(long_ago, recent)

    def _kept(self, leaf: LastSeen) -> int:
        selector = self.rule.on.selector
        key = leaf.watched(selector).key
        found = [f for f in self.rule.when.features(selector) if isinstance(f, Ring) and f.key == key]
        return max(feature.kept for feature in found)

    def _met(self, selector: Selector) -> _Rows:
        """Give the events that a selector meets."""
        if selector.key not in self._found:
            table = self.columns.table(selector.event)
            rows = _Rows(table.row, table.customer.astype(np.int64), table.at)
            tests = [self._fits(selector, name, test) for name, test in selector.where.items()]
            self._found[selector.key] = rows.where(reduce(np.logical_and, tests)) if tests else rows
        return self._found[selector.key]

    def _fits(self, selector: Selector, name: str, test: Asked) -> Flags:
        if isinstance(test, Clock):
            return _clock(test, self.columns.table(selector.event).at)
        column = self.columns.field(selector.event, name)
        fits: Any = [test.fits(value) is True for value in column.values]
        return np.array(fits, np.bool_)[column.codes]


def _key(customer: Numbers, second: Numbers) -> Numbers:
    return (customer << _SECONDS) + second


def _begins(leaf: Count, at: Numbers) -> Numbers:
    """Give the last second before the window of each event."""
    if leaf.within is not None:
        return at // SECOND - rings.second(leaf.within)
    quarters, place = np.unique(at // _QUARTER, return_inverse=True)
    days = leaf.days or 1
    begins = [first_second(quarter * _QUARTER, leaf.zone, days) - 1 for quarter in quarters.tolist()]
    return np.array(begins, np.int64)[place]


def _clock(test: Clock, at: Numbers) -> Flags:
    """Ask a test of the moment once for each minute of the week in which something happened."""
    quarters, place = np.unique(at // _QUARTER, return_inverse=True)
    # Zones have changed by quarters of an hour at the least, and on such a quarter: inside one, local time just runs.
    begun = np.array(
        [day * 1440 + minute for minute, day in (local(q * _QUARTER, test.zone) for q in quarters.tolist())]
    )
    minutes, again = np.unique(begun[place] + at % _QUARTER // MINUTE, return_inverse=True)
    fits = [_fits_minute(test, minute) for minute in minutes.tolist()]
    return np.array(fits, np.bool_)[again]


def _fits_minute(test: Clock, minute: int) -> bool:
    in_utc = test.model_copy(update={"zone": "UTC"})
    # 1970 began on a Thursday, the fourth day of a week.
    return in_utc.fits((minute - 3 * 1440) % (7 * 1440) * MINUTE) is True
