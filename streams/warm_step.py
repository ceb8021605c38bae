"""The step of a warm-up: events that were taken before are read again for new features, and for nothing else.

It decides nothing and writes no records but state. What the door would refuse is passed over, for it has had its dead
letter; what was named alike counts once. Customers of whom there is no record were forgotten, and stay so.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

from msgspec.structs import replace

from kairos.events import Event
from kairos.instants import SECOND, Millis
from kairos.ports import Again, Batch, Output, Record, Store
from kairos.recent import remember
from kairos.wire import AHEAD, BadRecord, read, type_of, when
from rules.book import Book
from rules.compile import Compiled, Watcher, find, watchers
from streams import memories, warming
from streams.abreast import time_of
from streams.carried import CARRIES
from streams.versions import Versions
from streams.warming import Found, Warming
from streams.work import HOT, Work

__all__ = ["step"]

_PORTION = 300
"""To how many customers a step hands over what was found of them."""


def step(store: Store, batch: Batch[Versions], again: Again) -> list[Output]:
    """Read a portion of events again, or hand over to a portion of the customers; there are no outputs."""
    memories.note(store, batch.versions.book)
    found = warming.kept(store)
    if found is not None:
        if found.handed is None:
            _Reading(store, batch, found).read(again)
        else:
            _hand_over(store, batch, found, found.handed)
    return []


class _Reading:
    """One portion of events that are read again."""

    def __init__(self, store: Store, batch: Batch[Versions], found: Warming) -> None:
        self._store, self._batch, self._warming = store, batch, found
        self._watched = _watchers(batch.versions.book, frozenset(found.features))
        self._types = {type_of(event).encode() for event in self._watched.index}  # type: ignore[arg-type]
        self._found: dict[str, Found | None] = {}
        self._forgotten: dict[str, Millis] = {}

    def read(self, again: Again) -> None:
        told: list[tuple[Millis, Record]] = []
        for record in self._batch.records:
            try:
                told.append((when(record, record.at), record))
            except BadRecord:
                continue
        # As the live step sorts: what comes in one portion is taken in the order in which it happened.
        told.sort(key=lambda one: one[0])
        for at, record in told:
            self._take(record, at)
        for customer, one in self._found.items():
            if one is not None and one.names:
                warming.keep_found(self._store, customer, one)
        since = self._since(again)
        places = self._warming.places | {topic: end for topic, (_, end) in again.ranges.items()}
        if again.reached:
            memories.filled(self._store, self._begins(since))
        warming.keep(
            self._store, replace(self._warming, places=places, since=since, handed=b"" if again.reached else None)
        )

    def _take(self, record: Record, at: Millis) -> None:
        if dict(record.headers).get("ce_type") not in self._types:
            return
        try:
            # Whether its clock ran ahead is asked of the moment when Kafka took it in.
            event = read(record, record.at, self._batch.versions.apps, at)
        except BadRecord:
            return
        met = [feature for watch in find(self._watched.index, event) for feature in watch(event)]
        if not met or event.type not in CARRIES[record.topic] or not self._counts(record, event):
            return
        one = self._of(event.customer)
        names = None if one is None else remember(one.names, event.id, record.at)
        if one is None or names is None:
            return
        one.names = names
        for feature in met:
            one.remembered[feature.key] = feature.fold(one.remembered.get(feature.key, b""), event)

    def _counts(self, record: Record, event: Event) -> bool:
        customer = event.customer
        if customer not in self._forgotten:
            self._forgotten[customer] = warming.forgotten(self._store, customer)
        return record.at > self._forgotten[customer]

    def _of(self, customer: str) -> Found | None:
        if customer not in self._found:
            # Whoever has no record was forgotten, or lives in another partition.
            known = self._store.get(customer.encode(), HOT) is not None
            self._found[customer] = (warming.found(self._store, customer) or Found()) if known else None
        return self._found[customer]

    def _since(self, again: Again) -> dict[str, Millis]:
        """Tell from when on each topic was read whole, by its first record that is still there."""
        since = dict(self._warming.since)
        first: dict[str, Record] = {}
        for record in self._batch.records:
            first.setdefault(record.topic, record)
        for topic, (start, _) in again.ranges.items():
            before, oldest = self._warming.places.get(topic), first.get(topic)
            if before is not None and start > before:
                # The topic let go of what was not read yet.
                since.pop(topic, None)
            if topic not in since and oldest is not None:
                since[topic] = _begin(oldest, whole=before is None and start == 0)
        return since

    def _begins(self, since: Mapping[str, Millis]) -> dict[str, int]:
        book, found = self._batch.versions.book, {}
        for key in self._warming.features:
            topics = warming.topics_of(book, key)
            if topics <= since.keys():
                found[key] = max(since[topic] for topic in topics) // SECOND
        return found


def _begin(record: Record, *, whole: bool) -> Millis:
    """Give from when on everything is known, of a topic whose first record that is still there is this one."""
    if not whole:
        # What is gone came before this one; its clock may have run ahead by as much as is borne.
        return record.at + AHEAD
    told = time_of(record.headers)
    return record.at if told is None else told


def _hand_over(store: Store, batch: Batch[Versions], found: Warming, handed: bytes) -> None:
    work = Work.on(store, batch)
    rows = [id_ for id_, _ in islice(store.scan(b"", warming.FOUND, handed + b"\0" if handed else b""), _PORTION)]
    for id_ in rows:
        # Who is looked at is handed over to.
        if not work.known(id_.decode()):
            store.delete(b"", warming.FOUND, id_)
    work.finish()
    done = len(rows) < _PORTION
    warming.keep(store, warming.following(batch.versions.book, found) if done else replace(found, handed=rows[-1]))


@lru_cache(maxsize=4)
def _watchers(book: Book, keys: frozenset[str]) -> Compiled[Watcher]:
    return watchers(feature for key, feature in book.features.items() if key in keys)
