"""Deadlines: timers of event time, sorted by the instant they are due, in the same store and commit as everything else.

The index remembers before which instant no deadline is left. Without that, every look would run over the deleted ones
that a sorted store on disk keeps at the head of the row until it is tidied up; with it, a look costs nothing as long as
nothing can be due.
"""

import struct
from typing import NamedTuple

from kairos.instants import Millis
from kairos.ports import Store

__all__ = ["DEADLINE", "MOST", "NEVER", "Deadline", "Deadlines"]

MOST = 1_000
"""How many deadlines are taken in one step; the rest follow in the next one."""
NEVER: Millis = 2**62
"""Later than every deadline."""
DEADLINE = "e"
"""The kind of the records of the index."""
_FIRST = "f"
_DUE = struct.Struct(">Q")
_NAME = 8


class Deadline(NamedTuple):
    """Something of a customer that is due at an instant; the name is eight bytes and tells it from others."""

    due: Millis
    name: bytes
    customer: str

    @property
    def key(self) -> bytes:
        """What it is called in the index."""
        return _DUE.pack(self.due) + self.name + self.customer.encode()


class Deadlines:
    """The deadlines of one partition, for the length of a step.

    Examples
    --------
    >>> from streams.memory_store import MemoryStore
    >>> store = MemoryStore()
    >>> deadlines = Deadlines(store)
    >>> deadlines.set(Deadline(2_000, b"reminder", "c7"))
    >>> deadlines.reached(1_999), deadlines.first
    ([], 2000)
    >>> deadlines.reached(2_000)
    [Deadline(due=2000, name=b'reminder', customer='c7')]
    >>> deadlines.finish()
    >>> Deadlines(store).first == NEVER
    True

    """

    def __init__(self, store: Store) -> None:
        self._store = store
        packed = store.get(b"", _FIRST)
        self._before = self.first = NEVER if packed is None else int.from_bytes(packed)

    def set(self, deadline: Deadline) -> None:
        """Add a deadline."""
        self._store.put(b"", DEADLINE, deadline.key, b"")
        self.first = min(self.first, deadline.due)

    def cancel(self, deadline: Deadline) -> None:
        """Remove a deadline; one that is not there is no error."""
        self._store.delete(b"", DEADLINE, deadline.key)

    def reached(self, mark: Millis, most: int = MOST) -> list[Deadline]:
        """Take out what is due at `mark`, the earliest first, so many at the most."""
        if self.first > mark:
            return []
        found: list[Deadline] = []
        self.first, start = NEVER, self.first
        for key, _ in self._store.scan(b"", DEADLINE, _DUE.pack(start)):
            (due,) = _DUE.unpack_from(key)
            if due > mark or len(found) == most:
                self.first = due
                break
            end = _DUE.size + _NAME
            found.append(Deadline(due, key[_DUE.size : end], key[end:].decode()))
        for deadline in found:
            self.cancel(deadline)
        return found

    def finish(self) -> None:
        """Remember before which instant nothing is left."""
        if self.first != self._before:
            self._store.put(b"", _FIRST, b"", self.first.to_bytes(_DUE.size))
