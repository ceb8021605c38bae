"""Ties: how far a customer has come in a sequence for each value by which its steps belong together, packed.

A row for each value: a name of four bytes and a chain, see `rules.chains`. The values that took a step last are kept,
the newest last; two values of one customer share their name in one of four thousand million cases.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from kairos.events import Event
from kairos.ids import memory_id
from rules import chains
from rules.fields import CATEGORY
from rules.selectors import Selector

__all__ = ["KEPT", "Ties", "advanced", "both", "knows", "name_of", "tied"]

KEPT = 16
"""How many values are kept for one customer."""
_NAME = 4
_RUN = 16
"""The bytes of a chain for each of its steps."""

Said = Sequence[str | None]
"""What an event says in the fields that must be the same."""


def name_of(said: Said) -> bytes | None:
    """Give the name of some values; None where one is missing.

    Examples
    --------
    >>> name_of(["a", "bc"]) == name_of(["ab", "c"]), name_of(["a", None])
    (False, None)

    """
    if None in said:
        return None
    text = "".join([f"{len(one or '')}:{one}" for one in said])
    return hashlib.blake2b(text.encode(), digest_size=_NAME).digest()


def tied(packed: bytes, said: Said, steps: int) -> bytes:
    """Give the chain of some values, or nothing."""
    name = name_of(said)
    return b"" if name is None else dict(_rows(packed, steps)).get(name, b"")


def knows(packed: bytes, said: Said, steps: int, begin: int) -> bool:
    """Whether nothing after `begin` was forgotten of these values: of what had to make room, the last step is older."""
    rows = _rows(packed, steps)
    return None not in said and (len(rows) < KEPT or _newest(rows[0][1]) <= begin)


def advanced(packed: bytes, said: Said, met: Sequence[bool], at: int) -> bytes:
    """Move the chain of some values on, see `rules.chains.advanced`; where one is missing nothing changes.

    Examples
    --------
    >>> packed = advanced(advanced(b"", ["c1"], [True, False], 10), ["c2"], [False, True], 15)
    >>> chains.ends(tied(advanced(packed, ["c1"], [False, True], 20), ["c1"], 2), 2), tied(packed, ["c2"], 2)
    (((10, 20),), b'')

    """
    name = name_of(said)
    if name is None:
        return packed
    rows = dict(_rows(packed, len(met)))
    rows[name] = chains.advanced(rows.get(name, b""), met, at)
    return _packed(rows)


def both(packed: bytes, other: bytes, steps: int) -> bytes:
    """Join what two memories know of the same steps."""
    rows = dict(_rows(packed, steps))
    for name, chain in _rows(other, steps):
        rows[name] = chains.both(rows.get(name, b""), chain, steps)
    return _packed(rows)


def _rows(packed: bytes, steps: int) -> list[tuple[bytes, bytes]]:
    size = _NAME + _RUN * steps
    return [(packed[at : at + _NAME], packed[at + _NAME : at + size]) for at in range(0, len(packed), size)]


def _packed(rows: dict[bytes, bytes]) -> bytes:
    found = sorted((_newest(chain), name, chain) for name, chain in rows.items() if chain)
    return b"".join([name + chain for _, name, chain in found[-KEPT:]])


def _newest(chain: bytes) -> int:
    """Give the second of the newest step of a chain."""
    return max(int.from_bytes(chain[at + 4 : at + 8]) for at in range(0, len(chain), 8))


@dataclass(frozen=True, slots=True)
class Ties:
    """How far a customer has come in some steps that say the same in some fields."""

    selectors: tuple[Selector, ...]
    same: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of the steps in their order, and of what they share."""
        return memory_id(" ".join(("steps", *(step.key for step in self.selectors), "by", *self.same)))

    @property
    def capacity(self) -> int:
        """One: there is no more or less of it."""
        return 1

    @property
    def most_bytes(self) -> int:
        """A row for each value."""
        return KEPT * (_NAME + _RUN * len(self.selectors))

    def fold(self, packed: bytes, event: Event) -> bytes:
        """Take the event as whichever of the steps it is."""
        met = [step.meets(event) for step in self.selectors]
        return advanced(packed, self.said(event), met, event.at // 1000)

    def said(self, event: Event) -> list[str | None]:
        """Give what an event says in the fields."""
        category = CATEGORY.get(event.type)
        return [event.category if name == category else getattr(event.data, name, None) for name in self.same]

    def merged(self, packed: bytes, other: bytes) -> bytes:
        """Keep the latest runs of both: each of them happened."""
        return both(packed, other, len(self.selectors))

    def joined(self, other: "Ties") -> "Ties":
        """Give either: they are the same."""
        return self
