"""Reading topics once, from their beginning to the end they have now: only what was committed."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from kairos.ports import Record
from streams.consumed import as_record

__all__ = ["read_topic"]


async def read_topic(client: Mapping[str, object], topic: str) -> dict[int, list[Record]]:
    """Give every committed record of a topic, by partition, each in its order."""
    # Named here and never subscribed to: only so does the client ask for this topic's partitions.
    reader = AIOKafkaConsumer(
        topic,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 * 1024 * 1024,
        **client,
    )
    await reader.start()
    try:
        places = [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]
        return await _read(reader, places)
    finally:
        await reader.stop()


async def _read(reader: AIOKafkaConsumer, places: list[TopicPartition]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {place.partition: [] for place in places}
    if not places:
        return found
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    for place, begin in begins.items():
        reader.seek(place, begin)
    while [place for place in places if await reader.position(place) < ends[place]]:
        for place, rows in (await reader.getmany(*places, timeout_ms=100)).items():
            found[place.partition] += [as_record(row) for row in rows if row.offset < ends[place]]
    return found
