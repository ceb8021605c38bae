"""What was taken before is read again on a real Kafka: side by side, no further than the live work, over gaps."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition

from streams.cluster import Cluster
from streams.rereading import Portion, Rereading
from streams.spec import Running

pytestmark = pytest.mark.kafka


async def produced(cluster: Cluster, *records: tuple[str, int]) -> None:
    """Write records, each to a topic at a time."""
    producer = AIOKafkaProducer(**cluster.for_aiokafka())
    await producer.start()
    try:
        for topic, at in records:
            await producer.send_and_wait(topic, b"%d" % at, partition=0, timestamp_ms=at)
    finally:
        await producer.stop()


async def portions(reading: Rereading, wanted: dict[str, int | None], live: dict[str, int]) -> list[Portion]:
    """Read until the live work is reached, the state keeping each place as a commit does."""
    found: list[Portion] = []
    async with asyncio.timeout(60):
        while not (found and found[-1].again.reached):
            portion = await reading.take(wanted, live)
            if portion is None:
                await asyncio.sleep(0.02)
                continue
            found.append(portion)
            wanted |= {topic: end for topic, (_, end) in portion.again.ranges.items()}
    return found


def running(cluster: Cluster, most: int) -> Running:
    return Running(Path(), most_records=most, client=cluster.for_aiokafka())


async def test_topics_are_read_side_by_side_in_the_order_of_arrival_and_no_further_than_the_live_work(
    cluster: Cluster, new_topic: Callable[..., str]
) -> None:
    few, many = new_topic(), new_topic()
    # Ten of the one between two of the other, and what the live work has not taken yet.
    story = [(few if at % 11 == 0 else many, at) for at in range(1, 67)]
    await produced(cluster, *story)
    live = {few: 5, many: 57}
    reading = Rereading("test", 0, running(cluster, 4))
    try:
        found = await portions(reading, {few: None, many: None}, live)
    finally:
        await reading.close()

    told = [sorted(record.at for record in portion.records) for portion in found]
    assert [at for portion in told for at in portion] == [
        at for topic, at in story if at <= 55 or (topic == many and at <= 62)
    ]
    assert len(found) > 10
    for topic, end in live.items():
        ranges = [portion.again.ranges[topic] for portion in found if topic in portion.again.ranges]
        assert [start for start, _ in ranges] == [0, *(until for _, until in ranges[:-1])]
        assert ranges[-1][1] == end


async def test_what_a_topic_let_go_of_is_passed_over_and_the_gap_is_told(
    cluster: Cluster, new_topic: Callable[..., str]
) -> None:
    topic = new_topic()
    await produced(cluster, *((topic, at) for at in range(1, 31)))
    reading = Rereading("test", 0, running(cluster, 5))
    try:
        wanted: dict[str, int | None] = {topic: None}
        async with asyncio.timeout(60):
            while (first := await reading.take(wanted, {topic: 30})) is None:
                await asyncio.sleep(0.02)
        wanted |= {topic: first.again.ranges[topic][1]}
        # Another owner goes on from the state, and what comes next in it is gone.
        await reading.close()
        await asyncio.to_thread(_delete_before, cluster, topic, 20)
        rest = await portions(reading, wanted, {topic: 30})
    finally:
        await reading.close()

    assert first.again.ranges == {topic: (0, 5)}
    assert rest[0].again.ranges[topic][0] == 20
    assert [record.offset for portion in rest for record in portion.records] == list(range(20, 30))


def _delete_before(cluster: Cluster, topic: str, offset: int) -> None:
    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        admin.delete_records({TopicPartition(topic, 0): offset})  # type: ignore[attr-defined]  # no stub
