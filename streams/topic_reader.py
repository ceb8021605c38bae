"""Reading a topic once, from its beginning to the end it has now: only what was committed."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from kairos.ports import Record
from streams.consumed import as_record

__all__ = ["read_partition", "read_topic"]


async def read_partition(client: Mapping[str, object], topic: str, partition: int) -> list[Record]:
    """Give every committed record of one partition, in its order."""
    place = TopicPartition(topic, partition)
    reader = AIOKafkaConsumer(enable_auto_commit=False, isolation_level="read_committed", **client)
    await reader.start()
    try:
        reader.assign([place])
        end = (await reader.end_offsets([place]))[place]
        await reader.seek_to_beginning(place)
        found: list[Record] = []
        while await reader.position(place) < end:
            rows = await reader.getmany(place, timeout_ms=500)
            found += map(as_record, rows.get(place, ()))
        return found
    finally:
        await reader.stop()


async def read_topic(client: Mapping[str, object], topic: str) -> dict[int, list[Record]]:
    """Give every committed record of a topic, by partition."""
    reader = AIOKafkaConsumer(topic, enable_auto_commit=False, **client)
    await reader.start()
    try:
        numbers = sorted(reader.partitions_for_topic(topic) or ())
    finally:
        await reader.stop()
    return {number: await read_partition(client, topic, number) for number in numbers}
