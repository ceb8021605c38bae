"""The guard of the state: a state that this code does not understand, or that was cut otherwise, is not worked on.

Every commit writes one record beside the state (`streams.store.Meta`): in which layout the state is, which release
wrote it, and over how many partitions the stage was spread. A worker reads it before it opens a partition. A partition
that has no state asks the others: a new one must not begin from nothing for customers whose state lies elsewhere.
"""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.connected import connected
from streams.store import META, Meta, restored

__all__ = ["StateRefused", "recorded", "refuse"]

_WAIT = 10
_LOOKS = (20, 2_000, 200_000)
"""How far from its end a changelog is looked through: its last record is the one we want, but for aborted commits."""


class StateRefused(Exception):
    """The state is not for this worker; the message says why and what to do."""


def refuse(place: str, meta: Meta, layout: int, build: str, partitions: int) -> None:
    """Refuse a state of a newer layout, or one made over another number of partitions.

    Parameters
    ----------
    place
        Whose state it is: stage and partition number.
    meta
        What was recorded with the state.
    layout, build
        The newest layout that this worker reads, and its release.
    partitions
        How many partitions there are now.

    Raises
    ------
    StateRefused
        It is one of the two.

    Examples
    --------
    >>> refuse("ledger/0", Meta(version=1, partitions=2), layout=1, build="0.1.0", partitions=2)
    >>> refuse("ledger/0", Meta(version=1, partitions=2), layout=1, build="0.1.0", partitions=4)
    Traceback (most recent call last):
    streams.state_guard.StateRefused: ledger/0: the state was made over 2 partitions, now there are 4: ...

    """
    if meta.version > layout:
        raise StateRefused(
            f"{place}: the state has layout {meta.version}, written by Kairos {meta.build}; this is Kairos {build}, "
            f"which reads up to layout {layout}. Run the newer release, or another one that reads layout {meta.version}"
        )
    if meta.partitions not in (0, partitions):
        raise StateRefused(
            f"{place}: the state was made over {meta.partitions} partitions, now there are {partitions}: keys would be "
            "looked for where their state is not. Kafka cannot take partitions back; replay into new topics, see "
            '"Another number of partitions" in docs/operations.md'
        )


async def recorded(client: Mapping[str, object], topic: str) -> dict[int, Meta]:
    """Read what each partition of a changelog says of its state; a partition that never had a commit is left out.

    Parameters
    ----------
    client
        Servers and security.
    topic
        The changelog.

    """
    # Named here and never subscribed to: only so does the client ask for this topic's partitions.
    reader = AIOKafkaConsumer(
        topic,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        # One partition is looked at after the other, and Kafka lets a fetch wait at the ends of all.
        fetch_max_wait_ms=_WAIT,
        **client,
    )
    async with connected(reader):
        places = [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]
        if not places:
            return {}
        begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
        found: dict[int, Meta] = {}
        for place in places:
            packed = await _newest(reader, place, begins[place], ends[place])
            if packed is not None:
                found[place.partition] = restored(packed)
        return found


async def _newest(reader: AIOKafkaConsumer, place: TopicPartition, begin: int, end: int) -> bytes | None:
    for look in (*_LOOKS, end - begin):
        start, found = max(begin, end - look), None
        reader.seek(place, start)
        while await reader.position(place) < end:
            rows = (await reader.getmany(place, timeout_ms=200)).get(place, [])
            found = next((row.value for row in reversed(rows) if row.key == META), found)
        if found is not None or start == begin:
            return found
    return None
