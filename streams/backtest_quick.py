"""The quick backtest: only the customers whom a rule may meet are lived through; for all others time just passes.

The same decisions as record by record, for nothing else of those customers is shared with anybody: the clock, event
time and what is due between two records are moved on exactly, and the offsets are counted.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from kairos.instants import Millis
from kairos.ports import Output, Record
from rules.met import Flags, Numbers
from streams.backtest_log import TOPICS, Arrays
from streams.backtest_time import Times
from streams.deadlines import NEVER
from streams.replay import Replay

__all__ = ["Quick"]

_EVERY: Final = 2_000


class Quick:
    """One run over a log in arrays.

    Parameters
    ----------
    replay
        As it is before the first record.
    arrays
        The log, see `streams.backtest_log`.
    met
        The customers who are lived through.

    """

    def __init__(self, replay: Replay, arrays: Arrays, met: Flags) -> None:
        self._replay, self._times = replay, Times.of(arrays)
        self._at, self._topic = arrays["log/at"], arrays["log/topic"]
        customer = arrays["log/customer"]
        # What the door refuses is never of anybody, and what is forgotten has no time.
        chosen = met[customer] & (customer >= 0) if len(met) else np.zeros(len(customer), np.bool_)
        self.places: Numbers = np.flatnonzero(chosen)
        self.lines: Numbers = arrays["log/line"][self.places]
        self._offsets = _offsets(self._topic)

    def run(self, records: Iterator[Record], progress: Callable[[int], None] | None = None) -> Iterator[Output]:
        """Take the records at `places`, and give every record that a stage writes for their customers."""
        begin = 0
        for count, (place, record) in enumerate(zip(self.places.tolist(), records, strict=True)):
            yield from self._pass(begin, place)
            self._replay.number(record.topic, int(self._offsets[place]))
            yield from self._replay.take(record)
            begin = place + 1
            if progress is not None and count % _EVERY == 0:
                progress(place)
        yield from self._pass(begin, len(self._at))
        yield from self._replay.rest()

    def _pass(self, begin: int, end: int) -> Iterator[Output]:
        """Let time pass from one place to another, and stop wherever something is due."""
        while begin < end:
            place = self._next(begin, end)
            if place > begin:
                self._replay.jump(int(self._times.clock[place - 1]), self._times.after(place - 1))
            if place == end:
                return
            yield from self._replay.pass_over(int(self._times.clock[place]), self._heard(place))
            begin = place + 1

    def _next(self, begin: int, end: int) -> int:
        timer, deadline = self._replay.first_due()
        place = end if timer == NEVER else self._times.first_at(timer, begin, end)
        if deadline <= self._replay.mark:
            return begin
        return place if deadline == NEVER else self._times.first_mark(deadline, begin, place)

    def _heard(self, place: int) -> dict[str, Millis]:
        at = int(self._at[place])
        return {TOPICS[self._topic[place]]: at} if at >= 0 else {}


def _offsets(topic: Sequence[int] | Numbers) -> Numbers:
    """Give each record's place among those of its topic.

    Examples
    --------
    >>> _offsets(np.array([0, 1, 0, 0, 1])).tolist()
    [0, 0, 1, 2, 1]

    """
    found = np.zeros(len(topic), np.int64)
    for number in range(len(TOPICS)):
        mine = np.asarray(topic) == number
        found[mine] = np.arange(int(mine.sum()))
    return found
