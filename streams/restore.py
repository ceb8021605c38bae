"""Restore: bring a partition's state to what Kafka's commits say, from the changelog.

A worker that comes back reads what it missed, and writes it as a commit does. A lost disk is another matter: there the
changelog comes in large portions, and each is written as one sorted file in a thread while the next is read. That
leaves the merging to RocksDB's own threads, and a crash meanwhile costs one portion.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from kairos.instants import SECOND, Millis
from streams.connected import connected
from streams.hooks import Hooks
from streams.store import RocksStore
from streams.topics import TOMBSTONES

__all__ = ["Restored", "restore"]

log = structlog.get_logger(__name__)

Tell = Callable[[int, int], None]
Pieces = AsyncGenerator[Sequence[ConsumerRecord]]

_PORTION = 5_000
_MUCH = 20_000
"""From so many places on, sorted files are worth their while."""
_FILE = 32 << 20
"""Bytes of a sorted file; twice as much is in memory, one being read and one being written."""
_FETCH = 8 << 20
_MANY_FILES = 16
"""More of them over one another, and RocksDB would hold up the first commits until they are merged."""
_PATIENCE = 0.05


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
    tell: Tell = lambda _read, _left: None,
    turns: asyncio.Semaphore | None = None,
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
    turns
        How many partitions may read much at the same time. More would take more memory and not be faster, and the
        first of them would be open later.

    """
    reader = AIOKafkaConsumer(
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
        max_partition_fetch_bytes=_FETCH,
        **client,
    )
    async with connected(reader):
        reader.assign([place])
        begin = (await reader.beginning_offsets([place]))[place]
        end = (await reader.end_offsets([place]))[place]
        start = store.changelog
        wiped = _is_useless(store, start, begin, end, now)
        if wiped:
            log.warning(
                "state is too old or foreign, restoring whole", place=place.topic, ours=start, begin=begin, end=end
            )
            store.wipe()
            start = begin
        start = max(start, begin)
        reader.seek(place, start)
        tell(0, end - start)
        async with aclosing(_pieces(reader, place, end, hooks, tell)) as pieces:
            if end - start < _MUCH:
                return Restored(await _apply(store, pieces), wiped)
            async with turns or asyncio.Semaphore():
                return Restored(await _load(store, pieces), wiped)


def _is_useless(store: RocksStore, start: int, begin: int, end: int, now: Millis) -> bool:
    # A changelog that ends before what we hold, or begins after it, is another one.
    foreign = start > end or 0 < start < begin
    slept = store.meta.now and now - store.meta.now > TOMBSTONES.total_seconds() * SECOND
    return bool(foreign or slept)


async def _pieces(reader: AIOKafkaConsumer, place: TopicPartition, end: int, hooks: Hooks, tell: Tell) -> Pieces:
    count = 0
    while (position := await reader.position(place)) < end:
        tell(count, end - position)
        await hooks.at("restoring")
        found = await reader.getmany(place, timeout_ms=200, max_records=_PORTION)
        if records := found.get(place):
            count += len(records)
            yield records
    tell(count, 0)


async def _apply(store: RocksStore, pieces: Pieces) -> int:
    count = 0
    async for records in pieces:
        store.apply([(r.key, r.value) for r in records if r.key], records[-1].offset + 1)
        count += len(records)
    return count


async def _load(store: RocksStore, pieces: Pieces) -> int:
    count, size, read = 0, 0, 0
    rows: dict[bytes, bytes | None] = {}
    written: asyncio.Task[None] | None = None
    with store.loading():
        try:
            async for records in pieces:
                rows.update([(r.key, r.value) for r in records if r.key])
                count, read = count + len(records), records[-1].offset + 1
                size += sum([len(r.value) for r in records if r.value])
                if size >= _FILE:
                    await _room(store, written)
                    written = asyncio.create_task(asyncio.to_thread(store.load, rows, read))
                    rows, size = {}, 0
            await _room(store, written)
            if rows:
                await asyncio.to_thread(store.load, rows, read)
        finally:
            if written is not None:
                # Whatever happened to it was said above, or does not matter any more.
                await asyncio.gather(written, return_exceptions=True)
    return count


async def _room(store: RocksStore, written: asyncio.Task[None] | None) -> None:
    if written is not None:
        await written
    while store.files > _MANY_FILES:
        await asyncio.sleep(_PATIENCE)
