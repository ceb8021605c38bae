"""Abreast: topics that tell of the same customers are read side by side in event time, however long their backlogs.

A topic is not read further than a bound ahead of the slowest other one in which something lies unread. One that was
read to its end holds nobody: what is not there cannot be overtaken.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Protocol

from kairos.instants import Millis, instant_of
from kairos.wire import AHEAD

__all__ = ["Abreast", "time_of"]

Headers = Iterable[tuple[str, bytes]]


class Dated(Protocol):
    """A record with CloudEvents headers."""

    @property
    def headers(self) -> Headers:
        """Its headers."""
        ...


def time_of(headers: Headers) -> Millis | None:
    """Give the time that an event tells of itself, or None where it tells none.

    Examples
    --------
    >>> time_of([("ce_time", b"1970-01-01T00:00:01Z")]), time_of([("ce_time", b"noon")])
    (1000, None)

    """
    for name, value in headers:
        if name == "ce_time":
            return _time_of(value)
    return None


def _time_of(text: bytes) -> Millis | None:
    try:
        return instant_of(text)
    except (ValueError, OverflowError, OSError):
        return None


class Abreast:
    """How far each of some topics was read, in event time, since the partition was opened.

    Parameters
    ----------
    topics
        Those that are kept side by side; all others pass.
    bound
        How far one may be ahead.

    """

    def __init__(self, topics: Set[str], bound: Millis) -> None:
        self._topics, self._bound = topics, bound
        self._newest: dict[str, Millis] = {}

    def begin(self) -> None:
        """Forget how far the topics were read: somebody else may have read on in between."""
        self._newest.clear()

    def allowed(self, hand: Mapping[str, Sequence[Dated]], drained: Set[str], now: Millis) -> dict[str, int]:
        """Tell how many of the records in hand may be taken now, from the beginning of each topic's row.

        All of them where no backlog is further ahead than the bound: small steps would cost a commit each. The slowest
        topic that has some in hand may always go on. Within a topic the order is Kafka's: a record that
        is further ahead than those behind it waits with them.

        Parameters
        ----------
        hand
            The records in hand by topic, none of the rows empty.
        drained
            The topics that have nothing unread beside what is in hand.
        now
            Processing time; a record too far ahead of it is a dead letter, and tells no time.

        """
        reach = {topic: _reach(hand[topic], now) for topic in self._topics & hand.keys()}
        counts: dict[str, int] = {}
        for topic, rows in hand.items():
            limit = self._limit(topic, reach, drained) if topic in self._topics else None
            counts[topic] = len(rows) if limit is None else _up_to(rows, limit, now)
        for topic in reach:
            last = _first(hand[topic][: counts[topic]][::-1], now)
            if last is not None:
                self._newest[topic] = max(last, self._newest.get(topic, 0))
        return counts

    def _limit(self, topic: str, reach: Mapping[str, Millis | None], drained: Set[str]) -> Millis | None:
        others = [one for one in self._topics if one != topic and (one in reach or one not in drained)]
        # What is in hand of another topic is taken with it, in the order of its time: only what lies behind that can be
        # overtaken. Of one that has told no time yet, the first record may be as old as any.
        places = [max(self._newest.get(other, 0), reach.get(other) or 0) for other in others]
        return min(places) + self._bound if places else None


def _reach(rows: Sequence[Dated], now: Millis) -> Millis | None:
    """Tell how far the records in hand come, or None where they tell no time."""
    ends = [at for at in (_first(rows, now), _first(rows[::-1], now)) if at is not None]
    return max(ends, default=None)


def _first(rows: Sequence[Dated], now: Millis) -> Millis | None:
    return next((at for row in rows if (at := _time(row, now)) is not None), None)


def _time(row: Dated, now: Millis) -> Millis | None:
    at = time_of(row.headers)
    return None if at is None or at > now + AHEAD else at


def _up_to(rows: Sequence[Dated], limit: Millis, now: Millis) -> int:
    if (_time(rows[-1], now) or 0) <= limit and (_time(rows[0], now) or 0) <= limit:
        return len(rows)
    for count, row in enumerate(rows):
        if (_time(row, now) or 0) > limit:
            return count
    return len(rows)
