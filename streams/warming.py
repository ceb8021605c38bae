"""Warming up: what a new book wants filled from the past, how far that has come, and what was found meanwhile.

A feature that begins cold is filled beside the live work: the events that the topics still hold are read again from
the oldest one, and what they come to is kept apart, a record for each customer. When everything was read that had
been taken live by then, that is the memory which the feature would have had from the oldest event on. From this commit
on it is handed over: to a customer who is looked at before anything else happens to them, to all others in portions.

Nothing here depends on the order of events or on what a memory can join: a feature is filled by one reader, in the
order in which Kafka took the events in.
"""

from collections.abc import Iterable, Mapping

import msgspec

from kairos.customer import Customer
from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.ports import Store
from rules.book import Book
from rules.cold import filled
from streams.carried import TOPIC_OF

__all__ = [
    "FOUND",
    "Found",
    "Warming",
    "again",
    "ask",
    "following",
    "forget",
    "forgotten",
    "found",
    "hand_over",
    "handing",
    "keep",
    "keep_found",
    "kept",
    "topics_of",
]

_KIND, FOUND, _FORGOTTEN = "v", "r", "g"
"""The kinds of the customers' store: the warm-up, what was found for a customer, when one was to be forgotten.

None of them has an owner.
"""


class Warming(msgspec.Struct, array_like=True, frozen=True):
    """The warm-up of a partition.

    Parameters
    ----------
    features
        What is filled: each feature's key, and how much of it.
    places
        For each topic the next offset to be read again; None is the oldest that there is.
    since
        From when on, in milliseconds, everything in a topic was read.
    handed
        None while events are read; then the last customer to whom the portions have come.
    waiting
        What a later book wants filled, after this.

    """

    features: dict[str, int]
    places: dict[str, int | None]
    since: dict[str, Millis] = {}
    handed: bytes | None = None
    waiting: dict[str, int] = {}
    version: int = 1


class Found(msgspec.Struct, array_like=True):
    """What was read again of one customer: the names of the events that counted, and what each feature remembers."""

    names: bytes = b""
    remembered: dict[str, bytes] = {}


_encode = msgspec.msgpack.Encoder(order="sorted").encode
_decode = msgspec.msgpack.Decoder(Warming).decode
_decode_found = msgspec.msgpack.Decoder(Found).decode


def kept(store: Store) -> Warming | None:
    """Read the warm-up that is under way, if there is one."""
    packed = store.get(b"", _KIND)
    return None if packed is None else _decode(packed)


def keep(store: Store, warming: Warming | None) -> None:
    """Write it, or that there is none."""
    if warming is None:
        store.delete(b"", _KIND)
    else:
        store.put(b"", _KIND, b"", _encode(warming))


def again(store: Store) -> Mapping[str, int | None] | None:
    """Give what is to be read again, for the engine: each topic's next offset; None if there is nothing to do.

    Without any topic there is something to do that needs no records.
    """
    warming = kept(store)
    return None if warming is None else warming.places if warming.handed is None else {}


def topics_of(book: Book, key: str) -> frozenset[str]:
    """Give the topics on which a feature's events lie."""
    return frozenset(TOPIC_OF[one.event] for one in book.features[key].selectors)


def ask(store: Store, book: Book, new: Iterable[str]) -> None:
    """Note what a book that comes into force wants filled, and drop what it no longer asks for.

    Parameters
    ----------
    store
        The partition's records.
    book
        The book.
    new
        The features that begin with it.

    """
    wanted, warming = filled(book), kept(store)
    asked = {key: book.features[key].capacity for key in new if key in wanted}
    if warming is None:
        if asked:
            keep(store, _begun(book, asked))
        return
    waiting = {key: most for key, most in warming.waiting.items() if key in wanted and _serves(book, key, most)} | asked
    features = {
        key: most
        for key, most in warming.features.items()
        # What was read is handed over though nobody would ask for it today; its beginning is told already.
        if _serves(book, key, most) and key not in asked and (warming.handed is not None or key in wanted)
    }
    handed = b"" if warming.handed is None and not features else warming.handed
    keep(store, msgspec.structs.replace(warming, features=features, waiting=waiting, handed=handed))


def _serves(book: Book, key: str, most: int) -> bool:
    return key in book.features and book.features[key].capacity <= most


def _begun(book: Book, features: Mapping[str, int]) -> Warming:
    topics = sorted({topic for key in features for topic in topics_of(book, key)})
    return Warming(dict(features), dict.fromkeys(topics))


def following(book: Book, warming: Warming) -> Warming | None:
    """Give the warm-up that comes after one that is done."""
    return _begun(book, warming.waiting) if warming.waiting else None


def found(store: Store, customer: str) -> Found | None:
    """Read what was found of a customer."""
    packed = store.get(b"", FOUND, customer.encode())
    return None if packed is None else _decode_found(packed)


def keep_found(store: Store, customer: str, one: Found) -> None:
    """Write it."""
    store.put(b"", FOUND, customer.encode(), _encode(one))


def handing(store: Store) -> Warming | None:
    """Give the warm-up if what it found is being handed over."""
    warming = kept(store)
    return None if warming is None or warming.handed is None else warming


def hand_over(store: Store, warming: Warming, book: Book, name: str, customer: Customer) -> None:
    """Join what was found of a customer to what is remembered, once."""
    one = found(store, name)
    if one is None:
        return
    store.delete(b"", FOUND, name.encode())
    for key in warming.features:
        feature, more = book.features.get(key), one.remembered.get(key)
        if feature is not None and more:
            customer.remembered[key] = feature.merged(customer.remembered.get(key, b""), more)


def forget(store: Store, customer: str, at: Millis) -> None:
    """Forget what was found of a customer, and note until when nothing of them may be read again.

    Parameters
    ----------
    store
        The partition's records.
    customer
        Who is to be forgotten.
    at
        When Kafka took that in.

    """
    name = customer.encode()
    if store.get(b"", FOUND, name) is not None:
        store.delete(b"", FOUND, name)
    store.put(b"", _FORGOTTEN, _masked(customer), at.to_bytes(8))


def forgotten(store: Store, customer: str) -> Millis:
    """Give until when Kafka took in what may not be read again of a customer; -1 where nothing was to be forgotten."""
    packed = store.get(b"", _FORGOTTEN, _masked(customer))
    return -1 if packed is None else int.from_bytes(packed)


def _masked(customer: str) -> bytes:
    # Whoever is forgotten shall not be found by name in what tells that they are.
    return bytes.fromhex(content_hash(customer.encode()))[:8]
