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
from itertools import islice
from pathlib import Path
from typing import IO, Final, cast

import msgspec

from kairos.instants import SECOND, Millis, from_rfc3339, instant_of
from kairos.ports import Record
from streams.event_log_line import FORMAT, BrokenLog, Header, Line
from streams.event_log_moved import later
from streams.event_log_record import record_of

__all__ = [
    "FORMAT",
    "Arrived",
    "BrokenLog",
    "Header",
    "Line",
    "arrived",
    "lines",
    "read",
    "read_some",
    "shift_to",
    "write",
    "writing",
]

Arrived = tuple[int, Line, Millis]
"""A line's place among the records, the line, and when it arrived."""

_BLOCK: Final = 1 << 20
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
    records = (record_of(line, place, at, shift) for place, line, at in _arrived(path, found, shift))
    if not shift:
        return header, records
    return msgspec.structs.replace(header, first=later(header.first, shift), last=later(header.last, shift)), records


def arrived(path: Path) -> Iterator[Arrived]:
    """Read a log's lines, each with its place and the moment when it arrived; the errors are those of `read`."""
    return _arrived(path, lines(path)[1], 0)


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
    found = _numbered(path, (place + 2 for place in places))
    for number, text in found:
        if not text:
            raise BrokenLog(f"{path}: there is no line {number}")
        (line,) = _lines(path, iter([(number, text)]))
        yield record_of(line, number - 2, _arrival(path, number - 2, line, shift), shift)


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


def _numbered(path: Path, wanted: Iterable[int] | None = None) -> Iterator[tuple[int, bytes]]:
    """Give all lines with their numbers, or some; a wanted line that is not there is empty."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb", buffering=_BLOCK) as file:
            if wanted is None:
                for number, text in enumerate(file, 1):
                    yield number, text
                return
            for one in wanted:
                text = next(islice(file, one - number - 1, None), b"")
                number = one
                yield number, text
    except (gzip.BadGzipFile, EOFError) as error:
        raise BrokenLog(f"{path}:{number + 1}: the file is cut off or no gzip: {error}") from None


def _lines(path: Path, opened: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    for number, text in opened:
        try:
            yield _decode_line(text)
        except (msgspec.MsgspecError, ValueError) as error:
            raise BrokenLog(f"{path}:{number}: {error}") from None


def _arrived(path: Path, found: Iterator[Line], shift: Millis) -> Iterator[Arrived]:
    before: Millis = 0
    # The header is line 1, the first record's place 0.
    for place, line in enumerate(found):
        at = _arrival(path, place, line, shift)
        if at < before:
            raise BrokenLog(f"{path}:{place + 2}: it arrived before the line above it; sort the file by arrival")
        before = at
        yield place, line, at


def _arrival(path: Path, place: int, line: Line, shift: Millis) -> Millis:
    try:
        at = instant_of((line.arrived or line.time or "").encode())
    except ValueError as error:
        raise BrokenLog(f"{path}:{place + 2}: neither `arrived` nor `time` says when it arrived: {error}") from None
    # A customer's memory counts seconds in four bytes.
    if not 0 <= at + shift < 2**32 * SECOND:
        raise BrokenLog(f"{path}:{place + 2}: it arrives before 1970 or after 2105, where no memory reaches")
    return at
