"""Recent events: the names a customer's record remembers, so that a duplicate is recognised.

A name is remembered for 24 hours or until 64 others came, whichever is more, but never more than 4,096 names: a key
with more events a day is no person, and its record would grow until Kafka refused it (docs/decisions/0006). An entry is
eight bytes of the event's name and four of its second; the newest comes last.
"""

import struct

from kairos.instants import DAY, SECOND, Millis

__all__ = ["KEPT", "MOST", "remember", "seen"]

KEPT = 64
"""How many names are remembered however old they are."""
MOST = 4_096
"""How many names are remembered however young they are."""
_ENTRY = struct.Struct(">8sI")
_SIZE = _ENTRY.size
_FULL = KEPT * _SIZE


def seen(packed: bytes, name: str) -> bool:
    """Whether the event of this name is among the recent ones.

    Examples
    --------
    >>> ring = remember(b"", "1edca72187bb1db1f0bf84c5cf77fff1", 1796097600250)
    >>> seen(ring, "1edca72187bb1db1f0bf84c5cf77fff1"), seen(ring, "ffdca72187bb1db1f0bf84c5cf77fff1")
    (True, False)

    """
    wanted = bytes.fromhex(name[:16])
    place = packed.find(wanted)
    # The eight bytes may also be found across two entries by chance; only an entry's start counts.
    while place >= 0 and place % _SIZE:
        place = packed.find(wanted, place + 1)
    return place >= 0


def remember(packed: bytes, name: str, now: Millis) -> bytes:
    """Add an event's name at `now`, and forget what is both older than 24 hours and beyond the newest 64.

    Examples
    --------
    >>> ring = b""
    >>> for number in range(MOST + 9):
    ...     ring = remember(ring, f"{number:016x}", 1796097600250)
    >>> seen(ring, f"{8:016x}"), seen(ring, f"{9:016x}")
    (False, True)

    """
    second = now // SECOND
    grown = packed + bytes.fromhex(name[:16]) + second.to_bytes(4)
    if len(grown) <= _FULL:
        return grown
    first, last = max(0, len(grown) - MOST * _SIZE), len(grown) - _FULL
    while first < last and _ENTRY.unpack_from(grown, first)[1] < second - DAY // SECOND:
        first += _SIZE
    return grown[first:]
