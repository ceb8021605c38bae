"""Instants: milliseconds since 1970 in UTC inside, aware datetimes and RFC 3339 at the border."""

import re
from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "Millis", "from_rfc3339", "instant_of", "moment", "rfc3339"]

Millis = int
"""An instant or a length of time in milliseconds."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR

_POINT, _Z = b".Z"
_TO_THE_SECOND = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def from_rfc3339(text: str) -> Millis:
    """Read an instant; a text without a zone is refused.

    Raises
    ------
    ValueError
        The text is not RFC 3339 or names no zone. The record that carried it is a dead letter.

    Examples
    --------
    >>> from_rfc3339("2026-12-01T12:00:00.250+08:00")
    1796097600250
    >>> from_rfc3339("2026-12-01T12:00:00")
    Traceback (most recent call last):
    ValueError: '2026-12-01T12:00:00' names no time zone

    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return round(instant.timestamp() * 1000)


def instant_of(text: bytes) -> Millis:
    """Read an instant from a header's bytes, as `from_rfc3339` does; UTC to the millisecond, as most write it, fast.

    Raises
    ------
    ValueError
        The bytes are not UTF-8, not RFC 3339, or name no zone.

    Examples
    --------
    >>> instant_of(b"2026-12-01T04:00:00.250Z"), instant_of(b"2026-12-01T12:00:00.250+08:00")
    (1796097600250, 1796097600250)

    """
    if len(text) == 24 and text[19] == _POINT and text[23] == _Z:
        second, rest = _second(text[:19]), text[20:23]
        if second is not None and rest.isdigit():
            return second + int(rest)
    return from_rfc3339(text.decode())


@lru_cache(maxsize=4096)
def _second(text: bytes) -> Millis | None:
    # The events of a batch lie in few seconds, and those of a log in few days.
    hour, minute, second = text[11:13], text[14:16], text[17:19]
    if not _TO_THE_SECOND.fullmatch(text) or hour > b"23" or minute > b"59" or second > b"59":
        return None
    midnight = _midnight(text[:10])
    return None if midnight is None else midnight + int(hour) * HOUR + int(minute) * MINUTE + int(second) * SECOND


@lru_cache(maxsize=1024)
def _midnight(day: bytes) -> Millis | None:
    try:
        return from_rfc3339(f"{day.decode()}T00:00:00Z")
    except ValueError:
        return None


@lru_cache(maxsize=256)
def moment(instant: Millis) -> datetime:
    """Give the instant as an aware datetime in UTC.

    Examples
    --------
    >>> moment(1796097600250).isoformat()
    '2026-12-01T04:00:00.250000+00:00'

    """
    return datetime.fromtimestamp(instant / 1000, UTC)


@lru_cache(maxsize=256)
def rfc3339(instant: Millis) -> str:
    """Write an instant, to the millisecond, in UTC.

    Examples
    --------
    >>> rfc3339(1796097600250)
    '2026-12-01T04:00:00.250Z'

    """
    return moment(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")
