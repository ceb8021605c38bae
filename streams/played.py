"""Played again: one partition of a stage, commit by commit as its journal has it, in little memory.

`streams.replay_journal` proves a whole house and holds its topics in memory; this shows somebody one moment of a large
one. Nothing is written, and nothing is learnt: the store is in memory and ends with whoever asked.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from kairos.ports import Again, Batch, Output, Record, Store
from rules.saying import Language
from rules.stops import STOP
from streams import journal
from streams.connected import connected
from streams.consumed import as_record
from streams.skips import letters, without
from streams.spec import StageSpec
from streams.topic_reader import Tell
from streams.versions import Versions

__all__ = ["CutOff", "Played", "batch_of", "given", "moved", "outputs_of", "played"]

Client = Mapping[str, object]
Played = tuple[Batch[Versions], journal.Entry]
"""What one commit worked on, and what the journal says of it."""


_GONE: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "journal": "the journal begins at {} and no longer at 0: it is kept for a time only",
        "records": "a commit took {} records, and {} of them are still there: the topics were compacted, or records "
        "were deleted",
        "topic": "{} begins at {}, and a commit began at {}: it was cut",
        "content": "the catalogue no longer holds {} {}, which was in force then",
        "not taken": "no commit has taken the event yet",
    },
    "zh": {
        "journal": "日志从{}开始而不再从0开始：日志只保留一段时间",
        "records": "某次提交读取了{}条记录，其中仅存{}条：主题已被压实，或记录已被删除",
        "topic": "{}从{}开始，而某次提交从{}开始：开头已被删除",
        "content": "目录中已没有当时生效的{} {}",
        "not taken": "该事件尚未被任何提交处理",
    },
}


class CutOff(Exception):
    """What happened can no longer be computed again from its beginning; the message says what is gone.

    Examples
    --------
    >>> print(CutOff("journal", 3).said("zh"))
    日志从3开始而不再从0开始：日志只保留一段时间

    """

    def __init__(self, what: str, *values: object) -> None:
        self._what, self._values = what, values
        super().__init__(self.said("en"))

    def said(self, language: Language) -> str:
        """Say what is gone."""
        return _GONE[language][self._what].format(*self._values)


def given(batch: Batch[Versions], entry: journal.Entry) -> Batch[Versions]:
    """Give what the step was given of a batch: not what a `--skip` passed by."""
    return replace(batch, records=without(batch.records, entry.skipped)) if entry.skipped else batch


def outputs_of(spec: StageSpec[Versions], store: Store, batch: Batch[Versions], entry: journal.Entry) -> list[Output]:
    """Do what one commit did: the step, and the dead letters of what was passed by."""
    return [*letters(batch.records, entry.skipped, spec.name, entry.now), *spec.step(store, given(batch, entry))]


async def played(
    client: Client, spec: StageSpec[Versions], partition: int, contents: Mapping[str, bytes], tell: Tell
) -> AsyncGenerator[Played]:
    """Give each commit of a partition as it was, from the first; who takes it does it by `outputs_of`.

    Parameters
    ----------
    client
        Servers and security.
    spec
        Which stage.
    partition
        Which partition.
    contents
        What the catalogue holds, by its hash.
    tell
        Whom to tell how many commits were given, and how many there are.

    Raises
    ------
    CutOff
        Kafka no longer holds everything from the beginning on.

    """
    async with AsyncExitStack() as stack:
        places = [TopicPartition(topic, partition) for topic in (spec.journal, *spec.inputs)]
        entries, *inputs = await asyncio.gather(*(_Tape.start(stack, client, place) for place in places))
        tapes = dict(zip(spec.inputs, inputs, strict=True))
        if entries.begin > 0:
            raise CutOff("journal", entries.begin)
        partitions = await entries.partitions()
        versions = Versions()
        while (row := await entries.next()) is not None:
            entry = journal.read(row.value or b"")
            records = await _records(tapes, entry)
            versions = moved(versions, entry.versions, contents)
            yield batch_of(entry, records, (partition, partitions), versions), entry
            tell(row.offset, entries.end)


async def _records(tapes: Mapping[str, "_Tape"], entry: journal.Entry) -> list[Record]:
    records: list[Record] = []
    for topic, tape in tapes.items():
        if topic in entry.ranges:
            records += await tape.until(*entry.ranges[topic])
    if entry.again is not None:
        records = [row for topic, place in sorted(entry.again.items()) for row in await tapes[topic].held(*place)]
    if len(records) != entry.records:
        raise CutOff("records", entry.records, len(records))
    return records


def batch_of(
    entry: journal.Entry, records: Sequence[Record], place: tuple[int, int], versions: Versions
) -> Batch[Versions]:
    """Give the batch of a commit as its entry in the journal has it; the place is the partition, and of how many."""
    again = None if entry.again is None else Again(entry.again, entry.reached)
    return Batch(*place, records, entry.now, versions, frozenset(entry.drained), entry.lateness, again)


def moved(before: Versions, hashes: Mapping[str, str], contents: Mapping[str, bytes]) -> Versions:
    """Give what was in force, read anew only where it changed: models come every few seconds, books are large.

    Raises
    ------
    CutOff
        A content is no longer among those of the catalogue.

    """
    if before.hashes == hashes:
        return before
    versions = before if hashes.keys() >= before.hashes.keys() else Versions()
    for kind, name in sorted(hashes.items()):
        if versions.hashes.get(kind) == name:
            continue
        if name not in contents and not kind.startswith(STOP):
            raise CutOff("content", kind, name)
        versions = versions.having(kind, contents.get(name, b""))
    return versions


class _Tape:
    """A partition of a topic that is read forward, as far as somebody asks; and, apart from that, a piece once more."""

    def __init__(self, stack: AsyncExitStack, client: Client, reader: AIOKafkaConsumer, place: TopicPartition) -> None:
        self._stack, self._client, self._reader, self._place = stack, client, reader, place
        self._read = deque[Record]()
        self._next = self.begin = self.end = 0
        self._again: _Tape | None = None
        self._held = -1

    @classmethod
    async def start(cls, stack: AsyncExitStack, client: Client, place: TopicPartition) -> "_Tape":
        """Begin to read at the oldest record that is still there."""
        reader = AIOKafkaConsumer(enable_auto_commit=False, isolation_level="read_committed", **client)
        await stack.enter_async_context(connected(reader))
        tape = cls(stack, client, reader, place)
        reader.assign([place])
        tape.begin = (await reader.beginning_offsets([place]))[place]
        tape.end = (await reader.end_offsets([place]))[place]
        tape.go_to(tape.begin)
        return tape

    def go_to(self, offset: int) -> None:
        """Read from here on."""
        self._reader.seek(self._place, offset)
        self._read.clear()
        self._next = offset

    async def partitions(self) -> int:
        """Give how many the topic has."""
        return len(self._reader.partitions_for_topic(self._place.topic) or ())

    async def next(self) -> Record | None:
        """Give the next record; None at the end that there was at start."""
        while not self._read and self._next < self.end:
            await self._fill()
        return self._read.popleft() if self._read else None

    async def until(self, start: int, end: int) -> list[Record]:
        """Give what lies before an offset and was not given yet."""
        if self.begin > start:
            raise CutOff("topic", self._place.topic, self.begin, start)
        found: list[Record] = []
        while True:
            while self._read and self._read[0].offset < end:
                found.append(self._read.popleft())
            if self._read or self._next >= min(end, self.end):
                return found
            await self._fill()

    async def held(self, start: int, end: int) -> Sequence[Record]:
        """Give what lies between two offsets, whatever was given already."""
        if self._again is None:
            self._again = await _Tape.start(self._stack, self._client, self._place)
        tape = self._again
        if start != self._held:
            tape.go_to(start)
        self._held = end
        return [row for row in await tape.until(max(start, tape.begin), end) if row.offset >= start]

    async def _fill(self) -> None:
        for rows in (await self._reader.getmany(self._place, timeout_ms=200)).values():
            self._read += [as_record(row) for row in rows]
        self._next = await self._reader.position(self._place)
