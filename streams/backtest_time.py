"""Event time over a whole log at once: where the watermark stands after each record, as the customers' stage moves it.

What `streams.watermark` does with one batch after the other is done here in arrays, so that the time which passes by
records that lead to nothing need not be computed one by one.
"""

from dataclasses import dataclass
from itertools import starmap
from typing import Final

import numpy as np

from kairos.instants import Millis
from kairos.ports import LATENESS
from rules.met import Flags, Numbers
from streams.backtest_log import TOPICS, Arrays
from streams.watermark import HELD, IDLE, EventTime, TopicTime

__all__ = ["Times"]

_CHUNK: Final = 4_096


@dataclass(frozen=True, slots=True)
class Times:
    """The clock and event time after each record.

    Parameters
    ----------
    clock
        Processing time.
    newest, busy
        By topic: the newest event, and when the last one came.
    mark
        The watermark, as far as events moved it.

    """

    clock: Numbers
    newest: Numbers
    busy: Numbers
    mark: Numbers

    @classmethod
    def of(cls, arrays: Arrays) -> "Times":
        """Compute them for a log."""
        clock, at, topic = arrays["log/clock"], arrays["log/at"], arrays["log/topic"]
        heard = [(topic == number) & (at >= 0) for number in range(len(TOPICS))]
        newest = np.array([np.maximum.accumulate(np.where(one, at, 0)) for one in heard])
        # What brought nothing yet was busy at the first record: then it was first looked at.
        busy = np.array([np.maximum.accumulate(np.where(one, clock, clock[:1])) for one in heard])
        mark = _reached(newest, busy, clock) - LATENESS
        kept = np.logical_or.reduce(heard)
        kept[:1] = True
        return cls(clock, newest, busy, np.maximum.accumulate(np.where(kept, np.maximum(mark, 0), 0)))

    def after(self, place: int) -> EventTime:
        """Give event time as it is kept after a record."""
        told = zip(self.newest[:, place].tolist(), self.busy[:, place].tolist(), strict=True)
        return EventTime(mark=int(self.mark[place]), topics=dict(zip(TOPICS, starmap(TopicTime, told), strict=True)))

    def first_at(self, moment: Millis, start: int, end: int) -> int:
        """Give the first of some records after which the clock says this moment or a later one; `end` if none does."""
        if start >= end or self.clock[end - 1] < moment:
            return end
        return start + int(np.searchsorted(self.clock[start:end], moment))

    def first_mark(self, due: Millis, start: int, end: int) -> int:
        """Give the first of some records by which, or before which, a deadline of event time is reached."""
        place = self.first_at(due + LATENESS, start, end)
        while place < end:
            last = min(end, place + _CHUNK)
            found = np.flatnonzero(self._marks(due, place, last))
            if len(found):
                return place + int(found[0])
            place = last
        return end

    def _marks(self, due: Millis, start: int, end: int) -> Flags:
        """Tell whether a record itself reaches the deadline, or one of the two looks that a replay takes before it."""
        here, before = slice(start, end), slice(max(0, start - 1), end - 1)
        found: Flags = self.mark[here] >= due
        if start == 0:
            return found
        first = np.maximum(self.clock[before], due + LATENESS)
        second = np.maximum(first, due + LATENESS + IDLE)
        for look, latest in ((first, due + LATENESS), (second, due + LATENESS + IDLE)):
            reached = _reached(self.newest[:, before], self.busy[:, before], look) - LATENESS >= due
            found |= reached & (self.clock[here] > latest)
        return found


def _reached(newest: Numbers, busy: Numbers, now: Numbers) -> Numbers:
    """Give up to which instant all topics were heard, see `streams.watermark`."""
    late = np.maximum(np.minimum(newest, now), now - HELD)
    found: Numbers = np.where(now - busy >= IDLE, now, late).min(axis=0)
    return found
