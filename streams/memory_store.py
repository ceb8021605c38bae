"""The store in memory, for tests and replay: the same records in the same order as on disk."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from streams.keys import compose

__all__ = ["MemoryStore"]


class _Kind:
    """The records of one key and kind, put in order when somebody first scans them and kept so from then on."""

    __slots__ = ("order", "values")

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.order: list[bytes] | None = None

    def put(self, id_: bytes, value: bytes) -> None:
        if self.order is not None and id_ not in self.values:
            insort(self.order, id_)
        self.values[id_] = value

    def delete(self, id_: bytes) -> None:
        if self.values.pop(id_, None) is not None and self.order is not None:
            del self.order[bisect_left(self.order, id_)]

    def ordered(self) -> list[bytes]:
        if self.order is None:
            self.order = sorted(self.values)
        return self.order


class MemoryStore:
    """Sorted records, named by (key, kind, id), as `kairos.ports.Store`.

    Examples
    --------
    >>> store = MemoryStore()
    >>> store.put(b"takeaway", "p", b"tea-10", b"second")
    >>> store.put(b"takeaway", "p", b"cafe-30", b"first")
    >>> list(store.scan(b"takeaway", "p", b"d"))
    [(b'tea-10', b'second')]
    >>> [value for name, value in store.items()]
    [b'first', b'second']

    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[bytes, str], _Kind] = {}
        self._changed: dict[tuple[bytes, str, bytes], None] = {}
        self._writes = 0

    def get(self, key: bytes, kind: str, id_: bytes = b"") -> bytes | None:
        """Give the value, or None."""
        found = self._kinds.get((key, kind))
        return None if found is None else found.values.get(id_)

    def put(self, key: bytes, kind: str, id_: bytes, value: bytes) -> None:
        """Write a value."""
        found = self._kinds.get((key, kind))
        if found is None:
            # What no composite key can name is refused here as on the disk, or tests in memory would not see it.
            compose(key, kind, b"")
            found = self._kinds[key, kind] = _Kind()
        found.put(id_, value)
        self._note(key, kind, id_)

    def delete(self, key: bytes, kind: str, id_: bytes = b"") -> None:
        """Remove a value; one that is not there is no error."""
        if (key, kind) in self._kinds:
            self._kinds[key, kind].delete(id_)
        self._note(key, kind, id_)

    def scan(self, key: bytes, kind: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Give (id, value) of one kind, by id, from `start` on.

        Raises
        ------
        RuntimeError
            Something was written while the scan ran; on disk this would give any order.

        """
        found = self._kinds.get((key, kind))
        if found is None:
            return
        order, writes = found.ordered(), self._writes
        for place in range(bisect_left(order, start), len(order)):
            if self._writes != writes:
                raise RuntimeError("the store was written while a scan ran")
            yield order[place], found.values[order[place]]

    def first(self, key: bytes, kind: str) -> bytes | None:
        """Give the first id of one kind, if there is any."""
        found = self._kinds.get((key, kind))
        return found.ordered()[0] if found is not None and found.values else None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Give every record by its composite key, sorted as on disk."""
        everything = {
            compose(key, kind, id_): value
            for (key, kind), found in self._kinds.items()
            for id_, value in found.values.items()
        }
        yield from sorted(everything.items())

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """Give what was written since this was last asked, in the order of the first write; None removes."""
        changed, self._changed = self._changed, {}
        return [(compose(*name), self.get(*name)) for name in changed]

    def _note(self, key: bytes, kind: str, id_: bytes) -> None:
        self._changed[key, kind, id_] = None
        self._writes += 1
