"""A customer's tags in 6 bytes each: which tag, when last raised, and how strongly.

A record is `(u16 tag, u16 day, f16 score)`, little-endian, sorted by tag, all in one `bytes`. The score
fades by half every `half_life` days, worked out on reading: a tag that nobody raises costs nothing.

The score has 11 significant bits. It is right to 0.05 % after each write, cannot pass 65,504, and stops
counting single events beyond 2,048 of them inside a half-life: fine for interest, not for bookkeeping. Readers
and writers must use one half-life per tag. The search reads numbers the way x86 and ARM hold them.
"""

import struct
from bisect import bisect_left
from datetime import date

__all__ = ["bump", "count", "day_of", "decode", "has", "prune", "score"]

_RECORD = struct.Struct("<HHe")
_pack, _unpack_from = _RECORD.pack, _RECORD.unpack_from
_SIZE = _RECORD.size
_HIGHEST = 65504.0
_FIRST_DAY = date(2020, 1, 1).toordinal()


def day_of(on: date) -> int:
    """Count days since 2020-01-01, the unit of every `day` here.

    Examples
    --------
    >>> day_of(date(2020, 1, 1)), day_of(date(2026, 3, 1))
    (0, 2251)

    """
    return on.toordinal() - _FIRST_DAY


def bump(packed: bytes, tag: int, day: int, weight: float = 1.0, half_life: float = 30.0) -> bytes:
    """Raise a tag by `weight` on `day`.

    A late event, older than the day in the record, is faded by its own age before it is added, and the
    record keeps its day: the result is the same as if the events had come in order, but for rounding.

    Parameters
    ----------
    packed
        The customer's tags, as these functions give them; `b""` at first.
    tag
        0 to 65,535.
    day
        0 to 65,535, see `day_of`.
    weight
        What the event is worth, not negative.
    half_life
        Days until a score is worth half.

    Raises
    ------
    ValueError
        If the tag, the day or the weight is out of its range; `packed` is untouched.

    Examples
    --------
    >>> tags = bump(bump(b"", tag=7, day=100), tag=7, day=130)
    >>> score(tags, tag=7, day=130), len(tags)
    (1.5, 6)
    >>> score(bump(tags, tag=7, day=100), tag=7, day=130)
    2.0

    """
    if not (0 <= day <= 65535 and weight >= 0.0):
        raise ValueError(f"day {day} or weight {weight} is out of range")
    at = _find(packed, tag)
    if at < 0:
        at = _place(packed, tag)
        return packed[:at] + _pack(tag, day, min(weight, _HIGHEST)) + packed[at:]
    _, last, old = _unpack_from(packed, at)
    if day == last:
        raised = old + weight
    elif day > last:
        raised = old * 0.5 ** ((day - last) / half_life) + weight
    else:
        raised = old + weight * 0.5 ** ((last - day) / half_life)
        day = last
    return packed[:at] + _pack(tag, day, min(raised, _HIGHEST)) + packed[at + _SIZE :]


def score(packed: bytes, tag: int, day: int, half_life: float = 30.0) -> float:
    """Give a tag's score as of `day`, 0.0 if the customer does not have it.

    Asked for a day before the record's, it gives the record's score: the past is not kept.
    """
    at = _find(packed, tag)
    if at < 0:
        return 0.0
    _, last, old = _unpack_from(packed, at)
    return _faded(old, day - last, half_life)


def has(packed: bytes, tag: int, day: int, at_least: float = 0.5, half_life: float = 30.0) -> bool:
    """Whether the tag's score is still `at_least` as of `day`; by default, one event for one half-life.

    Examples
    --------
    >>> tags = bump(b"", tag=7, day=100)
    >>> has(tags, 7, day=130), has(tags, 7, day=131), has(tags, 8, day=100, at_least=0.0)
    (True, False, False)

    """
    at = _find(packed, tag)
    if at < 0:
        return False
    _, last, old = _unpack_from(packed, at)
    return _faded(old, day - last, half_life) >= at_least


def decode(packed: bytes, day: int, half_life: float = 30.0, below: int | None = None) -> dict[int, float]:
    """Give all tags, or those below one, with their scores as of `day`, in the order of the tags.

    Raises
    ------
    ValueError
        If the bytes are not a whole number of records: the customer's state is damaged.

    Examples
    --------
    >>> decode(bump(bump(b"", 9, 100), 7, 130, weight=3.0), day=130)
    {7: 3.0, 9: 0.5}
    >>> decode(bump(bump(b"", 9, 100), 7, 130, weight=3.0), day=130, below=9)
    {7: 3.0}

    """
    if len(packed) % _SIZE:
        raise ValueError(f"{len(packed)} bytes are no tags, expected {_SIZE} each")
    asked = packed if below is None else packed[: _place(packed, below)]
    return {tag: _faded(old, day - last, half_life) for tag, last, old in _RECORD.iter_unpack(asked)}


def count(packed: bytes) -> int:
    """Count the tags, faded ones included."""
    return len(packed) // _SIZE


def prune(packed: bytes, day: int, at_least: float = 0.01, half_life: float = 30.0) -> bytes:
    """Drop the tags whose score has faded below `at_least`, so that a record does not grow for ever.

    Examples
    --------
    >>> count(prune(bump(bump(b"", 9, 100), 7, 400), day=400))
    1

    """
    records = _RECORD.iter_unpack(packed)
    kept = (r for r in records if _faded(r[2], day - r[1], half_life) >= at_least)
    return b"".join(_pack(*record) for record in kept)


def _find(packed: bytes, tag: int) -> int:
    """Where the tag's record is, in bytes; -1 if there is none."""
    if not 0 <= tag <= 65535:
        raise ValueError(f"tag {tag} is out of range, 0 to 65535")
    wanted = tag.to_bytes(2, "little")
    at = packed.find(wanted)
    # The two bytes may also be found inside a record; only a record's start counts.
    while at > 0 and at % _SIZE:
        at = packed.find(wanted, at + 1)
    return at


def _place(packed: bytes, tag: int) -> int:
    """How many bytes of records of lower tags there are: where the tag's record is or belongs."""
    if not packed:
        return 0
    # A strided view lets bisect search inside the bytes, in C, without unpacking a record.
    return bisect_left(memoryview(packed).cast("H")[::3], tag) * _SIZE


def _faded(old: float, days: int, half_life: float) -> float:
    return float(old * 0.5 ** (days / half_life)) if days > 0 else old
