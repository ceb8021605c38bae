"""A warm start on a real Kafka: a rule that is published after the events, a worker that dies in the middle."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from console.publishing import publish
from kairos.customer import unpack
from kairos.instants import SECOND, Millis
from kairos.ports import Output
from kairos.wire import headers
from rules import rings
from streams import clock, journal
from streams.cluster import Cluster
from streams.keys import decompose
from streams.replay_journal import replay_journal
from streams.stages import STAGES
from streams.topic_reader import read_topic
from streams.topics import (
    APP_USAGE,
    CUSTOMERS_CHANGELOG,
    CUSTOMERS_JOURNAL,
    DECISIONS,
    TRANSACTIONS,
    Partitions,
    partition_of,
)
from streams.work import HOT
from tests import recount
from tests.fault_driver import Worker, until
from tests.rules_strategies import book_of
from tests.test_rules_match import rule
from tests.warm_table import NOTHING

EACH, LOGINS = 6, 40
"""How many customers live in a partition, and how often each of them logged in: more than one portion."""

pytestmark = pytest.mark.kafka


def customers(declared: Partitions) -> list[str]:
    def of(partition: int) -> Iterator[str]:
        return (f"c{n}" for n in count() if partition_of(b"c%d" % n, declared.customers) == partition)

    return [one for partition in range(declared.customers) for one in islice(of(partition), EACH)]


def event(topic: str, type_: str, customer: str, number: int, data: bytes, at: Millis) -> Output:
    head = headers(f"kairos.{type_}.v1", f"{type_} {number}", at, "/test")
    return Output(topic, customer.encode(), data, head)


async def entries(cluster: Cluster) -> list[journal.Entry]:
    rows = await read_topic(cluster.for_aiokafka(), CUSTOMERS_JOURNAL)
    return [journal.read(row.value or b"") for number in sorted(rows) for row in rows[number]]


async def test_a_worker_that_dies_while_it_reads_again_leaves_the_rest_to_the_next_one_and_all_counts_once(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    client, now, known = cluster.for_aiokafka(), clock.now(), customers(declared)
    asks = {"count": {"event": "login", "within": "7d", "at_least": LOGINS}}
    book = book_of(rule(on={"event": "transaction"}, when=asks, warm="replay"))
    first, second = (Worker(name, cluster.bootstrap, tmp_path, "--stage", "customers") for name in "ab")
    logins = [
        event(APP_USAGE, "login", one, number, b"{}", now - LOGINS * SECOND + number * SECOND)
        for number in range(LOGINS)
        for one in known
    ]
    paid = b'{"amount":3000,"currency":"CNY","direction":"debit"}'

    with ExitStack() as stack:
        stack.callback(first.end)
        stack.callback(second.end)
        await publish(client, {"rules": NOTHING.content}, "test", now)
        first.start()
        await _send(cluster, [*logins, *logins[:EACH]])
        await _taken(cluster, len(logins) + EACH)
        first.hold("reread")
        await publish(client, {"rules": book.content}, "test", now)
        await first.reached("reread")
        # The live work of the others goes on meanwhile, and what it takes is read again with the rest: it counts once.
        reached = first.pauses / "reread.reached"
        await until(lambda: reached.read_text() != "", 30, "the number of what is held", first.log)
        held = int(reached.read_text())
        another = [one for one in logins[-len(known) :] if _partition(one, declared) == (held + 1) % declared.customers]
        await _send(cluster, another)
        await _taken(cluster, len(logins) + 2 * EACH)
        first.hold("committed")
        first.let_go("reread")
        # Whoever else is held there, too: the one that reads again is held when its first portion is committed.
        async with asyncio.timeout(60):
            while not (begun := [entry for entry in await entries(cluster) if entry.again]):
                await asyncio.sleep(0.05)
        first.kill()
        second.start()
        await until(lambda: second.said("read again") == declared.customers, 30, "what is read again", second.log)
        await _send(cluster, [event(TRANSACTIONS, "transaction", one, 0, paid, clock.now()) for one in known])
        await until(lambda: len(recount.read(cluster.servers, DECISIONS)) >= len(known), 30, "decisions", second.log)
        assert await second.stop() == 0

    assert [entry.reached for entry in begun] == [False]
    decided = await asyncio.to_thread(recount.read, cluster.servers, DECISIONS)
    assert sorted((row.key or b"").decode() for row in decided) == sorted(known)
    reread = sum(entry.records for entry in await entries(cluster) if entry.again)
    assert reread == len(logins) + 2 * EACH
    seconds = [now // SECOND - LOGINS + number for number in range(LOGINS)]
    assert await _remembered(cluster) == dict.fromkeys(known, seconds)
    (replayed,) = await replay_journal(client, [STAGES["customers"]])
    assert replayed.problems == []


def _partition(one: Output, declared: Partitions) -> int:
    return partition_of(one.key or b"", declared.customers)


async def _send(cluster: Cluster, records: Sequence[Output]) -> None:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **cluster.for_aiokafka())
    await producer.start()
    try:
        sent = [await producer.send(topic, value, key, headers=list(found)) for topic, key, value, found in records]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def _remembered(cluster: Cluster) -> dict[str, list[int]]:
    """Give the seconds that each customer's one ring holds."""
    rows = await read_topic(cluster.for_aiokafka(), CUSTOMERS_CHANGELOG)
    newest = {row.key: row.value for found in rows.values() for row in found if row.key}
    found: dict[str, list[int]] = {}
    for name, value in newest.items():
        key, kind, _ = decompose(name)
        if kind == HOT:
            (ring,) = unpack(value).remembered.values()
            found[key.decode()] = list(rings.until(ring, 2**32 - 1))
    return found


async def _taken(cluster: Cluster, number: int) -> None:
    async with asyncio.timeout(60):
        while sum(entry.records for entry in await entries(cluster) if entry.again is None) < number:
            await asyncio.sleep(0.1)
