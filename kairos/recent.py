"""Recent events: the names a customer's record remembers, so that a duplicate is recognised.

A name is remembered for 24 hours or until 64 others came, whichever is more, but never more than 4,096 names: a key
with more events a day is no person, and its record would grow until Kafka refused it (docs/decisions/0006). An entry is
eight bytes of the event's name and four of its second; the newest comes last.
"""

import struct

from kairos.instants import DAY, SECOND, Millis

__all__ = ["KEPT", "MOST", "remember"]

KEPT = 64
"""How many names are remembered however old they are."""
MOST = 4_096
"""How many names are remembered however young they are."""
_ENTRY = struct.Struct(">8sI")
_SIZE = _ENTRY.size
_FULL = KEPT * _SIZE


def remember(packed: bytes, name: str, now: Millis) -> bytes | None:
    """Add an event's name at `now`, and forget what is both older than 24 hours and beyond the newest 64.

    Returns
    -------
    The names as they are now, or None where this one is among them already: the event came before.

    Examples
    --------
    >>> ring = remember(b"", "1edca72187bb1db1f0bf84c5cf77fff1", 1796097600250)
    >>> remember(ring, "1edca72187bb1db1f0bf84c5cf77fff1", 1796097600250) is None
    True
    >>> for number in range(MOST + 9):
    ...     ring = remember(ring, f"{number:016x}", 1796097600250)
    >>> [remember(ring, f"{number:016x}", 1796097600250) is None for number in (8, 9)]
    [False, True]

    """
    entry = bytes.fromhex(name[:16])
    place = packed.find(entry)
    # The eight bytes may also be found across two entries by chance; only an entry's start counts.
    while place >= 0:
        if place % _SIZE == 0:
            return None
        place = packed.find(entry, place + 1)
    second = now // SECOND
    grown = packed + entry + second.to_bytes(4)
    if len(grown) <= _FULL:
        return grown
    first, last = max(0, len(grown) - MOST * _SIZE), len(grown) - _FULL
    while first < last and _ENTRY.unpack_from(grown, first)[1] < second - DAY // SECOND:
        first += _SIZE
    return grown[first:]
