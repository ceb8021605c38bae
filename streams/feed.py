"""The feed: puts a log's records into Kafka, fast or at a given rate, in order for every key."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, takewhile

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from kairos.ports import Record
from streams.cluster import Cluster
from streams.connected import connected
from streams.topics import CUSTOMERS, partition_of

__all__ = ["Fed", "feed"]

_CHUNK = 2_000
_TURNS_A_SECOND = 20
_ON_THE_WAY = 64
"""How many batches may wait for Kafka's answer: enough to keep it busy, and memory bounded."""


@dataclass(slots=True)
class Fed:
    """How many records Kafka has acknowledged, by topic."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return self.counts.total()


async def feed(
    records: Iterable[Record],
    cluster: Cluster,
    rate: float | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    packed: bool = False,
) -> Fed:
    """Produce the records and wait until Kafka holds them all.

    The profiles that stand at the beginning are acknowledged before anything else is sent: whoever reads the first
    event knows the customer. What the records carry as partition, offset and time is not sent; Kafka gives its own.

    Parameters
    ----------
    records
        As `streams.event_log.read` or `console.simulate.load_events` give them.
    cluster
        Where.
    rate
        Records a second; None is as fast as Kafka takes them.
    progress
        Called with the number of records acknowledged so far.
    packed
        Pack them by gzip. It costs more time than it saves, but the largest rule book would be refused otherwise.

    """
    producer = AIOKafkaProducer(
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=256 * 1024,
        compression_type="gzip" if packed else None,
        **cluster.for_aiokafka(),
    )
    async with connected(producer):
        feeding = _Feeding(producer, rate, progress)
        found = iter(records)
        rest = await feeding.send_while(lambda record: record.topic == CUSTOMERS, found)
        await feeding.send_while(lambda _: True, chain(rest, found))
        return feeding.fed


class _Feeding:
    def __init__(self, producer: AIOKafkaProducer, rate: float | None, progress: Callable[[int], None] | None) -> None:
        self.fed = Fed()
        self._producer = producer
        self._rate = rate
        self._progress = progress
        self._waiting: list[tuple[str, int, asyncio.Future[RecordMetadata]]] = []
        self._counts: dict[str, int] = {}
        self._sent = 0
        self._began = asyncio.get_running_loop().time()

    async def send_while(self, wanted: Callable[[Record], bool], records: Iterator[Record]) -> list[Record]:
        """Send up to the first record that is not wanted, wait for Kafka's word on all; gives that record, if any."""
        size = _CHUNK if self._rate is None else max(1, min(_CHUNK, round(self._rate / _TURNS_A_SECOND)))
        rest: list[Record] = []
        while not rest and (chunk := list(islice(records, size))):
            good = list(takewhile(wanted, chunk))
            rest = chunk[len(good) :]
            await self._pace()
            await self._send(good)
        await self._settle()
        return rest

    async def _pace(self) -> None:
        if self._rate:
            await asyncio.sleep(self._began + self._sent / self._rate - asyncio.get_running_loop().time())

    async def _send(self, chunk: list[Record]) -> None:
        # Ready-made batches, one for each partition: sending record by record costs some 15 microseconds each.
        batches: dict[tuple[str, int], BatchBuilder] = {}
        for record in chunk:
            place = record.topic, await self._partition(record)
            batch = batches.get(place)
            if batch is None or not _append(batch, record):
                if batch is not None:
                    await self._submit(batch, *place)
                batches[place] = batch = self._producer.create_batch()
                _append(batch, record)
        for place, batch in batches.items():
            await self._submit(batch, *place)
        self._sent += len(chunk)
        if len(self._waiting) > _ON_THE_WAY:
            await self._settle()

    async def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        await asyncio.gather(*(answer for _, _, answer in waiting))
        for topic, number, _ in waiting:
            self.fed.counts[topic] += number
        if self._progress and waiting:
            self._progress(self.fed.total)

    async def _partition(self, record: Record) -> int:
        count = self._counts.get(record.topic)
        if count is None:
            count = self._counts[record.topic] = len(await self._producer.partitions_for(record.topic))
        # A record without a key is broken, and may lie anywhere.
        return partition_of(record.key, count) if record.key else record.offset % count

    async def _submit(self, batch: BatchBuilder, topic: str, partition: int) -> None:
        batch.close()
        answer = await self._producer.send_batch(batch, topic, partition=partition)
        self._waiting.append((topic, batch.record_count(), answer))


def _append(batch: BatchBuilder, record: Record) -> bool:
    headers = list(record.headers)
    return batch.append(timestamp=None, key=record.key, value=record.value, headers=headers) is not None
