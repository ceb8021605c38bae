"""Rings: the newest instants of what a selector saw, packed; all that windows and recency need.

An entry is a second since 1970 in four bytes, the newest last. "At least n in the window" only asks whether
the n-th newest is young enough, so one ring answers every window exactly, and an event that comes late is
put where it belongs.
"""

from bisect import bisect_right
from collections import Counter
from struct import Struct

from kairos.instants import SECOND, Millis

__all__ = [
    "KEPT",
    "KEPT_AT_MOST",
    "SIZE",
    "add",
    "before",
    "fewer",
    "forgot",
    "long_ago",
    "merged",
    "note",
    "reached",
    "recent",
    "remove",
    "second",
    "strike",
    "until",
]

KEPT = 16
"""How many instants are kept at least, so that a threshold can be raised without starting cold."""
KEPT_AT_MOST = 64
"""How many instants are kept at most, and so the largest count that can be asked for."""
SIZE = 4
"""How many bytes an entry has."""
_LAST = 2**32 - 1


_UNPACK = tuple(Struct(f">{count}I").unpack for count in range(KEPT_AT_MOST + 1))


def second(instant: Millis) -> int:
    """Give the whole second of an instant: windows are counted in these."""
    return instant // SECOND


def add(ring: bytes, at: int, kept: int) -> bytes:
    """Put a second in its place and keep the newest `kept`.

    Examples
    --------
    >>> ring = add(add(add(b"", 100, 2), 300, 2), 200, 2)
    >>> before(ring, 1000), before(ring, 300), before(ring, 200)
    (300, 200, None)

    """
    entry = at.to_bytes(SIZE)
    end = len(ring)
    # Big-endian seconds sort as bytes do. Events mostly come in order, so the place is sought from the end.
    while end and ring[end - SIZE : end] > entry:
        end -= SIZE
    grown = ring[:end] + entry + ring[end:]
    return grown[-kept * SIZE :]


def merged(ring: bytes, other: bytes, kept: int) -> bytes:
    """Join two rings that were filled by the same events: a second is there as often as in the one that has it more.

    Examples
    --------
    >>> some, more = add(add(b"", 100, 3), 200, 3), add(add(b"", 200, 3), 200, 3)
    >>> until(merged(some, more, 3), 200), until(merged(some, more, 2), 200)
    ((100, 200, 200), (200, 200))

    """
    if not ring:
        return other[-kept * SIZE :]
    seconds = Counter(until(ring, _LAST)) | Counter(until(other, _LAST))
    return b"".join(one.to_bytes(SIZE) for one in sorted(seconds.elements())[-kept:])


def remove(ring: bytes, at: int) -> bytes:
    """Take one entry of this second out, if there is one."""
    entry = at.to_bytes(SIZE)
    for place in range(len(ring) - SIZE, -1, -SIZE):
        if ring[place : place + SIZE] == entry:
            return ring[:place] + ring[place + SIZE :]
    return ring


def note(named: dict[str, bytes], name: str, at: int) -> None:
    """Put a second into the ring of this name, and keep as many as a cap can ask for."""
    named[name] = add(named.get(name, b""), at, KEPT_AT_MOST)


def strike(named: dict[str, bytes], name: str, at: int) -> None:
    """Take one entry of this second out of the ring of this name; a ring that is empty then is no more."""
    left = remove(named.get(name, b""), at)
    if left:
        named[name] = left
    else:
        named.pop(name, None)


def until(ring: bytes, at: int) -> tuple[int, ...]:
    """Give the seconds of a ring up to `at`, the newest last."""
    if not ring:
        return ()
    seconds: tuple[int, ...] = _UNPACK[len(ring) // SIZE](ring)
    # Only an event that comes late finds newer ones than itself.
    return seconds if seconds[-1] <= at else seconds[: bisect_right(seconds, at)]


def reached(ring: bytes, at: int, within: int, count: int) -> bool:
    """Whether at least `count` lie in the window `(at - within, at]`.

    Examples
    --------
    >>> ring = add(add(b"", 100, 16), 200, 16)
    >>> reached(ring, 200, 101, 2), reached(ring, 200, 100, 2)
    (True, False)

    """
    seconds = until(ring, at)
    return len(seconds) >= count and seconds[-count] > at - within


def forgot(ring: bytes, begin: int, kept: int) -> bool:
    """Whether a ring of `kept` may have let go of something after `begin`; only who looks back from afar finds it so.

    Examples
    --------
    >>> ring = add(add(b"", 100, 2), 200, 2)
    >>> forgot(ring, 99, 2), forgot(ring, 100, 2), forgot(ring, 99, 3)
    (True, False, False)

    """
    return len(ring) >= kept * SIZE and int.from_bytes(ring[:SIZE]) > begin


def fewer(seconds: tuple[int, ...], number: int, begin: int, ring: bytes, kept: int) -> bool:
    """Whether fewer than `number` of some seconds of a ring lie after `begin`, and it forgot none there."""
    if len(seconds) >= number:
        return seconds[-number] <= begin
    return not forgot(ring, begin, kept)


def before(ring: bytes, at: int) -> int | None:
    """Give the newest second strictly before `at`, or None."""
    limit = at.to_bytes(SIZE)
    end = len(ring)
    while end and ring[end - SIZE : end] >= limit:
        end -= SIZE
    return int.from_bytes(ring[end - SIZE : end]) if end else None


def recent(ring: bytes, at: int, begin: int) -> bool:
    """Whether the newest before `at` lies after `begin`."""
    last = before(ring, at)
    return last is not None and last > begin


def long_ago(ring: bytes, at: int, begin: int) -> bool:
    """Whether the newest before `at` lies not after `begin`, or there never was one.

    A full ring that holds nothing before `at` has forgotten what was there; that is unknown, and unknown is no.
    """
    last = before(ring, at)
    return not forgot(ring, begin, KEPT) if last is None else last <= begin
