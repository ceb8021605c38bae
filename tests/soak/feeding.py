"""The bank's producers of a soak: they write what happens at a steady pace, and outlast a broker that is away."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from kairos.ports import Record
from streams.cluster import Cluster
from tests.soak.events import ANYWHERE

ON_THE_WAY = 4_000
"""Records that may wait for Kafka's answer; then the producers wait, too."""


class Feeding:
    """Writes records in their order, one after the other, each once however often the broker goes away.

    Parameters
    ----------
    cluster
        Where.
    rate
        Records a second of the everyday stream.

    """

    def __init__(self, cluster: Cluster, rate: float) -> None:
        # An outage may last: what was told is told at last, and never twice.
        self._producer = AIOKafkaProducer(
            acks="all", enable_idempotence=True, linger_ms=5, request_timeout_ms=300_000, **cluster.for_aiokafka()
        )
        self._rate = rate
        self._answers: set[asyncio.Future[RecordMetadata]] = set()
        self._lost: BaseException | None = None
        self._everyday: asyncio.Task[None] | None = None
        self._enough = False

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        """End the everyday stream, and wait until Kafka has everything that was told."""
        self._enough = True
        if self._everyday is not None:
            await self._everyday
        await self.settle()

    async def close(self) -> None:
        """Give up, whatever is on the way."""
        if self._everyday is not None:
            self._everyday.cancel()
        await self._producer.stop()

    def begin(self, records: Iterator[Record]) -> None:
        """Begin the everyday stream."""
        self._everyday = asyncio.create_task(self._flow(records))

    async def send(self, records: Iterable[Record]) -> None:
        """Write something besides, at once."""
        for record in records:
            await self._send(record)

    async def settle(self) -> None:
        """Wait until Kafka has acknowledged what was written so far."""
        while self._answers:
            await asyncio.wait(self._answers)
        self.check()

    def check(self) -> None:
        """Raise what the stream ended with, if it did."""
        if self._lost is not None:
            raise self._lost
        if self._everyday is not None and self._everyday.done():
            self._everyday.result()

    async def _flow(self, records: Iterator[Record]) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        while not self._enough:
            chunk = list(islice(records, max(1, round(self._rate / 20))))
            await self.send(chunk)
            # Nobody makes up for an outage by telling faster afterwards.
            due = max(due + len(chunk) / self._rate, clock() - 1)
            await asyncio.sleep(due - clock())

    async def _send(self, record: Record) -> None:
        while len(self._answers) >= ON_THE_WAY:
            await asyncio.wait(self._answers, return_when=asyncio.FIRST_COMPLETED)
        place = None if record.partition == ANYWHERE else record.partition
        answer = await self._producer.send(
            record.topic, record.value, record.key, partition=place, headers=list(record.headers)
        )
        self._answers.add(answer)
        answer.add_done_callback(self._answered)

    def _answered(self, answer: "asyncio.Future[RecordMetadata]") -> None:
        self._answers.discard(answer)
        if not answer.cancelled() and (error := answer.exception()) is not None:
            self._lost = error
