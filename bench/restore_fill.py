"""A changelog as a stage leaves it: every customer's records in no order of their keys, a commit every few thousand."""

import asyncio
from random import Random

from aiokafka import AIOKafkaProducer

from bench import warm
from bench.place import contents_of
from bench.workload import PARTITIONS
from kairos.instants import Millis
from streams import clock
from streams.cluster import Cluster
from streams.commit import Commit, commit
from streams.hooks import Hooks
from streams.keys import compose
from streams.store import META, Meta, encode
from streams.topics import APP_USAGE, CUSTOMERS, TRANSACTIONS, partition_of
from streams.versions import Versions

__all__ = ["fill"]

_BATCH = 2_300
Row = tuple[bytes, bytes]


def fill(cluster: Cluster, topic: str, customers: int, times: int, rules: int) -> tuple[int, int]:
    """Write the records of so many customers, each so many times; gives how many records and bytes that made."""
    now, versions = clock.now(), Versions()
    for kind, content in contents_of(rules).items():
        versions = versions.having(kind, content)
    lives, chance = warm.lives(versions, now), Random("restore")
    rows: list[list[Row]] = [[] for _ in range(PARTITIONS)]
    for number in range(customers):
        key = b"L%07d" % number
        place = rows[partition_of(key, PARTITIONS)]
        place += [(compose(key, kind, b""), value) for kind, value in chance.choice(lives).items()]
    return asyncio.run(_written(cluster, topic, rows, times, now))


async def _written(cluster: Cluster, topic: str, rows: list[list[Row]], times: int, now: Millis) -> tuple[int, int]:
    found = await asyncio.gather(
        *[_one(cluster, topic, number, rows[number], times, now) for number in range(PARTITIONS)]
    )
    return sum(count for count, _ in found), sum(size for _, size in found)


async def _one(
    cluster: Cluster, topic: str, partition: int, rows: list[Row], times: int, now: Millis
) -> tuple[int, int]:
    producer = AIOKafkaProducer(
        transactional_id=f"{topic}-{partition}",
        acks="all",
        linger_ms=0,
        max_batch_size=512 * 1024,
        max_request_size=8 * 1024 * 1024,
        **cluster.for_aiokafka(),
    )
    await producer.start()
    chance, count, size = Random(partition), 0, 0
    try:
        for _ in range(times):
            chance.shuffle(rows)
            for first in range(0, len(rows), _BATCH):
                place = len(rows) + first
                meta = (META, encode(Meta(inputs=dict.fromkeys((CUSTOMERS, APP_USAGE, TRANSACTIONS), place), now=now)))
                batch = [*rows[first : first + _BATCH], meta]
                prepared = Commit(producer, partition, frozenset())
                prepared.own(topic, batch)
                await commit(prepared, producer, {}, "bench", Hooks())
                count += len(batch)
                size += sum(len(key) + len(value) for key, value in batch)
    finally:
        await producer.stop()
    return count, size
