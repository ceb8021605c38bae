"""Panes: what the amounts of some events come to by the hour or by the day, packed; all that sums and averages need.

A pane is an hour of UTC or a calendar day in a zone, and one whole number: a sum, a count, the smallest or the largest
value. Panes are joined by operations that know no order, so an event that comes late is put where it belongs. The bytes
are the newest pane, which of those before it hold anything (a bit each), and the numbers, the newest last: as many
bytes each as the largest needs, without the decimal zeros at the end that all have in common.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kairos.events import Event
from kairos.ids import memory_id
from kairos.instants import HOUR
from rules.moments import day_of
from rules.selectors import Selector

__all__ = ["Of", "Panes", "add", "largest", "reaches", "rows", "smallest", "total"]

Of = Literal["sum", "count", "min", "max"]
Join = Callable[[int, int], int]
_HEAD = 5
_MOST = 2**63 - 1
"""What a pane holds; nobody spends as much in a day, but a broken producer may say so."""


def _sum(known: int, value: int) -> int:
    return min(known + value, _MOST)


_JOINS: Mapping[Of, Join] = {"sum": _sum, "count": _sum, "min": min, "max": max}


def add(packed: bytes, pane: int, value: int, kept: int, join: Join) -> bytes:
    """Join a value to its pane, and keep the newest `kept` panes, whether or not they hold anything.

    Examples
    --------
    >>> packed = add(add(add(b"", 7, 500, 3, max), 9, 200, 3, max), 8, 90, 3, max)
    >>> rows(packed), rows(add(packed, 10, 30, 3, max))
    ({7: 500, 8: 90, 9: 200}, {8: 90, 9: 200, 10: 30})

    """
    if not packed:
        return _packed({pane: value})
    newest = int.from_bytes(packed[:3])
    if pane <= newest - kept:
        return packed
    if pane == newest:
        grown = _in_place(packed, value, join)
        if grown is not None:
            return grown
    found = rows(packed)
    found[pane] = join(found[pane], value) if pane in found else value
    oldest = max(newest, pane) - kept
    return _packed({known: number for known, number in found.items() if known > oldest})


def _in_place(packed: bytes, value: int, join: Join) -> bytes | None:
    """Join a value to the newest pane, where everything else in the bytes stays as it is."""
    width, scale = packed[3] >> 4, _scale(packed)
    known = int.from_bytes(packed[-width:]) * scale
    joined = join(known, value)
    if joined == known:
        return packed
    number, rest = divmod(joined, scale)
    # Which bytes are written follows from the numbers alone, or the order of arrival would show.
    if rest or joined < known or number % 10 == 0 or number.bit_length() > 8 * width:
        return None
    return packed[:-width] + number.to_bytes(width)


def _scale(packed: bytes) -> int:
    return int(10 ** (packed[3] & 15))


def _packed(found: Mapping[int, int]) -> bytes:
    newest, panes = max(found), sorted(found)
    numbers, zeros = [found[pane] for pane in panes], 0
    while zeros < 15 and not any(number % 10 for number in numbers):
        numbers, zeros = [number // 10 for number in numbers], zeros + 1
    width = max(1, (max(numbers).bit_length() + 7) // 8)
    bits = sum(1 << (newest - pane) for pane in panes)
    marks = bits.to_bytes((bits.bit_length() + 7) // 8)
    head = newest.to_bytes(3) + bytes((width << 4 | zeros, len(marks))) + marks
    return head + b"".join(number.to_bytes(width) for number in numbers)


def rows(packed: bytes) -> dict[int, int]:
    """Give every pane that holds something, the oldest first."""
    if not packed:
        return {}
    newest, end = int.from_bytes(packed[:3]), _HEAD + packed[4]
    width, scale, bits = packed[3] >> 4, _scale(packed), int.from_bytes(packed[_HEAD:end])
    panes = [newest - back for back in range(bits.bit_length() - 1, -1, -1) if bits >> back & 1]
    starts = range(end, len(packed), width)
    return {
        pane: int.from_bytes(packed[start : start + width]) * scale for pane, start in zip(panes, starts, strict=True)
    }


def _between(packed: bytes, first: int, last: int) -> bytes:
    """Give the numbers of the panes from `first` to `last`."""
    newest, end, width = int.from_bytes(packed[:3]), _HEAD + packed[4], packed[3] >> 4
    bits = int.from_bytes(packed[_HEAD:end])
    # Only an event that comes late finds panes that are newer than its own.
    newer = (bits & ((1 << (newest - last)) - 1)).bit_count() if last < newest else 0
    until = len(packed) - newer * width
    count = (bits & ((1 << (newest - first + 1)) - 1)).bit_count() - newer if first <= newest else 0
    return packed[until - count * width : until] if count > 0 else b""


def total(packed: bytes, first: int, last: int) -> int:
    """Add up the panes from `first` to `last`.

    Examples
    --------
    >>> packed = add(add(add(b"", 7, 500, 9, int.__add__), 9, 200, 9, int.__add__), 9, 70, 9, int.__add__)
    >>> total(packed, 7, 9), total(packed, 8, 9), total(packed, 1, 8), total(b"", 1, 9)
    (770, 270, 500, 0)

    """
    if not packed:
        return 0
    width, numbers, found = packed[3] >> 4, _between(packed, first, last), 0
    for place in range(width):
        found = (found << 8) + sum(numbers[place::width])
    return found * _scale(packed)


def smallest(packed: bytes, first: int, last: int) -> int | None:
    """Give the smallest number of the panes from `first` to `last`, or None where they hold nothing."""
    return _extreme(packed, first, last, min)


def largest(packed: bytes, first: int, last: int) -> int | None:
    """Give the largest."""
    return _extreme(packed, first, last, max)


def _extreme(packed: bytes, first: int, last: int, pick: Callable[[list[bytes]], bytes]) -> int | None:
    numbers = _between(packed, first, last) if packed else b""
    width = packed[3] >> 4 if packed else 1
    # Numbers of one width sort as their bytes do.
    found = [numbers[start : start + width] for start in range(0, len(numbers), width)]
    return int.from_bytes(pick(found)) * _scale(packed) if found else None


def reaches(packed: bytes, first: int, kept: int) -> bool:
    """Whether no pane from `first` on was let go; only one that looks back from a late event finds it so."""
    return not packed or int.from_bytes(packed[:3]) - kept < first


@dataclass(frozen=True, slots=True)
class Panes:
    """What one field of some events comes to, pane by pane.

    Parameters
    ----------
    selector
        The events.
    of
        What becomes of the values of one pane.
    field
        Whose values: `amount`, or another field of whole numbers.
    currency
        The one currency that is seen; None for what is no money.
    zone
        Whose calendar days the panes are; None for hours.
    kept
        How many panes are kept, counted back from the newest.

    """

    selector: Selector
    of: Of
    field: str
    currency: str | None
    zone: str | None
    kept: int

    @property
    def key(self) -> str:
        """The name of its content; how much is kept is no part of it."""
        said = (self.selector.key, self.of, self.field, self.currency or "", self.zone or "")
        return memory_id(" ".join(said))

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The one."""
        return (self.selector,)

    @property
    def capacity(self) -> int:
        """The panes."""
        return self.kept

    @property
    def most_bytes(self) -> int:
        """Eight bytes a pane at the worst; sums of money in daily life need two to four."""
        return _HEAD + (self.kept + 7) // 8 + 8 * self.kept

    def fold(self, packed: bytes, event: Event) -> bytes:
        """Join the event's value to the pane in which it happened; one without the value changes nothing."""
        data = event.data
        if self.currency is not None and getattr(data, "currency", None) != self.currency:
            return packed
        value = getattr(data, self.field, None)
        if value is None:
            return packed
        pane = event.at // HOUR if self.zone is None else day_of(event.at, self.zone)
        return add(packed, pane, 1 if self.of == "count" else value, self.kept, _JOINS[self.of])

    def merged(self, packed: bytes, other: bytes) -> bytes:
        """Keep of each pane what more of its events led to; values are never below nothing, so a sum only grows."""
        if not packed or not other:
            return packed or other
        found, more = rows(packed), rows(other)
        further = min if self.of == "min" else max
        for pane, number in more.items():
            found[pane] = further(found.get(pane, number), number)
        oldest = max(found) - self.kept
        return _packed({pane: number for pane, number in found.items() if pane > oldest})

    def joined(self, other: "Panes") -> "Panes":
        """Give the one that keeps more; else they are the same."""
        return self if self.kept >= other.kept else other
