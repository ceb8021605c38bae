"""What a batch reads: named before the step and fetched at once; and what is only found out when its turn comes."""

from pathlib import Path

import pytest
from msgspec import structs

from kairos.instants import MINUTE, SECOND
from kairos.ports import Batch, Record
from streams import customers, watermark
from streams.keys import compose
from streams.memory_store import MemoryStore
from streams.store import Meta, RocksStore
from streams.topics import APP_USAGE, TRANSACTIONS
from streams.work import HOT
from tests.customer_table import Table


class Asked(MemoryStore):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[bytes] = set()

    def get(self, key: bytes, kind: str, id_: bytes = b"") -> bytes | None:
        self.names.add(compose(key, kind, id_))
        return super().get(key, kind, id_)


def refused(table: Table, *records: Record) -> list[str]:
    dead = [dict(output.headers) for output in table.hear(*records).dead]
    return [head["kairos.errors.class"].decode() for head in dead]


@pytest.fixture
def store(tmp_path: Path) -> RocksStore:
    store = RocksStore(tmp_path / "0")
    store.put(b"c1", HOT, b"", b"old")
    store.commit(Meta(), 0)
    return store


def test_what_is_fetched_is_what_is_read_one_by_one(store: RocksStore) -> None:
    store.fetch([compose(b"c1", HOT, b""), compose(b"c2", HOT, b"")])

    assert (store.get(b"c1", HOT), store.get(b"c2", HOT)) == (b"old", None)


def test_a_write_is_read_over_what_was_fetched_and_taken_back_with_the_step(store: RocksStore) -> None:
    store.fetch([compose(b"c1", HOT, b"")])

    store.put(b"c1", HOT, b"", b"new")
    written = store.get(b"c1", HOT)
    store.rollback()

    assert (written, store.get(b"c1", HOT)) == (b"new", b"old")


def test_what_was_fetched_is_not_kept_beside_what_the_step_makes_of_it(store: RocksStore) -> None:
    store.fetch([compose(b"c1", HOT, b"")])

    first, again = store.get(b"c1", HOT), store.get(b"c1", HOT)

    assert first == again == b"old"
    assert first is not again


def test_nothing_fetched_outlives_the_commit_after_it(store: RocksStore) -> None:
    store.fetch([compose(b"c1", HOT, b"")])
    store.put(b"c1", HOT, b"", b"new")

    store.commit(Meta(), 1)

    assert store.get(b"c1", HOT) == b"new"


def test_a_scan_finds_what_was_written_over_what_was_committed(store: RocksStore) -> None:
    for id_ in (b"", b"1", b"3"):
        store.put(b"c1", "d", id_, b"old")
    store.commit(Meta(), 1)

    store.put(b"c1", "d", b"", b"new")
    store.put(b"c1", "d", b"2", b"new")
    store.put(b"c2", "d", b"2", b"another's")
    store.delete(b"c1", "d", b"3")
    store.delete(b"c1", "d", b"4")
    found, later = list(store.scan(b"c1", "d")), list(store.scan(b"c1", "d", b"2"))
    store.rollback()

    assert (found, later) == ([(b"", b"new"), (b"1", b"old"), (b"2", b"new")], [(b"2", b"new")])
    assert list(store.scan(b"c1", "d")) == [(b"", b"old"), (b"1", b"old"), (b"3", b"old")]


def test_the_step_reads_no_hot_record_that_was_not_named() -> None:
    table = Table(store=Asked())
    table.hear(table.profile("c1"), table.profile("c3"))
    table.store.names = set()  # type: ignore[attr-defined]  # ours, see above
    batch = [table.pays("c1"), table.uses("c2"), table.profile("c2"), table.tombstone("c3"), table.pays("c1", "fuel")]

    table.hear(*batch)

    asked = {name for name in table.store.names if name.endswith(HOT.encode())}  # type: ignore[attr-defined]
    assert asked == set(customers.reads(batch)) == {compose(key, HOT, b"") for key in (b"c1", b"c2", b"c3")}


def test_a_key_that_nobody_can_have_is_not_asked_for() -> None:
    table = Table()
    records = [structs.replace(table.pays(), key=key) for key in (None, b"", b"k" * 70_000)]

    assert customers.reads(records) == []
    assert refused(table, *records) == ["no_key", "no_key", "invalid_key"]


def test_dead_letters_keep_the_order_of_their_records_whenever_each_was_found_out() -> None:
    table = Table()
    late = structs.replace(table.pays(ago=MINUTE), value=b"{")
    early = structs.replace(table.pays(ago=2 * MINUTE), value=None)
    timeless = structs.replace(table.pays(), headers=(*table.pays().headers, ("ce_time", b"noon")))

    assert refused(table, late, early, timeless, table.pays()) == ["invalid", "empty", "invalid_time"]


def test_a_record_that_is_wrong_in_two_ways_is_refused_for_the_first_though_its_time_is_read_first() -> None:
    table = Table()
    timeless = structs.replace(table.pays(), headers=(("ce_type", b"nonsense"), ("ce_time", b"noon")))

    assert refused(table, timeless, structs.replace(timeless, key=b"\xff")) == ["unknown_type", "invalid_key"]


def test_event_time_hears_nothing_from_a_record_that_is_refused() -> None:
    table = Table()
    misplaced = structs.replace(table.pays(), topic=APP_USAGE)

    table.hear(table.pays(ago=9 * SECOND), structs.replace(table.pays(), value=b"{"), misplaced)

    newest = {topic: time.newest for topic, time in watermark.kept(table.store).topics.items()}
    assert (newest[TRANSACTIONS], newest[APP_USAGE]) == (table.now - 9 * SECOND, 0)


def test_a_customer_with_many_events_in_a_batch_has_the_record_of_one_event_a_batch() -> None:
    together, apart = Table(), Table()
    events = [table_event for number in range(6) for table_event in _two(together, number)]

    together.hear(*events)
    for event in events:
        customers.step(apart.store, Batch(0, 1, [event], apart.now, apart.versions))

    assert together.customer("c1") == apart.customer("c1")
    assert together.customer("c2") == apart.customer("c2")


def _two(table: Table, number: int) -> tuple[Record, Record]:
    ago = (10 - number) * SECOND
    return table.pays("c1", "books", ago=ago), table.uses("c2", ago=ago)
