"""Skips: places that somebody decided to pass by, because the step fails on the record that lies there.

A skip is no filter. The step is always tried first; only where it raises, and on exactly the record that was named,
the batch goes on without it. So a skip that stays in a start script can never cost a record that the step takes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from kairos.instants import Millis
from kairos.ports import Output, Record
from kairos.wire import BadRecord
from streams.dead_letters import Place, dead_letter
from streams.journal import Skipped

__all__ = ["Skip", "Skips", "letters", "without"]

log = structlog.get_logger(__name__)

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Skip:
    """A record to be passed by, and the words of whoever decided it: who, and why."""

    place: Place
    reason: str


class Skips:
    """What becomes of the skips that one stage was given; each is told of once, whatever came of it.

    Parameters
    ----------
    stage
        The stage's name.
    asked
        The skips of its topics.

    """

    def __init__(self, stage: str, asked: Iterable[Skip]) -> None:
        self._stage = stage
        self._waiting = {skip.place: skip.reason for skip in asked}

    def opened(self, partition: int, next_: Mapping[str, int]) -> None:
        """Tell which skips a partition has behind it, and which it has before it; `next_` is where it goes on."""
        for place in self._of(partition):
            begin = next_.get(place.topic, 0)
            if place.offset < begin:
                self._done(place, "passed already, nothing is skipped", next=begin)
            else:
                log.info("skip waits for its record", stage=self._stage, place=str(place), next=begin)

    def skipped(self, record: Record, error: str) -> Skipped | None:
        """Give the skip of a record on which the step raised, or None: nobody asked for it."""
        reason = self._waiting.get(Place(record.topic, record.partition, record.offset))
        if reason is None:
            return None
        why = f"{error}; skipped: {reason[:_LONGEST]}"
        return Skipped(record.topic, record.offset, why)

    def committed(self, partition: int, next_: Mapping[str, int], skipped: Sequence[Skipped]) -> None:
        """Tell what the commit that ended here passed by, and which skips it had no use for."""
        gone = {(one.topic, one.offset): one.why for one in skipped}
        for place in self._of(partition):
            if (why := gone.get((place.topic, place.offset))) is not None:
                self._done(place, why)
            elif place.offset < next_.get(place.topic, 0):
                self._done(place, "no record lies there, or the step takes it: nothing is skipped")

    def end(self) -> None:
        """Tell which skips were never reached."""
        for place in list(self._waiting):
            self._done(place, "never reached, nothing is skipped")

    def _of(self, partition: int) -> list[Place]:
        return [place for place in self._waiting if place.partition == partition]

    def _done(self, place: Place, why: str, **more: int) -> None:
        del self._waiting[place]
        log.warning("skip", stage=self._stage, place=str(place), why=why, **more)


def without(records: Sequence[Record], skipped: Sequence[Skipped]) -> list[Record]:
    """Give the records without those that were skipped."""
    gone = {(one.topic, one.offset) for one in skipped}
    return [record for record in records if (record.topic, record.offset) not in gone]


def letters(records: Sequence[Record], skipped: Sequence[Skipped], stage: str, now: Millis) -> list[Output]:
    """Write the dead letter of each record that was skipped."""
    found = {(record.topic, record.offset): record for record in records}
    return [dead_letter(found[one.topic, one.offset], stage, BadRecord("skipped", one.why), now) for one in skipped]
