"""Instants: milliseconds since 1970 in UTC inside, aware datetimes and RFC 3339 at the border."""

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
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = DAY // SECOND


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
        since = datetime.fromisoformat(text.decode()) - _1970
        # Three digits are no more than milliseconds, so nothing is to be rounded.
        return (since.days * _DAY_SECONDS + since.seconds) * SECOND + since.microseconds // SECOND
    return from_rfc3339(text.decode())


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
