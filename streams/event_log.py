"""The event log: what happened, as a file that the feed, a replay and a backtest read alike.

JSON lines, gzipped where the name ends in `.gz`. The first line is the `Header`, every other one a `Line`, in the
order in which they arrived:

    {"format":"kairos-log/1","title":"...","origin":"real","note":"...","first":"2017-01-01T...","last":"..."}
    {"topic":"transactions","key":"C000031","type":"transaction","id":"7","source":"/bank/cards",
     "time":"2017-03-01T12:00:03Z","data":{"amount":1250,"direction":"debit"}}
    {"topic":"bank-feed","key":"STORE-31","arrived":"2017-03-01T12:00:03Z","raw":"2017-03-01T12:00:03Z;C000031;POS;..."}
"""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Literal, cast

import msgspec

from kairos.instants import SECOND, Millis, from_rfc3339, instant_of
from kairos.ports import Record
from streams import card_feed
from streams.event_log_moved import feed_line_later, later, profile_later
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS

__all__ = ["FORMAT", "BrokenLog", "Header", "Line", "lines", "read", "read_some", "shift_to", "write", "writing"]

FORMAT: Final = "kairos-log/1"

_TOPICS: Final = {
    "app-usage": APP_USAGE,
    "transactions": TRANSACTIONS,
    "customers": CUSTOMERS,
    "feedback": FEEDBACK,
    "bank-feed": card_feed.TOPIC,
}


class BrokenLog(Exception):
    """The file is no event log; the message names the file and the line."""


class Header(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="format", tag=FORMAT
):
    """What a log says of itself.

    Parameters
    ----------
    title, note
        For people; the note says what in it is invented.
    origin
        `real` where the events were recorded, `simulated` where a program made all of them up.
    first, last
        When its first and its last record arrived, RFC 3339.
    counts
        How many lines, by topic and otherwise, where the writer knew it beforehand.
    broken
        How many lines are broken on purpose: they show the dead letters.

    """

    title: str
    origin: Literal["real", "simulated"]
    note: str
    first: str
    last: str
    counts: dict[str, int] = {}
    broken: int = 0

    def __post_init__(self) -> None:
        """Refuse instants that are none, so that nobody shifts by nonsense."""
        from_rfc3339(self.first)
        from_rfc3339(self.last)

    @property
    def topics(self) -> dict[str, int]:
        """How many lines go to each topic, as far as the writer knew it beforehand."""
        return {topic: self.counts[name] for name, topic in _TOPICS.items() if name in self.counts}


class Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One record of a log.

    Parameters
    ----------
    topic
        Where it goes, by its short name.
    key
        The record's key: the customer, in the bank's own feed the store.
    type, id, source, time
        The CloudEvents attributes, `type` as in `kairos.events.EventType`; a header that is not given is not sent.
    data
        The value, a JSON object. A line without `data` and `raw` is a tombstone.
    raw
        The value as text, sent as it stands: for feeds that are no JSON and for records that are broken.
    arrived
        When it arrived, where that is not `time`: the event came late, or names no time.
    broken
        On purpose, and with which code the door must refuse it (`kairos.wire.BadRecord`; `feed` in the bank's feed).

    """

    topic: Literal["app-usage", "transactions", "customers", "feedback", "bank-feed"]
    key: str | None = None
    type: str | None = None
    id: str | None = None
    source: str | None = None
    time: str | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    raw: str | None = None
    arrived: str | None = None
    broken: str | None = None


_encode_line = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(Line).decode
_decode_header = msgspec.json.Decoder(Header).decode


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be written, gzipped where its name ends in `.gz`; the same content makes the same bytes."""
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        # Neither the hour of writing nor the file's name may change the bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            yield cast("IO[bytes]", packed)


def write(path: Path, header: Header, written: Iterable[Line]) -> int:
    """Write a log and give the number of its lines. The same lines make the same bytes."""
    count = 0
    with writing(path) as out:
        out.write(msgspec.json.encode(header) + b"\n")
        for line in written:
            out.write(_encode_line(line) + b"\n")
            count += 1
    return count


def lines(path: Path) -> tuple[Header, Iterator[Line]]:
    """Read a log as it is written.

    Raises
    ------
    BrokenLog
        At once for the header, later for the line that is broken.

    """
    opened = _numbered(path)
    number, first = next(opened, (1, b""))
    try:
        header = _decode_header(first)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BrokenLog(f"{path}:{number}: no header of {FORMAT}: {error}") from None
    return header, _lines(path, opened)


def read(path: Path, shift: Millis = 0) -> tuple[Header, Iterator[Record]]:
    """Read a log as records ready to be produced; `Record.at` is the arrival, `Record.offset` the place in the file.

    Parameters
    ----------
    path
        The log.
    shift
        Added to every time of the log, also to a consent's and to the time in a line of the bank's feed, so that an
        old log can happen today; see `shift_to`. A time that cannot be read stays as it is.

    Raises
    ------
    BrokenLog
        At once for the header, later for the line that is broken or that arrived before the one above it.

    """
    header, found = lines(path)
    moved = msgspec.structs.replace(header, first=later(header.first, shift), last=later(header.last, shift))
    return moved if shift else header, _records(path, found, shift)


def shift_to(header: Header, end: Millis, step: Millis = 1) -> Millis:
    """Give the shift with which a log ends at `end`, or up to one `step` before it.

    A step of a week keeps the weekdays and the hours of the day as they were.

    Examples
    --------
    >>> header = Header("a day", "real", "", first="2017-03-01T00:00:00Z", last="2017-03-02T00:00:00Z")
    >>> day = 86_400_000
    >>> end = from_rfc3339("2017-03-12T09:00:00Z")
    >>> shift_to(header, end) / day, shift_to(header, end, step=7 * day) / day
    (10.375, 7.0)

    """
    return (end - from_rfc3339(header.last)) // step * step


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, text in enumerate(file, 1):
                yield number, text
    except (gzip.BadGzipFile, EOFError) as error:
        raise BrokenLog(f"{path}:{number + 1}: the file is cut off or no gzip: {error}") from None


def _lines(path: Path, opened: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    for number, text in opened:
        try:
            yield _decode_line(text)
        except (msgspec.MsgspecError, ValueError) as error:
            raise BrokenLog(f"{path}:{number}: {error}") from None


def _records(path: Path, found: Iterator[Line], shift: Millis) -> Iterator[Record]:
    before: Millis = 0
    # The header is line 1, the first record's place 0.
    for place, line in enumerate(found):
        at = _arrival(path, place, line, shift)
        if at < before:
            raise BrokenLog(f"{path}:{place + 2}: it arrived before the line above it; sort the file by arrival")
        before = at
        yield _record(place, line, at, shift)


def read_some(path: Path, places: Iterable[int], shift: Millis = 0) -> Iterator[Record]:
    """Read some records of a log that was read before; the other lines are passed over and not looked at.

    Parameters
    ----------
    path, shift
        As for `read`.
    places
        The places of the records in the file, in their order.

    Raises
    ------
    BrokenLog
        A line is broken, or the file ends too early.

    """
    opened = _numbered(path)
    next(opened, None)
    for place in places:
        number, text = next((found for found in opened if found[0] == place + 2), (0, b""))
        if not number:
            raise BrokenLog(f"{path}: there is no line {place + 2}")
        (line,) = _lines(path, iter([(number, text)]))
        yield _record(place, line, _arrival(path, place, line, shift), shift)


def _arrival(path: Path, place: int, line: Line, shift: Millis) -> Millis:
    try:
        at = instant_of((line.arrived or line.time or "").encode())
    except ValueError as error:
        raise BrokenLog(f"{path}:{place + 2}: neither `arrived` nor `time` says when it arrived: {error}") from None
    # A customer's memory counts seconds in four bytes.
    if not 0 <= at + shift < 2**32 * SECOND:
        raise BrokenLog(f"{path}:{place + 2}: it arrives before 1970 or after 2105, where no memory reaches")
    return at


def _record(place: int, line: Line, at: Millis, shift: Millis) -> Record:
    return Record(
        _TOPICS[line.topic],
        partition=0,
        offset=place,
        key=None if line.key is None else line.key.encode(),
        value=_value(line, shift),
        headers=_headers(line, shift),
        at=at + shift,
    )


def _value(line: Line, shift: Millis) -> bytes | None:
    if line.raw is not None:
        return (feed_line_later(line.raw, shift) if shift and line.topic == "bank-feed" else line.raw).encode()
    if isinstance(line.data, msgspec.UnsetType):
        return None
    return profile_later(line.data, shift) if shift and line.topic == "customers" else bytes(line.data)


_SPEC: Final = ("ce_specversion", b"1.0")
_JSON: Final = ("content-type", b"application/json")


def _headers(line: Line, shift: Millis) -> tuple[tuple[str, bytes], ...]:
    # As `kairos.wire.headers` writes them, but a broken record may lack some, and a foreign one has none.
    if line.type is None:
        return ()
    time = later(line.time, shift) if line.time and shift else line.time
    type_ = f"kairos.{line.type}.v1"
    named = (("ce_id", line.id), ("ce_source", line.source), ("ce_type", type_), ("ce_time", time))
    return (_SPEC, *[(name, text.encode()) for name, text in named if text is not None], _JSON)
