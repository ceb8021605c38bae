"""Permits: what each customer allows, read whole from the compacted topic for the partitions we own, and kept current.

Held in memory as it came, about the size of the records: partitions and processes share a large bank's customers out.
"""

import asyncio
from collections.abc import Iterable

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from kairos.permissions import Permission
from streams.topics import PERMISSIONS

__all__ = ["Permits"]

log = structlog.get_logger(__name__)

_PORTION = 5_000


class Permits:
    """The permissions of the customers in our partitions.

    Parameters
    ----------
    consumer
        A consumer without a group, reading what is committed; nobody else uses it. `follow` must be running.
    asker
        Another one that is never assigned anything. A broker answers a connection's requests one after the other,
        so a question asked on the reader's own waits behind its long poll, up to half a second.

    """

    def __init__(self, consumer: AIOKafkaConsumer, asker: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._asker = asker
        self._held: dict[int, dict[bytes, bytes]] = {}
        self._next: dict[int, int] = {}
        self._moved = asyncio.Condition()

    def of(self, partition: int, customer: str) -> Permission | None:
        """Give what a customer allows; None says that nothing is known, which allows nothing."""
        found = self._held.get(partition, {}).get(customer.encode())
        if found is None:
            return None
        try:
            return Permission.model_validate_json(found)
        except ValidationError:
            log.warning("permission unreadable, taken as none", partition=partition)
            return None

    async def open(self, partition: int) -> None:
        """Begin to follow a partition, and return when it was read whole."""
        place = TopicPartition(PERMISSIONS, partition)
        begin = (await self._asker.beginning_offsets([place]))[place]
        self._held[partition] = {}
        self._next[partition] = begin
        self._assign()
        await self.catch_up([partition])
        log.info("permissions read", partition=partition, customers=len(self._held.get(partition, {})))

    def close(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are another process's now."""
        for partition in partitions:
            self._held.pop(partition, None)
            self._next.pop(partition, None)
        self._assign()

    async def catch_up(self, partitions: Iterable[int]) -> None:
        """Return when everything is read that was written before this call.

        A permission and the first offer that rests on it may lie in the same commit, so the one is looked for
        only after the other is there. A partition that is closed meanwhile is not waited for.
        """
        ends = await self._asker.end_offsets([TopicPartition(PERMISSIONS, partition) for partition in partitions])
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(self._next.get(place.partition, end) >= end for place, end in ends.items())
            )

    async def follow(self) -> None:
        """Read for ever what comes."""
        while True:
            if not self._held:
                await asyncio.sleep(0.05)
            else:
                await self._read()
            async with self._moved:
                self._moved.notify_all()

    async def _read(self) -> None:
        found = await self._consumer.getmany(timeout_ms=100, max_records=_PORTION)
        for place, records in found.items():
            held = self._held.get(place.partition)
            if held is None:
                continue
            for record in records:
                if record.key is None:
                    continue
                if record.value is None:
                    held.pop(record.key, None)
                else:
                    held[record.key] = record.value
            self._advance(place.partition, records[-1].offset + 1)
        # The end of a commit is a record too, one that is never handed out.
        for place in self._consumer.assignment():
            if place.partition in self._next:
                self._advance(place.partition, await self._consumer.position(place))

    def _advance(self, partition: int, offset: int) -> None:
        if partition in self._next:
            self._next[partition] = max(self._next[partition], offset)

    def _assign(self) -> None:
        if not self._next:
            return
        places = {TopicPartition(PERMISSIONS, partition): offset for partition, offset in self._next.items()}
        self._consumer.assign(list(places))
        for place, offset in places.items():
            self._consumer.seek(place, offset)
