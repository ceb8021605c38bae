"""Estimating: how often a rule would have matched in a recorded log, all of it at once in NumPy.

It agrees with `rules.interpret` over the same events in the order of their time (see the tests), but for what it leaves
out on purpose: attributes and tags are those at the log's end, scores and the gates beside the cooldown are not asked.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from rules.asked import Asked
from rules.bounds import Limits
from rules.columns import Columns
from rules.estimate_past import NotInColumns, Pasts, Verdict
from rules.estimate_waits import TooMany, waited
from rules.logic import Tree
from rules.met import Flags, Met, Numbers, Rows
from rules.persons import Attributes, Score, Tag
from rules.schema import Rule

__all__ = ["Firings", "NotInColumns", "estimate", "may_match", "rested"]


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


def estimate(rule: Rule, columns: Columns) -> Firings:
    """Find the matches of a rule, as if it were active and valid all the time.

    Raises
    ------
    NotInColumns
        The rule asks for something that only a replay can tell.

    """
    if rule.consume:
        raise NotInColumns("what follows from earlier firings")
    return _Estimating(rule, columns).firings()


def may_match(rule: Rule, columns: Columns, met: Met, steady: Flags, ordered: Flags) -> Flags:
    """Tell which customers the rule may match: whom it leaves out, the engine does not match at any event.

    What the engine does not know, such as what happened before the log, can only be known better here; so whatever
    matches there matches here. Scores, gates and limits are not asked.

    Parameters
    ----------
    rule, columns
        The rule, and the log.
    met
        What selectors meet in these columns; rules that are asked one after the other share it.
    steady
        The customers whose attributes and tags were the same at each of their events.
    ordered
        The customers whose events arrived in the order of their times.

    """
    found = np.zeros(columns.customers, np.bool_)
    found[_Estimating(rule, columns, met).possible(steady, ordered).customer] = True
    return found


def rested(customers: Numbers, at: Numbers, limits: Limits) -> Flags:
    """Tell which matches the cooldown and the number for a customer leave; they are sorted by customer and time.

    Examples
    --------
    >>> rest = Limits(cooldown="100s")
    >>> rested(np.array([1, 1, 1, 2]), np.array([0, 50_000, 120_000, 130_000]), rest).tolist()
    [True, False, True, True]

    """
    left = np.ones(len(at), np.bool_)
    most = limits.per_customer
    if not len(at) or (not limits.cooldown and most is None):
        return left
    before, until, times = -1, 0, 0
    for place, (customer, now) in enumerate(zip(customers.tolist(), at.tolist(), strict=True)):
        times = times if customer == before else 0
        if (customer == before and now < until) or (most is not None and times >= most):
            left[place] = False
        else:
            before, until, times = customer, now + limits.cooldown, times + 1
    return left


class _Estimating:
    def __init__(self, rule: Rule, columns: Columns, met: Met | None = None) -> None:
        self.rule, self.columns, self._met = rule, columns, met or Met(columns)
        self._pasts = Pasts(rule, self._met)

    def firings(self) -> Firings:
        on = self._met.by(self.rule.on.selector)
        if self.rule.who.parts != ():
            # The customers are asked before their pasts: there are fewer of them than events.
            who = self._tree(self.rule.who, None).holds
            events = on.where(who[on.customer])
        else:
            events = on
        events = events.where(self._tree(self.rule.when, events).holds)
        customers, at = self._due(events)
        left = rested(customers, at, self.rule.limits)
        return Firings(len(on.row), len(at), customers[left], at[left])

    def _due(self, events: Rows) -> tuple[Numbers, Numbers]:
        """Give whose matches lead to a firing, and when: at once, or where nothing came, at the end of a wait."""
        if self.rule.absent is None:
            return events.customer, events.at
        try:
            return waited(self.rule.absent, self.rule.on.selector, events, self._met)
        except TooMany:
            raise NotInColumns("absent") from None

    def possible(self, steady: Flags, ordered: Flags) -> Rows:
        """Give the triggers at which the rule may match; what cannot be told leaves them."""
        on = self._met.by(self.rule.on.selector)
        if self.rule.who.parts != ():
            on = on.where((self._tree(self.rule.who, None).holds | ~steady)[on.customer])
        # What a rule that consumes looks back on follows from its firings, and these from gates.
        if self.rule.consume:
            return on
        try:
            return on.where(self._tree(self.rule.when, on).holds | ~ordered[on.customer])
        except NotInColumns:
            return on

    def _tree(self, tree: Tree, events: Rows | None) -> Verdict:
        """Judge a tree over some events, or over all customers."""
        if tree.parts is None:
            return self._person(tree.leaf) if events is None else self._pasts.judged(tree.leaf, events)
        found = [self._tree(part, events) for part in tree.parts]
        if tree.none is not None:
            return Verdict(found[0].fails, found[0].holds)
        size = self.columns.customers if events is None else len(events.row)
        some, every = np.zeros(size, np.bool_), np.ones(size, np.bool_)
        if tree.any is None:
            return Verdict(
                reduce(np.logical_and, (one.holds for one in found), every),
                reduce(np.logical_or, (one.fails for one in found), some),
            )
        return Verdict(
            reduce(np.logical_or, (one.holds for one in found), some),
            reduce(np.logical_and, (one.fails for one in found), every),
        )

    def _person(self, leaf: object) -> Verdict:
        everybody = np.ones(self.columns.customers, np.bool_)
        match leaf:
            case Tag():
                found = self.columns.tagged(leaf.name)
                return Verdict(found, ~found)
            case Attributes():
                verdicts = [self._attribute(name, test) for name, test in leaf.asks.items()]
                holds = reduce(np.logical_and, (one.holds for one in verdicts), everybody)
                return Verdict(holds, reduce(np.logical_or, (one.fails for one in verdicts), ~everybody))
            case Score():
                return Verdict(everybody, ~everybody)
        raise NotInColumns(type(leaf).__name__.lower())

    def _attribute(self, name: str, test: Asked) -> Verdict:
        column = self.columns.attribute(name)
        fits = [test.fits(value) for value in column.values]
        return Verdict(
            np.array([fit is True for fit in fits], np.bool_)[column.codes],
            np.array([fit is False for fit in fits], np.bool_)[column.codes],
        )
