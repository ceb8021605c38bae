"""Values: which values of a field came last, and when each was last seen; packed, for counting different ones.

A value is remembered by three bytes of its hash and the second in which it was last seen, the newest ones only. Two
values of one customer share their three bytes in one of 16.8 million cases; among 16 values some two do for one
customer in 140,000, among 64 for one in 8,300, and then they count as one. The newest seconds of each value, and of
those the newest, are the same in whatever order the events arrive.
"""

import hashlib
from dataclasses import dataclass

from kairos.events import Event
from kairos.ids import memory_id
from rules import rings
from rules.fields import CATEGORY
from rules.selectors import Selector

__all__ = ["Values", "add", "name_of", "ring", "seen"]

_SECOND, _HASH = 4, 3
_ENTRY = _SECOND + _HASH


def add(packed: bytes, name: bytes, at: int, kept: int) -> bytes:
    """Remember that a value was seen in a second, and keep the newest `kept` values.

    Examples
    --------
    >>> packed = add(add(add(b"", b"aaa", 10, 2), b"bbb", 30, 2), b"aaa", 20, 2)
    >>> seen(packed)
    [(20, b'aaa'), (30, b'bbb')]
    >>> seen(add(packed, b"ccc", 25, 2)), seen(add(packed, b"aaa", 5, 2)) == seen(packed)
    ([(25, b'ccc'), (30, b'bbb')], True)

    """
    found = seen(packed)
    for place, (known, other) in enumerate(found):
        if other == name:
            if known >= at:
                return packed
            del found[place]
            break
    found.append((at, name))
    newest = sorted(found)[-kept:]
    return b"".join([second.to_bytes(_SECOND) for second, _ in newest]) + b"".join([one for _, one in newest])


def name_of(value: str) -> bytes:
    """Give the name under which a value is remembered."""
    return hashlib.blake2b(value.encode(), digest_size=_HASH).digest()


def seen(packed: bytes) -> list[tuple[int, bytes]]:
    """Give the values by the second in which each was last seen, the newest last."""
    count = len(packed) // _ENTRY
    hashes = packed[_SECOND * count :]
    return [
        (
            int.from_bytes(packed[_SECOND * place : _SECOND * (place + 1)]),
            hashes[_HASH * place : _HASH * (place + 1)],
        )
        for place in range(count)
    ]


def ring(packed: bytes) -> bytes:
    """Give the seconds alone, as `rules.rings` reads them."""
    return packed[: len(packed) // _ENTRY * _SECOND]


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a field of some events had lately."""

    selector: Selector
    field: str
    kept: int = rings.KEPT

    @property
    def key(self) -> str:
        """The name of its content; how much is kept is no part of it."""
        return memory_id(f"{self.selector.key} values {self.field}")

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The one."""
        return (self.selector,)

    @property
    def capacity(self) -> int:
        """The values."""
        return self.kept

    @property
    def most_bytes(self) -> int:
        """Seven bytes a value."""
        return _ENTRY * self.kept

    def fold(self, packed: bytes, event: Event) -> bytes:
        """Remember the event's value; one without changes nothing."""
        value = event.category if self.field == CATEGORY.get(event.type) else getattr(event.data, self.field, None)
        if value is None:
            return packed
        return add(packed, name_of(value), event.at // 1000, self.kept)

    def merged(self, packed: bytes, other: bytes) -> bytes:
        """Keep of each value the later second."""
        for at, name in seen(other):
            packed = add(packed, name, at, self.kept)
        return packed

    def joined(self, other: "Values") -> "Values":
        """Give the one that keeps more; else they are the same."""
        return self if self.kept >= other.kept else other
