"""The catalogue: what is published is taken between two batches, and what cannot be read changes nothing."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from console.publishing import catalogue, contents_of, publish
from kairos.ids import content_hash
from kairos.ports import Output, Record
from rules.book import Book
from rules.kept import Kept
from streams import clock, journal
from streams.catalogue import Catalogue, CatalogueReader, publication
from streams.cluster import Cluster
from streams.kept_book import KeptBook
from streams.topic_reader import read_topic
from streams.topics import CUSTOMERS_JOURNAL, LEDGER_COMMANDS, Partitions
from streams.versions import Versions
from tests import recount
from tests.customer_table import Table, versions
from tests.fault_driver import Worker, until
from tests.fault_load import RULES, profiles, put_in_force, send

BOOK = versions().book.content
OTHER = versions(cooldown="7d").book.content


def told(reader: CatalogueReader, *outputs: Output) -> list[bool]:
    return [reader.take(Record(o.topic, 0, 0, o.key, o.value, o.headers)) for o in outputs]


def rows_of(outputs: list[Output]) -> list[ConsumerRecord]:
    return [
        ConsumerRecord(o.topic, 0, 0, 0, 0, o.key, o.value, None, 0, 0, o.headers)  # type: ignore[call-arg]  # its stub has no fields
        for o in outputs
    ]


def test_a_book_is_in_force_once_its_pointer_has_come() -> None:
    reader = CatalogueReader()
    content, pointer = publication("rules", BOOK, "ann", 0)

    assert told(reader, content) == [False]
    assert "rules" not in reader.versions.hashes
    assert told(reader, pointer) == [True]
    assert reader.versions.hashes["rules"] == reader.versions.book.hash == content_hash(BOOK)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b'{"format":2,"rules":[]}', b'{"format":1,"rules":[{}]}']
)
def test_a_bad_book_is_refused_with_a_reason_and_the_good_one_stays(content: bytes) -> None:
    reader = CatalogueReader()
    told(reader, *publication("rules", BOOK, "ann", 0))
    before = reader.versions

    assert told(reader, *publication("rules", content, "bob", 1)) == [False, False]

    assert reader.versions is before
    assert reader.pointers["rules"].by == "ann"
    assert reader.problems["rules"]
    # The next good one is taken, and nothing is wrong any more.
    assert told(reader, *publication("rules", OTHER, "ann", 2))[-1]
    assert reader.problems == {}


@pytest.mark.parametrize("kind", ["pools", "apps", "model/reaction", "weather"])
def test_what_is_no_content_of_its_kind_is_refused(kind: str) -> None:
    reader = CatalogueReader()

    assert told(reader, *publication(kind, b'{"nonsense": true}', "bob", 0)) == [False, False]
    assert (reader.versions.hashes, list(reader.problems)) == ({}, [kind])


def test_a_pointer_that_is_none_or_points_nowhere_is_refused() -> None:
    reader = CatalogueReader()
    _, pointer = publication("rules", BOOK, "ann", 0)

    assert told(reader, pointer, pointer._replace(value=b"{"), pointer._replace(value=None)) == [False] * 3
    assert reader.versions.hashes == {}


def test_content_that_does_not_have_its_hash_is_not_believed() -> None:
    reader = CatalogueReader()
    content, pointer = publication("rules", BOOK, "ann", 0)

    assert told(reader, content._replace(value=OTHER), pointer) == [False, False]


def test_going_back_is_another_publication_of_the_old_content() -> None:
    reader = CatalogueReader()

    for content in (BOOK, OTHER, BOOK):
        assert told(reader, *publication("rules", content, "ann", 0))[-1]

    assert reader.versions.hashes["rules"] == content_hash(BOOK)
    assert list(reader.contents) == [content_hash(BOOK)]


async def test_books_are_built_beside_the_loop_one_at_a_time_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue, loop, begun, order = Catalogue({}), threading.get_ident(), threading.Event(), list[str]()
    first_may_end = threading.Event()
    having = Versions.having

    def slowly(known: Versions, kind: str, content: bytes, kept: Kept | None, between: Callable[[], None]) -> Versions:
        assert threading.get_ident() != loop
        order.append(f"begin {content_hash(content)}")
        begun.set()
        assert first_may_end.wait(10)
        order.append(f"end {content_hash(content)}")
        return having(known, kind, content, kept, between)

    monkeypatch.setattr(Versions, "having", slowly)
    rows = [row for content in (BOOK, b"{", OTHER) for row in rows_of(publication("rules", content, "ann", 0))]

    reading = asyncio.create_task(catalogue._take(rows))
    await until(begun.is_set, 10, "the first book is begun")
    # The loop turns meanwhile, under what was in force before.
    assert catalogue.versions().hashes == {}
    first_may_end.set()
    await reading

    assert order == [f"{what} {content_hash(book)}" for book in (BOOK, b"{", OTHER) for what in ("begin", "end")]
    assert catalogue.versions().book.content == OTHER
    assert catalogue.reader.problems == {}


@pytest.mark.kafka
async def test_a_running_worker_takes_a_book_between_two_batches_and_refuses_a_bad_one(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    now, worker = clock.now(), Worker("w", cluster.bootstrap, tmp_path, "--stage", "customers")
    first = await put_in_force(cluster, tmp_path, now)
    table = Table(now=now)
    known = [Output(r.topic, r.key, r.value, tuple(r.headers)) for r in profiles(40, now)]

    async def pay(expected: int) -> None:
        paid = [table.pays(f"L{number:06d}", "dining") for number in range(40)]
        await send(cluster, [Output(r.topic, r.key, r.value, tuple(r.headers)) for r in paid])
        await until(lambda: len(reserves(cluster)) == expected, 40, f"{expected} reservations", worker.log)

    with ExitStack() as stack:
        stack.callback(worker.end)
        worker.start()
        await send(cluster, known)
        await pay(40)
        await send(cluster, publication("rules", b'{"format":1,"rules":[{}]}', "bob", now))
        await worker.says("publication refused, what was in force stays")
        await pay(80)
        changed = tmp_path / "changed.yaml"
        changed.write_text(RULES.replace("expires: 1h", "expires: 2h"))
        second = await publish(cluster.for_aiokafka(), contents_of(changed, {}), "ann", now)
        await worker.says(f"hash={second['rules']}")
        await pay(120)
        assert await worker.stop() == 0

    # What was in force when it started is kept for the next start.
    kept = KeptBook(worker.data).read()
    assert kept is not None
    assert kept.covers(Book.of_content(await content_of(cluster, first["rules"])).apart)
    rows = await read_topic(cluster.for_aiokafka(), CUSTOMERS_JOURNAL)
    orders = [
        [
            journal.read(row.value or b"").versions["rules"]
            for row in rows[number]
            if journal.read(row.value or b"").records
        ]
        for number in rows
    ]
    for order in orders:
        # Each batch under one book, and never back to the one before.
        assert list(dict.fromkeys(order)) == [first["rules"], second["rules"]]
        assert order == sorted(order, key=[first["rules"], second["rules"]].index)


async def content_of(cluster: Cluster, name: str) -> bytes:
    return (await catalogue(cluster.for_aiokafka())).contents[name]


@pytest.mark.kafka
async def test_a_book_that_is_larger_than_what_a_topic_takes_is_published(
    cluster: Cluster, declared: Partitions
) -> None:
    client = cluster.for_aiokafka()
    content = BOOK + b" " * 9_000_000

    await publish(client, {"rules": content}, "ann", clock.now())

    assert (await catalogue(client)).current("rules") == content


def reserves(cluster: Cluster) -> list[recount.Row]:
    return recount.read(cluster.servers, LEDGER_COMMANDS)
