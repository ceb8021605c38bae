"""Recent events: the names a customer's record remembers, so that a duplicate is recognised.

A name is remembered for 24 hours or until 64 others came, whichever is more. An entry is eight bytes of the
event's name and four of its second; the newest comes last.
"""

import struct

from kairos.instants import DAY, SECOND, Millis

__all__ = ["KEPT", "remember", "seen"]

KEPT = 64
_ENTRY = struct.Struct(">8sI")


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
    while place >= 0 and place % _ENTRY.size:
        place = packed.find(wanted, place + 1)
    return place >= 0


def remember(packed: bytes, name: str, now: Millis) -> bytes:
    """Add an event's name at `now`, and forget what is both older than 24 hours and beyond the newest 64."""
    second = now // SECOND
    grown = packed + _ENTRY.pack(bytes.fromhex(name[:16]), second)
    if len(grown) <= KEPT * _ENTRY.size:
        return grown
    first, last = 0, len(grown) - KEPT * _ENTRY.size
    while first < last and _ENTRY.unpack_from(grown, first)[1] < second - DAY // SECOND:
        first += _ENTRY.size
    return grown[first:]
