"""Event time: up to which instant a partition has heard everything, so that "nothing came" may be said.

A topic tells it by its newest event. One that was read to its end and brought nothing for 30 seconds counts as `now`,
for nobody may be writing to it. One that was read to its end and is busy is never further behind than `HELD`: a writer
whose clock stands still, or whose records are hours old when they come, does not stop the others longer than that. A
topic in which something lies unread holds the others, however long it takes: what would be missed is there.
"""

from collections.abc import Iterable, Mapping, Set

import msgspec

from kairos.instants import MINUTE, SECOND, Millis
from kairos.ports import Store

__all__ = ["HELD", "IDLE", "EventTime", "TopicTime", "advanced", "keep", "kept"]

IDLE: Millis = 30 * SECOND
"""How long nothing must have come from a topic that was read to its end before it counts as `now`."""
HELD: Millis = 2 * MINUTE
"""How far a topic that was read to its end may hold event time behind processing time."""
_KIND = "w"
"""The kind of the record in the customers' store; it has no owner."""


class TopicTime(msgspec.Struct, array_like=True, frozen=True):
    """What is known of one topic: its newest event, and when it last brought one or had something unread."""

    newest: Millis = 0
    busy: Millis = 0


class EventTime(msgspec.Struct, array_like=True, frozen=True):
    """The watermark of a partition, and what it follows from."""

    version: int = 1
    mark: Millis = 0
    topics: dict[str, TopicTime] = msgspec.field(default_factory=dict)


_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode = msgspec.msgpack.Decoder(EventTime).decode


def advanced(
    before: EventTime, topics: Iterable[str], heard: Mapping[str, Millis], drained: Set[str], now: Millis, late: Millis
) -> EventTime:
    """Move event time on by what one batch brought; it never goes back.

    Parameters
    ----------
    before
        Event time as the last commit left it.
    topics
        All topics that have a say.
    heard
        The newest event of each topic that brought one.
    drained
        The topics in which nothing was left unread.
    now
        Processing time.
    late
        How much later than its neighbours a record may come.

    Examples
    --------
    >>> cards, pages = "cards", "pages"
    >>> both = frozenset({cards, pages})
    >>> first = advanced(EventTime(), both, {cards: 900_000, pages: 880_000}, both, 900_000, 5_000)
    >>> first.mark
    875000
    >>> advanced(first, both, {cards: 929_000}, both, 929_000, 5_000).mark
    875000
    >>> advanced(first, both, {cards: 930_000}, both, 930_000, 5_000).mark
    925000

    """
    found: dict[str, TopicTime] = {}
    reached: list[Millis] = []
    for topic in topics:
        last, is_drained = before.topics.get(topic), topic in drained
        if last is None or topic in heard or not is_drained:
            newest = max(heard.get(topic, 0), last.newest if last else 0)
            last = TopicTime(newest, now)
        found[topic] = last
        reached.append(_reached(last, is_drained, now))
    return EventTime(mark=max(before.mark, min(reached, default=now) - late), topics=found)


def _reached(last: TopicTime, is_drained: bool, now: Millis) -> Millis:
    # Of most topics nothing came for a while: they are asked no more.
    if is_drained and now - last.busy >= IDLE:
        return now
    newest = min(last.newest, now)
    return max(newest, now - HELD) if is_drained else newest


def kept(store: Store) -> EventTime:
    """Read event time as the last commit left it."""
    packed = store.get(b"", _KIND)
    return EventTime() if packed is None else _decode(packed)


def keep(store: Store, time: EventTime) -> None:
    """Write it."""
    store.put(b"", _KIND, b"", _encode(time))
