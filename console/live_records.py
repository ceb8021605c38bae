"""What a live run left, read from Kafka or from a file in which its records were kept: decisions, journal, events."""

import asyncio
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from pathlib import Path
from typing import Final, Protocol

import msgspec

from console.written import whole
from kairos.decisions import MADE
from kairos.instants import Millis
from kairos.ports import Record
from streams.event_log import writing
from streams.stages import STAGES
from streams.topic_reader import Tell, nobody, read_piecewise
from streams.topics import CUSTOMERS_JOURNAL, DECISIONS, FEEDBACK

__all__ = ["EVENTS", "BrokenRecords", "KafkaRecords", "KeptRecords", "LiveRecords", "keep"]

Visit = Callable[[Record], None]
Telling = Callable[[], AbstractContextManager[Tell]]
EVENTS: Final = tuple(topic for topic in STAGES["customers"].inputs if topic in STAGES["customers"].timed)
"""The topics of events, in the order in which the customers' stage is given them."""
_MEANT: Final = frozenset({DECISIONS, CUSTOMERS_JOURNAL, FEEDBACK})
"""Whose values are needed; of all other events only the headers are, and only those are kept."""


class BrokenRecords(ValueError):
    """The file holds something else than records; the message names the file and the line."""


class LiveRecords(Protocol):
    """The records of a live run."""

    def each(self, topics: Sequence[str], visit: Visit) -> None:
        """Show each record of these topics, those of one partition in their order."""
        ...


def _in_silence() -> AbstractContextManager[Tell]:
    return nullcontext(nobody)


class KafkaRecords:
    """Those that Kafka still holds.

    Parameters
    ----------
    client
        Servers and security.
    telling
        Gives whom to tell how far it is, while a reading lasts.

    """

    def __init__(self, client: Mapping[str, object], telling: Telling = _in_silence) -> None:
        self._client, self._telling = client, telling

    def __str__(self) -> str:
        return "Kafka"

    def each(self, topics: Sequence[str], visit: Visit) -> None:
        """Show each record of these topics, one topic after the other."""
        for topic in topics:
            with self._telling() as tell:
                asyncio.run(self._each(topic, visit, tell))

    async def _each(self, topic: str, visit: Visit, tell: Tell) -> None:
        async with aclosing(read_piecewise(self._client, topic, tell=tell)) as pieces:
            async for _, rows in pieces:
                for row in rows:
                    visit(row)


class _Line(msgspec.Struct, omit_defaults=True):
    """A record as one line; one that tells no offset has no place among the others."""

    topic: str = ""
    partition: int = 0
    offset: int = -1
    key: str | None = None
    headers: dict[str, str | None] = {}
    value: str | None = None
    at: Millis = 0


_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


class KeptRecords:
    """Those in a file of JSON lines: as `--keep`, `--out` and `kairos replay` write them, or bare decisions.

    Parameters
    ----------
    path
        The file, gzipped where its name ends in `.gz`.

    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def each(self, topics: Sequence[str], visit: Visit) -> None:
        """Show each record of these topics, in the order of the file.

        Raises
        ------
        BrokenRecords
            A line is no record.

        """
        for number, text in self._lines():
            try:
                line = _decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise BrokenRecords(f"{self._path}:{number}: no record: {error}") from None
            if not line.topic and b'"verdicts"' not in text:
                what = "neither a record with a `topic` nor a decision with its `verdicts`"
                raise BrokenRecords(f"{self._path}:{number}: {what}")
            if (line.topic or DECISIONS) in topics:
                try:
                    visit(_record(line, text))
                except ValueError as error:
                    raise BrokenRecords(f"{self._path}:{number}: {error}") from None

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            with gzip.open(self._path) if self._path.suffix == ".gz" else self._path.open("rb") as file:
                for number, text in enumerate(file, 1):
                    if text.strip():
                        yield number, text
        except (gzip.BadGzipFile, EOFError) as error:
            raise BrokenRecords(f"{self._path}:{number + 1}: the file is cut off or no gzip: {error}") from None


def _record(line: _Line, text: bytes) -> Record:
    if not line.topic:
        return Record(DECISIONS, 0, -1, None, text, (MADE,))
    headers = tuple((name, (said or "").encode()) for name, said in line.headers.items())
    key, value = (None if said is None else said.encode() for said in (line.key, line.value))
    return Record(line.topic, line.partition, line.offset, key, value, headers, line.at)


def keep(live: LiveRecords, path: Path) -> None:
    """Write what a comparison needs of a live run to a file.

    What customers did is not in it but for their feedback: of other events the key and the headers are kept.
    """
    with whole(path) as part, writing(part) as file:

        def write(row: Record) -> None:
            file.write(_encode(_line(row)) + b"\n")

        live.each((DECISIONS, CUSTOMERS_JOURNAL, *EVENTS), write)


def _line(row: Record) -> _Line:
    headers: dict[str, str | None] = {name: said.decode(errors="replace") for name, said in row.headers or ()}
    value = row.value if row.topic in _MEANT or row.value is None else b""
    key, said = (None if one is None else one.decode(errors="replace") for one in (row.key, value))
    return _Line(row.topic, row.partition, row.offset, key, headers, said, row.at)
