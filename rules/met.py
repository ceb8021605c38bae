"""Met: the events of a log that a selector meets, all of them at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kairos.instants import MINUTE, SECOND, Millis
from rules.asked import Asked
from rules.columns import Columns
from rules.moments import Clock, local
from rules.selectors import Selector

__all__ = ["QUARTER", "Flags", "Met", "Numbers", "Rows", "key"]

_SECONDS: Final = 33
"""How many bits the second takes beside the customer's number in one sorted key."""
QUARTER: Final = 15 * MINUTE
"""Zones have changed by quarters of an hour at the least, and on such a quarter: inside one, local time just runs."""

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


def key(customer: Numbers, second: Numbers) -> Numbers:
    """Give customer and second in one number that sorts as both."""
    return (customer << _SECONDS) + second


@dataclass(frozen=True, slots=True)
class Rows:
    """Events of one type, by customer, time and arrival.

    Parameters
    ----------
    place
        Where they stand in the table of their type.
    row
        Where they stand among the events of all types: what has a smaller one of a customer happened before.
    customer, at
        Whose they are, and when they happened.

    """

    place: Numbers
    row: Numbers
    customer: Numbers
    at: Numbers

    @property
    def keys(self) -> Numbers:
        """Customer and second in one sorted number."""
        return key(self.customer, self.at // SECOND)

    def where(self, chosen: Flags) -> "Rows":
        """Give some of them."""
        return Rows(self.place[chosen], self.row[chosen], self.customer[chosen], self.at[chosen])


@dataclass(slots=True)
class Met:
    """What selectors meet in a log; each is asked once."""

    columns: Columns
    _found: dict[str, Rows] = field(default_factory=dict)

    def by(self, selector: Selector) -> Rows:
        """Give the events that a selector meets."""
        if selector.key not in self._found:
            table = self.columns.table(selector.event)
            rows = Rows(np.arange(len(table.row)), table.row, table.customer.astype(np.int64), table.at)
            tests = [self._fits(selector, name, test) for name, test in selector.where.items()]
            self._found[selector.key] = rows.where(reduce(np.logical_and, tests)) if tests else rows
        return self._found[selector.key]

    def codes(self, selector: Selector, name: str, codes: Mapping[object, int]) -> Numbers:
        """Give what a field of these events says, as numbers; -1 where it says nothing that has one."""
        return self.said(selector, name, codes, self.by(selector))

    def said(self, selector: Selector, name: str, codes: Mapping[object, int], rows: Rows) -> Numbers:
        """Give the same of some of them."""
        column = self.columns.field(selector.event, name)
        known = np.array([codes.get(value, -1) for value in column.values], np.int64)
        return known[column.codes[rows.place]]

    def values(self, selector: Selector, name: str) -> tuple[object, ...]:
        """Give every value that a field has."""
        return self.columns.field(selector.event, name).values

    def _fits(self, selector: Selector, name: str, test: Asked) -> Flags:
        if isinstance(test, Clock):
            return _clock(test, self.columns.table(selector.event).at)
        column = self.columns.field(selector.event, name)
        fits: Any = [test.fits(value) is True for value in column.values]
        return np.array(fits, np.bool_)[column.codes]


def _clock(test: Clock, at: Numbers) -> Flags:
    """Ask a test of the moment once for each minute of the week in which something happened."""
    quarters, place = np.unique(at // QUARTER, return_inverse=True)
    begun = np.array(
        [day * 1440 + minute for minute, day in (local(q * QUARTER, test.zone) for q in quarters.tolist())]
    )
    minutes, again = np.unique(begun[place] + at % QUARTER // MINUTE, return_inverse=True)
    fits = [_fits_minute(test, minute) for minute in minutes.tolist()]
    return np.array(fits, np.bool_)[again]


def _minute(at: Millis, zone: str) -> int:
    """Give the minute of the week."""
    minute, day = local(at, zone)
    return day * 1440 + minute


def _fits_minute(test: Clock, minute: int) -> bool:
    in_utc = test.model_copy(update={"zone": "UTC"})
    # 1970 began on a Thursday, the fourth day of a week.
    return in_utc.fits((minute - 3 * 1440) % (7 * 1440) * MINUTE) is True
