"""What people tell the ledger, and what came of it: its answers are for customers' decisions, people see its deeds.

A command was carried out when the ledger's group committed beyond it. What the same transaction wrote then lies in the
topics: a dead letter that names the command, or a command for the next ledger.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from kairos.ports import Headers, Record
from streams.connected import connected
from streams.consumed import as_record
from streams.dead_letters import Letter, read_letter
from streams.stages import STAGES
from streams.topics import DEAD_LETTERS, LEDGER_COMMANDS
from streams.topics_declare import refuse_missing

__all__ = ["Telling", "telling"]

Client = Mapping[str, object]
_GROUP = STAGES["ledger"].group
_PAUSE = 0.1
_AT_ONCE = 1024 * 1024
"""How many bytes are on their way at most before they are waited for."""


@asynccontextmanager
async def telling(client: Client, *more: str) -> AsyncIterator["Telling"]:
    """Open what it takes to tell the ledger something and to see what comes of it, in `more` topics where named."""
    async with AsyncExitStack() as stack:
        producer = AIOKafkaProducer(acks="all", enable_idempotence=True, linger_ms=20, **client)
        await stack.enter_async_context(connected(producer))
        admin = AIOKafkaAdminClient(**client)
        stack.push_async_callback(admin.close)
        await admin.start()
        reader = AIOKafkaConsumer(enable_auto_commit=False, isolation_level="read_committed", **client)
        # What was written last may not be known as committed yet, so this one asks how far there is to read.
        ends = AIOKafkaConsumer(enable_auto_commit=False, isolation_level="read_uncommitted", **client)
        for consumer in (reader, ends):
            await stack.enter_async_context(connected(consumer))
        topics = (DEAD_LETTERS, LEDGER_COMMANDS, *more)
        refuse_missing(topics, await reader.topics())
        places = [
            TopicPartition(topic, number) for topic in topics for number in sorted(await producer.partitions_for(topic))
        ]
        yield Telling(producer, admin, (reader, ends), await ends.end_offsets(places))


class Telling:
    """What was told the ledger since this was opened; see `telling`.

    Parameters
    ----------
    producer, admin
        What tells, and what asks how far the ledger is.
    readers
        One that reads what was committed, and one that knows how far there is to read.
    begins
        Where the topics ended at first.

    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        admin: AIOKafkaAdminClient,
        readers: tuple[AIOKafkaConsumer, AIOKafkaConsumer],
        begins: Mapping[TopicPartition, int],
    ) -> None:
        self._producer, self._admin, self._begins = producer, admin, dict(begins)
        self._reader, self._ends = readers
        self._waiting: list[asyncio.Future[RecordMetadata]] = []
        self._bytes = 0
        self.told: dict[TopicPartition, list[int]] = {}
        """Where the commands lie that were told, in their order."""

    async def tell(self, key: bytes, value: bytes, headers: Headers) -> None:
        """Hand over a command; some are on their way at once, in their order."""
        self._waiting.append(await self._producer.send(LEDGER_COMMANDS, value, key, headers=list(headers)))
        self._bytes += len(value)
        if self._bytes >= _AT_ONCE:
            await self.sent()

    async def sent(self) -> None:
        """Wait until Kafka holds everything that was told."""
        for record in await asyncio.gather(*self._waiting):
            self.also(record)
        self._waiting.clear()
        self._bytes = 0

    async def carried_out(self, tell: Callable[[int], None] = lambda _: None) -> None:
        """Wait until the ledger has carried out everything that was told; `tell` hears how many commands it has."""
        await self.sent()
        for told in self.told.values():
            # What the ledger itself told may lie among what was told it.
            told.sort()
        while (done := await self._done()) < sum(map(len, self.told.values())):
            tell(done)
            await asyncio.sleep(_PAUSE)

    async def _done(self) -> int:
        try:
            found = await self._admin.list_consumer_group_offsets(_GROUP, partitions=list(self.told))
        except KafkaError as error:
            # Where no worker ever was, nobody keeps the group's places yet.
            if not error.retriable:
                raise
            return 0
        return sum(bisect_left(told, found[place].offset) for place, told in self.told.items() if place in found)

    def also(self, record: Record | RecordMetadata) -> None:
        """Count a command among those told that the ledger itself has told since."""
        self.told.setdefault(TopicPartition(record.topic, record.partition), []).append(record.offset)

    async def written(self, *topics: str) -> AsyncGenerator[Record]:
        """Give what was committed to these topics since this was opened, or since all of them was given before."""
        places = [place for place in self._begins if place.topic in topics]
        self._reader.assign(places)
        for place in places:
            self._reader.seek(place, self._begins[place])
        ends = await self._ends.end_offsets(places)
        while [place for place in places if await self._reader.position(place) < ends[place]]:
            for rows in (await self._reader.getmany(*places, timeout_ms=100)).values():
                for row in rows:
                    yield as_record(row)
        for place in places:
            self._begins[place] = await self._reader.position(place)

    async def letters(self) -> AsyncGenerator[Letter]:
        """Give the dead letters that are about what was told."""
        async for record in self.written(DEAD_LETTERS):
            letter = read_letter(record)
            if letter is not None and letter.origin.offset in self.told.get(TopicPartition(*letter.origin[:2]), ()):
                yield letter
