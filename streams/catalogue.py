"""The catalogue: what people and the learning stage publish, read whole by every worker.

A publication is two records in the topic's one partition: the content under its hash, then `current/<kind>` that
points to it. A worker reads it in a thread, one after the other, and takes it between two batches by one assignment;
what it cannot read it refuses, and stays with what is in force.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from kairos.ids import content_hash
from kairos.instants import Millis, rfc3339
from kairos.ports import Output, Record
from rules.kept import Kept
from rules.stops import STOP
from rules.undisturbed import at_once
from streams.connected import connected
from streams.consumed import as_record
from streams.interpreter import collect_rarely, give_way, leave_alone, short_turns
from streams.kept_book import KeptBook
from streams.topics import CATALOGUE
from streams.versions import CODES_KEY, Versions

__all__ = ["CURRENT", "Catalogue", "CatalogueReader", "Pointer", "publication", "read_pointer"]

log = structlog.get_logger(__name__)

_ON_THE_WAY = 4

CURRENT: Final = b"current/"
"""What the key of a pointer begins with; the kind follows."""
_PLACE = TopicPartition(CATALOGUE, 0)


class Pointer(msgspec.Struct, frozen=True):
    """Which content of a kind is in force, since when, who said so, and what was in force before.

    Compaction keeps only the newest pointer of a kind; `before` is the way back.
    """

    hash: str
    by: str
    at: str
    before: str = ""


Built = tuple[Pointer, Versions] | bytes | str | None
"""A pointer with what is in force from it on, or why it is refused; a content that has the hash it is filed under."""

_decode = msgspec.json.Decoder(Pointer).decode


def read_pointer(value: bytes) -> Pointer:
    """Read what `current/<kind>` says."""
    return _decode(value)


def publication(kind: str, content: bytes, by: str, now: Millis, before: str = "") -> list[Output]:
    """Write what puts a content into force.

    Examples
    --------
    >>> [record.key for record in publication("apps", b"{}", "ops", 0)]
    [b'2afb9b83f9314e5d029766197f539792', b'current/apps']

    """
    name = content_hash(content)
    pointer = msgspec.json.encode(Pointer(name, by, rfc3339(now), before))
    return [
        Output(CATALOGUE, name.encode(), content, (("kind", kind.encode()),)),
        Output(CATALOGUE, CURRENT + kind.encode(), pointer),
    ]


class CatalogueReader:
    """Takes the catalogue's records one by one; `versions` is what they say is in force."""

    def __init__(self) -> None:
        self.versions = Versions()
        self.pointers: dict[str, Pointer] = {}
        self.contents: dict[str, bytes] = {}
        self.problems: dict[str, str] = {}
        self.kept: Kept | None = None
        self.between = at_once
        """What is done between two steps of building a book."""

    def take(self, record: Record) -> bool:
        """Take one record; whether it changed what is in force."""
        return self.put(record, self.built(record))

    def built(self, record: Record) -> Built:
        """Read what a pointer puts into force. A book of thousands takes seconds; nothing changes, so a thread may."""
        key = record.key or b""
        if record.value is None:
            return None
        if not key.startswith(CURRENT):
            return record.value if content_hash(record.value).encode() == key else None
        try:
            pointer = read_pointer(record.value)
            kind = _kind(key)
            if kind == CODES_KEY:
                return "a key for codes is a secret and is not published"
            # Of a stop, that it was published is enough: without its content it holds everything.
            content = self.contents.get(pointer.hash, b"") if kind.startswith(STOP) else self.contents[pointer.hash]
            return pointer, self.versions.having(kind, content, self.kept, self.between)
        except KeyError:
            return "its content is not in the catalogue"
        except ValueError as error:
            return str(error)[:500]

    def put(self, record: Record, built: Built) -> bool:
        """Take a record with what was built of it since the one before; whether it changed what is in force."""
        key = record.key or b""
        if not key.startswith(CURRENT):
            self._keep(key.decode(errors="replace"), record, built)
            return False
        kind = _kind(key)
        if isinstance(built, str):
            self._refuse(kind, built)
        if not isinstance(built, tuple):
            return False
        pointer, self.versions = built
        old, self.pointers[kind] = self.pointers.get(kind), pointer
        self._forget(old)
        self.problems.pop(kind, None)
        if kind in self.versions.stops.unread:
            self.problems[kind] = "it cannot be read, so nothing is sent"
            log.error("publication unreadable, nothing is sent", kind=kind)
        return True

    def _keep(self, name: str, record: Record, built: Built) -> None:
        if record.value is None:
            self.contents.pop(name, None)
        elif isinstance(built, bytes):
            self.contents[name] = built
        else:
            log.error("content does not have the hash it is filed under", name=name)

    def tidy(self) -> None:
        """Drop contents that nothing points to, but for the newest: their pointers may be the next records."""
        named = {pointer.hash for pointer in self.pointers.values()}
        for name in [name for name in self.contents if name not in named][:-_ON_THE_WAY]:
            del self.contents[name]

    def _refuse(self, kind: str, why: str) -> None:
        self.problems[kind] = why
        log.error("publication refused, what was in force stays", kind=kind, why=why)

    def _forget(self, old: Pointer | None) -> None:
        # Snapshots come every few seconds: only what is pointed to is kept. Going back publishes the content anew.
        if old is not None and all(pointer.hash != old.hash for pointer in self.pointers.values()):
            self.contents.pop(old.hash, None)


