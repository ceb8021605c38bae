"""Reading topics once, from their beginning to the end they have now: only what was committed."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, TopicPartition

from kairos.instants import Millis
from kairos.ports import Record
from streams.connected import connected
from streams.consumed import as_record
from streams.topics import partition_of
from streams.topics_declare import refuse_missing

__all__ = ["Tell", "nobody", "read_piecewise", "read_topic"]

Tell = Callable[[int, int], None]
"""Is told how many places were read, and how many there are."""
_FETCHED = 8 * 1024 * 1024


def nobody(_read: int, _all: int) -> None:
    """Hear it and do nothing."""


async def read_topic(client: Mapping[str, object], topic: str) -> dict[int, list[Record]]:
    """Give every committed record of a topic, by partition, each in its order."""
    found: dict[int, list[Record]] = {}
    async with aclosing(read_piecewise(client, topic)) as pieces:
        async for partition, records in pieces:
            found.setdefault(partition, []).extend(records)
    return found


async def read_piecewise(
    client: Mapping[str, object],
    topic: str,
    since: Millis = 0,
    tell: Tell = nobody,
    only: str | int | None = None,
) -> AsyncGenerator[tuple[int, list[Record]]]:
    """Give the committed records of a topic piece by piece, each partition's in their order; close it when done.

    Parameters
    ----------
    client
        Servers and security.
    topic
        Which topic. Each of its partitions is given at least once, though it be empty.
    since
        Leave out what Kafka took in before this instant.
    tell
        Whom to tell how far it is.
    only
        Read one partition: that of this number, or the one in which the records of this key lie.

    Raises
    ------
    TopicError
        Nobody declared the topic.

    """
    reader = AIOKafkaConsumer(
        enable_auto_commit=False, isolation_level="read_committed", max_partition_fetch_bytes=_FETCHED, **client
    )
    async with connected(reader):
        # A client waits most of a minute for a topic that is named to it, in case somebody makes it.
        refuse_missing([topic], await reader.topics())
        places = await _places(reader, topic, only)
        for place in places:
            yield place.partition, []
        begins, ends = await _begins(reader, places, since), await reader.end_offsets(places)
        reader.assign(places)
        async for piece in _pieces(reader, begins, ends, tell):
            yield piece


async def _places(reader: AIOKafkaConsumer, topic: str, only: str | int | None) -> list[TopicPartition]:
    if isinstance(only, int):
        return [TopicPartition(topic, only)]
    # Only a client that was asked for a partition of a topic knows how many there are.
    await reader.beginning_offsets([TopicPartition(topic, 0)])
    count = len(reader.partitions_for_topic(topic) or ())
    numbers = range(count) if only is None else [partition_of(only.encode(), count)]
    return [TopicPartition(topic, number) for number in numbers]


async def _begins(reader: AIOKafkaConsumer, places: list[TopicPartition], since: Millis) -> dict[TopicPartition, int]:
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    if not since:
        return begins
    found = await reader.offsets_for_times(dict.fromkeys(places, since))
    # Where nothing is as young as that, there is nothing to read.
    return {place: at.offset if (at := found.get(place)) else ends[place] for place in places}


async def _pieces(
    reader: AIOKafkaConsumer, begins: dict[TopicPartition, int], ends: dict[TopicPartition, int], tell: Tell
) -> AsyncGenerator[tuple[int, list[Record]]]:
    places = list(begins)
    for place, begin in begins.items():
        reader.seek(place, begin)
    to_read = sum(max(0, ends[place] - begins[place]) for place in places)
    while [place for place in places if await reader.position(place) < ends[place]]:
        for place, rows in (await reader.getmany(*places, timeout_ms=100)).items():
            yield place.partition, [as_record(row) for row in rows if row.offset < ends[place]]
        read = sum([min(await reader.position(place), ends[place]) - begins[place] for place in places])
        tell(max(0, min(read, to_read)), to_read)
