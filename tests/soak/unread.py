"""Whether anything is left to do: records behind the last commit of a stage, or offers behind that of a delivery."""

import asyncio
import time
from contextlib import closing

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from streams.cluster import Cluster
from streams.delivery_clients import GATEWAYS, group_of
from streams.stages import STAGES
from tests.soak.house import House
from tests.soak.watch import PATIENCE, Place, Watch

TIMES, APART = 3, 1.2
"""How often nothing must be found, and how many seconds apart: a label becomes an example a second later."""


async def drained(house: House, watch: Watch) -> None:
    """Wait until all that was told has led to all that follows from it."""
    end, empty = time.monotonic() + PATIENCE, 0
    while empty < TIMES:
        left = await asyncio.to_thread(_unread, house, watch)
        empty = empty + 1 if not left else 0
        assert time.monotonic() < end, f"not drained after {PATIENCE:.0f} s: {left}"
        house.check()
        await asyncio.sleep(APART)


def _unread(house: House, watch: Watch) -> dict[Place, int]:
    covered = {**watch.covered, **_delivered(house.cluster)}
    topics = {topic for stage in STAGES.values() for topic in stage.inputs} | set(GATEWAYS.values())
    settings = {"isolation_level": "read_committed", "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    with closing(KafkaConsumer(**house.cluster.for_kafka_python(), **settings)) as consumer:
        places = [
            TopicPartition(topic, n) for topic in sorted(topics) for n in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, covered.get((place.topic, place.partition), 0))
        ends, left = consumer.end_offsets(places), dict[Place, int]()
        while any(consumer.position(place) < ends[place] for place in places):
            for place, rows in consumer.poll(timeout_ms=200).items():
                left[place.topic, place.partition] = left.get((place.topic, place.partition), 0) + len(rows)
        return left


def _delivered(cluster: Cluster) -> dict[Place, int]:
    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        found = admin.list_group_offsets({group_of(channel): None for channel in GATEWAYS})
    return {(place.topic, place.partition): at.offset for marks in found.values() for place, at in marks.items()}