class Catalogue(Service):
    """Reads the catalogue for ever; `opened` is set once it has been read to the end it had at start.

    Parameters
    ----------
    client
        How to reach Kafka.
    folder
        Where the rules in force are kept for the next start, see `streams.kept_book`; None keeps nothing.

    """

    def __init__(self, client: Mapping[str, object], folder: Path | None = None, **service: Any) -> None:
        super().__init__(**service)
        self._client = client
        self.opened = asyncio.Event()
        self.reader = CatalogueReader()
        self._file = None if folder is None else KeptBook(folder)
        self._position = 0

    def versions(self) -> Versions:
        """Give what is in force now."""
        return self.reader.versions

    @Service.task
    async def _follow(self) -> None:
        collect_rarely()
        if self._file is not None:
            self.reader.kept = await asyncio.to_thread(self._file.read)
        while not self.should_stop:
            try:
                await self._read()
            except (KafkaError, OSError) as error:
                log.warning("catalogue lost Kafka, reading again", error=type(error).__name__)
                await self.sleep(0.5)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 * 1024 * 1024,
            **self._client,
        )
        async with connected(consumer):
            consumer.assign([_PLACE])
            consumer.seek(_PLACE, self._position)
            end = (await consumer.end_offsets([_PLACE]))[_PLACE]
            while not self.should_stop:
                if not self.opened.is_set() and await consumer.position(_PLACE) >= end:
                    self.reader.tidy()
                    await self._keep()
                    # From now on there are batches beside it.
                    self.reader.between = give_way
                    self.opened.set()
                found = await consumer.getmany(_PLACE, timeout_ms=200)
                await self._take(found.get(_PLACE, []))

    async def _keep(self) -> None:
        # Only now and once: a book that comes later differs in few rules, and a batch shall not wait for the writing.
        kept, self.reader.kept = self.reader.kept, None
        book = self.versions().book
        if self._file is not None and book.rules and (kept is None or not kept.covers(book.apart)):
            await asyncio.to_thread(self._file.write, book)

    async def _take(self, rows: list[ConsumerRecord]) -> None:
        for row in rows:
            record = as_record(row)
            # Waited for before the next one is looked at: books are built one at a time, and pointers keep their order.
            with short_turns():
                built = await asyncio.to_thread(self.reader.built, record)
            if self.reader.put(record, built):
                kind = _kind(record.key or b"")
                if kind == "rules":
                    leave_alone()
                log.info("in force", kind=kind, hash=self.reader.pointers[kind].hash)
            self._position = row.offset + 1


def _kind(key: bytes) -> str:
    return key.removeprefix(CURRENT).decode(errors="replace")
