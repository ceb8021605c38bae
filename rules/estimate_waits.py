"""Waits, judged for a whole log at once: at which deadlines of a rule that waits nothing had come."""

from typing import NamedTuple

import numpy as np

from rules.absences import MOST
from rules.conditions.absent import Absent
from rules.estimate_groups import BITS, are_few, groups_of
from rules.met import Met, Numbers, Rows
from rules.selectors import Selector

__all__ = ["TooMany", "waited"]


_ROWS = ("place", "row", "customer", "at")


class TooMany(Exception):
    """The waits of this log cannot be told at once: somebody waits for more than the engine lets, or it is too long."""


class _Told(NamedTuple):
    """Events by group and time: of one customer and, where the rule asks for that, with the same values.

    Times count from the log's first event.
    """

    group: Numbers
    customer: Numbers
    row: Numbers
    at: Numbers

    def key(self, of: Numbers) -> Numbers:
        """Give the group and a time or row of each in one number that sorts as both."""
        return (self.group << BITS) + of


def waited(absent: Absent, on: Selector, begun: Rows, met: Met) -> tuple[Numbers, Numbers]:
    """Find the waits that are over with nothing come, of some matches by `on`: whose, and when; by customer and time.

    Raises
    ------
    TooMany
        They must be replayed.

    """
    armed, came = _told(absent, on, begun, met)
    due = armed.at + absent.for_
    # The first that came after the beginning ends the wait, up to and with its last millisecond.
    place = np.searchsorted(came.key(came.at), armed.key(armed.at), "right")
    is_met = (_of(came.group, place) == armed.group) & (_of(came.at, place) <= due)
    until = np.where(is_met, _of(came.at, place), due)
    if absent.rearm == "restart":
        again = np.searchsorted(armed.key(armed.at), armed.key(armed.at), "right")
        is_moved = (_of(armed.group, again) == armed.group) & (_of(armed.at, again) <= until)
        until = np.where(is_moved, _of(armed.at, again), until)
        begins = np.flatnonzero(np.diff(armed.key(armed.at), prepend=-1))
    else:
        is_moved = np.zeros(len(due), np.bool_)
        behind = np.searchsorted(armed.key(armed.at), armed.key(due), "right")
        # Who looks again in the very event that ended the wait, or after it, waits anew.
        anew = np.searchsorted(armed.key(armed.row), armed.key(_of(came.row, place)), "left")
        begins = _one_after_another(np.where(is_met, anew, behind))
    customer = armed.customer[begins]
    _all_at_once(customer, armed.at[begins], until[begins])
    ends = until[begins] + met.columns.first
    left = ~(is_met | is_moved)[begins] & (ends <= np.minimum(met.columns.last, met.columns.gone[customer]))
    order = np.lexsort((ends[left], customer[left]))
    return customer[left][order], ends[left][order]


def _told(absent: Absent, on: Selector, begun: Rows, met: Met) -> tuple[_Told, _Told]:
    """Give what begins waits, and what may end them."""
    asked = np.zeros(met.columns.customers, np.bool_)
    asked[begun.customer] = True
    ends = [(one.selector, met.by(one.selector)) for one in absent.endings]
    events = [(on, begun), *((selector, rows.where(asked[rows.customer])) for selector, rows in ends)]
    found = groups_of(events, absent.same, met)
    longest = met.columns.last - met.columns.first + absent.for_
    if longest >> BITS or not all(are_few(group) for group, _ in found):
        raise TooMany
    first, *others = (
        (rows.where(is_said), group[is_said]) for (_, rows), (group, is_said) in zip(events, found, strict=True)
    )
    came = Rows(*(np.concatenate([getattr(rows, name) for rows, _ in others]) for name in _ROWS))
    return (
        _sorted(*first, met.columns.first),
        _sorted(came, np.concatenate([group for _, group in others]), met.columns.first),
    )


def _sorted(rows: Rows, group: Numbers, first: int) -> _Told:
    order = np.argsort((group << BITS) + rows.row)
    return _Told(group[order], rows.customer[order], rows.row[order], rows.at[order] - first)


def _of(values: Numbers, place: Numbers) -> Numbers:
    """Give the values at some places; -1 behind the last one."""
    return np.append(values, -1)[place]


def _one_after_another(following: Numbers) -> Numbers:
    """Give the places that are come to from the first one on, each telling the next."""
    begins, place = np.ones(len(following), np.bool_), 0
    # Most tell the place behind their own; only those that pass others over are gone through.
    passing = np.flatnonzero(following > np.arange(1, len(following) + 1))
    for one, behind in zip(passing.tolist(), following[passing].tolist(), strict=True):
        if one >= place:
            begins[one + 1 : behind] = False
            place = behind
    return np.flatnonzero(begins)


def _all_at_once(customer: Numbers, at: Numbers, until: Numbers) -> None:
    """Refuse what the engine would not let wait: more than so many at a time for one customer."""
    begun = np.sort((customer << BITS) + at)
    ended = np.sort((customer << BITS) + until)
    open_ = np.arange(1, len(begun) + 1) - np.searchsorted(ended, begun, "left")
    if open_.max(initial=0) > MOST:
        raise TooMany
