"""A line of an event log as the record that came from Kafka, or is to be produced to it."""

from functools import lru_cache
from typing import Final

import msgspec

from kairos.instants import Millis
from kairos.ports import Record
from streams.event_log_line import TOPIC_OF_LINE, Line
from streams.event_log_moved import feed_line_later, later, profile_later

__all__ = ["record_of"]

_SPEC: Final = ("ce_specversion", b"1.0")
_JSON: Final = ("content-type", b"application/json")

_Header = tuple[str, bytes]


def record_of(line: Line, place: int, at: Millis, shift: Millis = 0) -> Record:
    """Give a line as a record.

    Parameters
    ----------
    line, place
        The line and its place in the file, which is the record's offset.
    at
        When it arrived.
    shift
        Added to every time in it.

    """
    return Record(
        TOPIC_OF_LINE[line.topic],
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


def _headers(line: Line, shift: Millis) -> tuple[_Header, ...]:
    # As `kairos.wire.headers` writes them, but a broken record may lack some, and a foreign one has none.
    if line.type is None:
        return ()
    found = [_SPEC]
    if line.id is not None:
        found.append(("ce_id", line.id.encode()))
    if line.source is not None:
        found.append(_same("ce_source", line.source))
    found.append(_same("ce_type", f"kairos.{line.type}.v1"))
    if line.time is not None:
        found.append(("ce_time", (later(line.time, shift) if shift else line.time).encode()))
    return (*found, _JSON)


@lru_cache(maxsize=1024)
def _same(name: str, text: str) -> _Header:
    """Give a header that many lines have."""
    return name, text.encode()
