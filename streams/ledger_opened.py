"""Opened: the store of one step, in which what nearly every command changes is unpacked and packed once.

A programme's commands all change the same few counts. These are handed out as they are while the step runs, and lie in
the store when `close` was called.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar, cast

import msgspec

from kairos.ports import Store

__all__ = ["Opened"]

S = TypeVar("S", bound=msgspec.Struct)
_Name = tuple[bytes, str, bytes]


class Opened:
    """A store, as `kairos.ports.Store`, with some records open: those are read by `opened` and written by `keep` alone.

    Parameters
    ----------
    store
        The partition's records.

    Examples
    --------
    >>> from streams.ledger_records import Pool, read_pool, write_pool
    >>> from streams.memory_store import MemoryStore
    >>> memory = MemoryStore()
    >>> store = Opened(memory)
    >>> write_pool(store, b"lunch", "cafe", Pool(serial=1))
    >>> read_pool(store, b"lunch", "cafe").serial, read_pool(memory, b"lunch", "cafe").serial
    (1, 0)
    >>> store.close()
    >>> read_pool(memory, b"lunch", "cafe").serial
    1

    """

    __slots__ = ("_changed", "_open", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[_Name, msgspec.Struct] = {}
        self._changed: dict[_Name, None] = {}

    def get(self, key: bytes, kind: str, id_: bytes = b"") -> bytes | None:
        """Give the value, or None."""
        return self._store.get(key, kind, id_)

    def put(self, key: bytes, kind: str, id_: bytes, value: bytes) -> None:
        """Write a value."""
        self._store.put(key, kind, id_, value)

    def delete(self, key: bytes, kind: str, id_: bytes = b"") -> None:
        """Remove a value."""
        self._store.delete(key, kind, id_)

    def scan(self, key: bytes, kind: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Give (id, value) of one kind, by id."""
        self.close()
        return self._store.scan(key, kind, start)

    def opened(self, name: _Name, unpack: Callable[[bytes], S]) -> S | None:
        """Give a record to be read, or to be changed and kept; the same one to all who ask."""
        found = self._open.get(name)
        if found is None and (packed := self._store.get(*name)) is not None:
            found = self._open[name] = unpack(packed)
        return cast("S | None", found)

    def keep(self, name: _Name, record: msgspec.Struct) -> None:
        """Note that a record was changed."""
        self._open[name] = record
        self._changed[name] = None

    def close(self) -> None:
        """Write what was changed."""
        for name in self._changed:
            self._store.put(*name, msgspec.msgpack.encode(self._open[name]))
        self._changed.clear()
