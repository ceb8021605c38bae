"""Memories: since which event time each feature of the rule book is remembered, in the same commit as all else.

Whether something did not happen can only be said of a time from which everything was remembered. A feature that a book
brings begins with the newest event that was heard before; the very first ones of a partition begin with its first
event. It goes on as long as every book asks for it and for no more of it than before; else it begins anew. Where the
book wants it filled from the events that are still kept, its beginning moves back once that is done, see
`streams.warming`.

What a customer's record still holds of a feature that was given up, and is asked for again later, did happen: it may
speak for "at least". It is never taken for all that happened, because the feature's new beginning is later than that.
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from kairos.instants import SECOND, Millis
from kairos.ports import Store
from rules.book import Book
from streams import warming, watermark

__all__ = ["filled", "note", "remembered"]

_KIND = "y"
"""The kind of the record in the customers' store; it has no owner."""


class _Memories(msgspec.Struct, array_like=True, frozen=True):
    """The book that asks, and by feature since which second how much of it is kept."""

    book: str
    since: dict[str, tuple[int, int]]
    version: int = 1


_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode = msgspec.msgpack.Decoder(_Memories).decode


def remembered(store: Store, book: Book, at: Millis) -> Mapping[str, int]:
    """Give the second since when each feature of a book is remembered; a book that is new is noted.

    Parameters
    ----------
    store
        The partition's records.
    book
        The rules in force.
    at
        When the event happened that is being taken.

    """
    packed = store.get(b"", _KIND)
    if packed is not None:
        name, since = _read(packed)
        if name == book.hash:
            return since
    kept = {} if packed is None else _decode(packed).since
    new: list[str] = []
    begin = at if packed is None else max((one.newest for one in watermark.kept(store).topics.values()), default=at)
    found: dict[str, tuple[int, int]] = {}
    for key, feature in book.features.items():
        known, capacity = kept.get(key, (0, 0))
        if feature.capacity > capacity:
            known = begin // SECOND
            new.append(key)
        found[key] = (known, feature.capacity)
    # Before the first book of a partition, nothing was taken that could be read again.
    if packed is not None:
        warming.ask(store, book, new)
    packed = _encode(_Memories(book.hash, found))
    store.put(b"", _KIND, b"", packed)
    return _read(packed)[1]


def note(store: Store, book: Book) -> None:
    """Note a book that is new though nothing has happened since; a partition that heard nothing yet notes nothing."""
    if store.get(b"", _KIND) is not None:
        remembered(store, book, 0)


def filled(store: Store, since: Mapping[str, int]) -> None:
    """Note that features were filled from the past, each since a second; one that reaches further back stays so."""
    packed = store.get(b"", _KIND)
    if packed is None or not since:
        return
    known = _decode(packed)
    older = {key: (min(begin, since.get(key, begin)), most) for key, (begin, most) in known.since.items()}
    store.put(b"", _KIND, b"", _encode(msgspec.structs.replace(known, since=older)))


@lru_cache(maxsize=64)
def _read(packed: bytes) -> tuple[str, Mapping[str, int]]:
    # The same bytes lie there batch after batch, and a large book has thousands of features.
    found = _decode(packed)
    return found.book, {key: since for key, (since, _) in found.since.items()}
