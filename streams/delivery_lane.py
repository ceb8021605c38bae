"""A lane: the offers of one partition that are under way, and the note by which the next owner goes on.

A mark is one offset and a short text beside it. The offset is the first offer that is not settled; the text says which
ones behind it are, and which were claimed: handed to the gateway, perhaps, by a process that may have died before it
could tell.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

__all__ = ["Lane", "Mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a lane stands.

    Parameters
    ----------
    offset
        The first offset that is not settled.
    settled, claimed
        Offsets from there on that are settled, and that were claimed and are not settled.

    Examples
    --------
    >>> mark = Mark(100, frozenset({102}), frozenset({100, 101}))
    >>> mark.text
    '{"settled":[2],"claimed":[0,1]}'
    >>> Mark.read(100, mark.text) == mark
    True

    """

    offset: int
    settled: frozenset[int] = frozenset()
    claimed: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """What is written beside the offset; offsets count from it."""
        found = {"settled": self._from_offset(self.settled), "claimed": self._from_offset(self.claimed)}
        return json.dumps(found, separators=(",", ":")) if self.settled or self.claimed else ""

    @classmethod
    def read(cls, offset: int, text: str) -> "Mark":
        """Read a mark back.

        Raises
        ------
        ValueError
            Somebody else wrote this text: offsets were set by a tool that knows nothing of ours.

        """
        if not text:
            return cls(offset)
        found = json.loads(text)
        settled, claimed = (frozenset(offset + step for step in found[name]) for name in ("settled", "claimed"))
        return cls(offset, settled, claimed)

    @classmethod
    def of(cls, marks: Iterable[Self]) -> Self | None:
        """Join what several processes noted of one lane, whatever the order in which they did; None where nobody did.

        What one of them saw settled is settled. What one of them claimed may be with the gateway until it is.

        Examples
        --------
        >>> Mark.of([Mark(100, frozenset({102}), frozenset({101})), Mark(98, frozenset(), frozenset({99, 102, 103}))])
        Mark(offset=100, settled=frozenset({102}), claimed=frozenset({101, 103}))

        """
        noted = list(marks)
        if not noted:
            return None
        first = max(mark.offset for mark in noted)
        settled = {offset for mark in noted for offset in mark.settled if offset >= first}
        claimed = {offset for mark in noted for offset in mark.claimed if offset >= first} - settled
        return cls(first, frozenset(settled), frozenset(claimed))

    def _from_offset(self, offsets: Iterable[int]) -> list[int]:
        return [offset - self.offset for offset in sorted(offsets)]


class Lane:
    """The offers of one partition that are under way, in their order.

    Examples
    --------
    >>> lane = Lane(Mark(7))
    >>> for offset in (7, 8, 9):
    ...     lane.take(offset)
    >>> lane.settle(8)
    >>> lane.mark.offset, lane.mark.settled
    (7, frozenset({8}))
    >>> lane.settle(7)
    >>> lane.mark
    Mark(offset=9, settled=frozenset(), claimed=frozenset())

    """

    def __init__(self, start: Mark) -> None:
        self._next = start.offset
        self._under_way: dict[int, None] = {}
        self._settled = set(start.settled)
        self._claimed = set(start.claimed)

    @property
    def mark(self) -> Mark:
        """Where the lane stands."""
        return Mark(self._first(), frozenset(self._settled), frozenset(self._claimed))

    @property
    def length(self) -> int:
        """How many offers are between the first that is not settled and the last that was taken."""
        return len(self._under_way) + len(self._settled)

    def is_settled(self, offset: int) -> bool:
        """Whether this offer has ended, in this process or in one before it."""
        return offset in self._settled or offset < self._first()

    def is_claimed(self, offset: int) -> bool:
        """Whether this offer may be with the gateway."""
        return offset in self._claimed

    def take(self, offset: int) -> None:
        """Begin with an offer."""
        self._under_way[offset] = None
        self._next = offset + 1

    def pass_by(self, offset: int) -> None:
        """Skip an offer that was settled by the process before; the lane never goes back."""
        self._next = max(self._next, offset + 1)
        self._forget()

    def claim(self, offset: int) -> None:
        """Note that this offer is about to be handed over."""
        self._claimed.add(offset)

    def unclaim(self, offset: int) -> None:
        """Note that the gateway did not take it."""
        self._claimed.discard(offset)

    def settle(self, offset: int) -> None:
        """Note that an offer has ended and its end is written."""
        del self._under_way[offset]
        self._claimed.discard(offset)
        self._settled.add(offset)
        self._forget()

    def _first(self) -> int:
        return next(iter(self._under_way), self._next)

    def _forget(self) -> None:
        first = self._first()
        self._settled = {offset for offset in self._settled if offset >= first}
