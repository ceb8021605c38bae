"""Restore: bring a partition's state to what Kafka's commits say, from the changelog."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from kairos.instants import SECOND, Millis
from streams.hooks import Hooks
from streams.store import RocksStore
from streams.topics import TOMBSTONES

__all__ = ["Restored", "restore"]

log = structlog.get_logger(__name__)

_PORTION = 5_000


class Restored(NamedTuple):
    """What a restore did: how many records it read, and whether it began with an empty store."""

    records: int
    wiped: bool


async def restore(
    store: RocksStore,
    place: TopicPartition,
    client: Mapping[str, object],
    hooks: Hooks,
    now: Millis,
    tell: Callable[[int, int], None] = lambda _read, _left: None,
) -> Restored:
    """Read the changelog from where the store stands to its end, and write it to the store.

    The partition's producer must have been started before: only then is no commit of a former owner under way,
    and the end of the changelog is the end.

    Parameters
    ----------
    store
        The partition's store; one whose place is older than what the changelog still tells is emptied first.
    place
        The changelog's partition.
    client
        Servers and security.
    hooks
        Where a test may hold the worker.
    now
        Processing time: a store that slept for longer than the changelog keeps deletions would miss some of them.
    tell
        Is told how many records were read and how many places are left.

    """
    reader = AIOKafkaConsumer(
        enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="none", **client
    )
    await reader.start()
    try:
        reader.assign([place])
        begin = (await reader.beginning_offsets([place]))[place]
        end = (await reader.end_offsets([place]))[place]
        start = store.changelog
        # A changelog that ends before what we hold, or begins after it, is another one.
        foreign = start > end or 0 < start < begin
        slept = store.meta.now and now - store.meta.now > TOMBSTONES.total_seconds() * SECOND
        wiped = bool(foreign or slept)
        if wiped:
            log.warning(
                "state is too old or foreign, restoring whole", place=place.topic, ours=start, begin=begin, end=end
            )
            store.wipe()
            start = begin
        return Restored(await _replay(reader, store, place, max(start, begin), end, hooks, tell), wiped)
    finally:
        await reader.stop()


async def _replay(
    reader: AIOKafkaConsumer,
    store: RocksStore,
    place: TopicPartition,
    start: int,
    end: int,
    hooks: Hooks,
    tell: Callable[[int, int], None],
) -> int:
    reader.seek(place, start)
    count = 0
    while (position := await reader.position(place)) < end:
        tell(count, end - position)
        await hooks.at("restoring")
        found = await reader.getmany(place, timeout_ms=200, max_records=_PORTION)
        records = found.get(place, [])
        if records:
            store.apply([(r.key, r.value) for r in records if r.key], records[-1].offset + 1)
            count += len(records)
            if count % 100_000 < len(records):
                log.info("restoring", place=place.topic, partition=place.partition, records=count, left=end - position)
    tell(count, 0)
    return count
