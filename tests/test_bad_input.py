"""Bad input: one dead letter for each bad record, as it came, with the reason; and nothing else is disturbed."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from msgspec import structs

from kairos.instants import MINUTE
from kairos.ports import Output, Record
from kairos.wire import LARGEST
from streams import clock
from streams.cluster import Cluster
from streams.topics import (
    APP_USAGE,
    CUSTOMERS,
    DEAD_LETTERS,
    DECISIONS,
    FEEDBACK,
    LEDGER_ANSWERS,
    TRANSACTIONS,
    Partitions,
    partition_of,
)
from tests import recount
from tests.customer_table import Table
from tests.fault_driver import Worker, until
from tests.fault_load import put_in_force, send

GOOD = {"amount": 1200, "direction": "debit", "merchant_category": "fuel"}


def bad(table: Table) -> list[tuple[str, Record]]:
    """Give every kind of bad record with the word by which it is refused."""

    def paid(data: object = None, **changes: object) -> Record:
        record = table.event(TRANSACTIONS, "transaction", "c1", GOOD if data is None else data)
        return structs.replace(record, **changes)

    def without(name: str) -> Record:
        record = paid()
        return structs.replace(record, headers=tuple(h for h in record.headers if h[0] != name))

    def saying(name: str, value: bytes | None) -> Record:
        record = paid()
        # In Kafka a header may have no value, whatever our types say.
        changed = tuple((n, value if n == name else v) for n, v in record.headers)
        return structs.replace(record, headers=changed)

    return [
        ("invalid", paid(value=b'{"amount": 12')),
        ("invalid", paid(value=b"\xff\xfe\x00")),
        ("invalid", paid(value=b"[" * 5000)),
        ("invalid", paid(value=b"null")),
        ("invalid", paid({**GOOD, "amount": "a lot"})),
        ("invalid", paid({**GOOD, "amount": -1})),
        ("invalid", paid({**GOOD, "direction": "sideways"})),
        ("invalid", paid({"amount": 1})),
        ("invalid", table.event(CUSTOMERS, "customer", "c1", {"attrs": {"age": [1]}})),
        ("invalid", structs.replace(table.profile(), value=b'{"attrs": {"age": NaN}}')),
        ("invalid", table.feedback("danced")),
        ("unknown_type", saying("ce_type", b"kairos.weather.v1")),
        ("unknown_type", without("ce_type")),
        ("no_time", without("ce_time")),
        ("invalid_time", saying("ce_time", b"yesterday")),
        ("invalid_time", saying("ce_time", b"2026-12-01T12:00:00")),
        ("invalid_time", saying("ce_time", b"1969-01-01T00:00:00Z")),
        ("invalid_time", saying("ce_time", b"\xff")),
        ("future", table.event(TRANSACTIONS, "transaction", "c1", GOOD, ago=-15 * MINUTE)),
        ("no_id", without("ce_id")),
        ("no_id", without("ce_source")),
        ("no_id", saying("ce_id", b"\xff")),
        ("too_large", paid({**GOOD, "note": "x" * LARGEST})),
        ("empty", paid(value=None)),
        ("no_key", paid(key=None)),
        ("no_key", paid(key=b"")),
        ("invalid_key", paid(key=b"\xff\xfe")),
        ("invalid_key", paid(key=b"x" * 1025)),
        # Whoever is to be forgotten must be named as well as everybody else.
        ("invalid_key", structs.replace(table.tombstone(), key=b"\xff\xfe")),
        ("invalid_key", structs.replace(table.tombstone(), key=b"x" * 70_000)),
        ("no_key", structs.replace(table.tombstone(), key=None)),
        ("no_id", saying("ce_id", None)),
        ("no_time", saying("ce_time", None)),
        ("unknown_type", saying("ce_type", None)),
        ("wrong_topic", table.event(APP_USAGE, "transaction", "c1", GOOD)),
        ("wrong_topic", table.event(FEEDBACK, "customer", "c1", {})),
        ("invalid", table.event(LEDGER_ANSWERS, "transaction", "c1", GOOD)),
    ]


KINDS = bad(Table())


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[f"{n}-{code}" for n, (code, _) in enumerate(KINDS)])
def test_a_bad_record_is_one_dead_letter_and_its_neighbours_are_not_disturbed(number: int) -> None:
    table = Table()
    table.hear(table.profile())
    code, record = bad(table)[number]

    said = table.hear(table.pays(category="fuel"), record, table.pays(category="fuel"))

    (letter,) = said.dead
    head = dict(letter.headers)
    assert (letter.key, letter.value) == (record.key, record.value)
    assert letter.headers[: len(record.headers)] == tuple(record.headers)
    assert head["kairos.errors.class"].decode() == code
    assert head["kairos.errors.topic"].decode() == record.topic
    assert head["kairos.errors.partition"] == b"0"
    assert head["kairos.errors.offset"].decode() == str(record.offset)
    assert head["kairos.errors.stage"] == b"customers"
    assert len(said.decisions) == 2
    assert table.customer("c1").spending["fuel"].count == 2


def test_a_reason_never_repeats_what_the_record_said() -> None:
    table = Table()

    for _, record in bad(table):
        (letter,) = table.hear(record).dead
        assert "a lot" not in dict(letter.headers)["kairos.errors.message"].decode()
        assert "sideways" not in dict(letter.headers)["kairos.errors.message"].decode()


def test_the_same_bad_record_again_is_another_record_and_another_dead_letter() -> None:
    table = Table()
    (_, one), *_ = bad(table)

    assert len(table.hear(one, one).dead) == 2


def test_an_event_a_little_ahead_of_our_clock_is_borne() -> None:
    table = Table()

    assert table.hear(table.pays(ago=-4 * MINUTE)).dead == []


@pytest.mark.kafka
async def test_a_running_worker_writes_one_dead_letter_for_each_and_goes_on(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    now = clock.now()
    await put_in_force(cluster, tmp_path, now)
    table = Table(now=now)
    # The answers are the ledger's own, and a record of nothing at all is refused by the client already.
    kinds = [(code, r) for code, r in bad(table) if r.topic != LEDGER_ANSWERS and (r.key, r.value) != (None, None)]
    right = partition_of(b"c9", declared.customers)
    strayed = [table.event(TRANSACTIONS, "transaction", "c9", GOOD), table.profile("c9"), table.tombstone("c9")]
    kinds += [("wrong_partition", record) for record in strayed]
    worker = Worker("w", cluster.bootstrap, tmp_path)
    with ExitStack() as stack:
        stack.callback(worker.end)
        worker.start()
        producer = AIOKafkaProducer(**cluster.for_aiokafka())
        await producer.start()
        try:
            places = []
            for number, (_, record) in enumerate(kinds):
                partition = (right + 1) % declared.customers if record in strayed else number % declared.customers
                sent = await producer.send_and_wait(
                    record.topic, record.value, record.key, partition=partition, headers=list(record.headers)
                )
                places.append((sent.topic, sent.partition, sent.offset))
        finally:
            await producer.stop()
        good = [table.pays(f"c{number}", "dining") for number in range(20)]
        await send(cluster, [Output(r.topic, r.key, r.value, tuple(r.headers)) for r in good])
        await until(lambda: len(recount.read(cluster.servers, DECISIONS)) == len(good), 40, "20 decisions", worker.log)
        assert await worker.stop() == 0

    dead = await asyncio.to_thread(recount.read, cluster.servers, DEAD_LETTERS)
    found = {recount.places(row): row for row in dead}
    assert len(dead) == len(found)
    assert set(found) == set(places)
    for place, (code, record) in zip(places, kinds, strict=True):
        assert (found[place].headers["kairos.errors.class"], found[place].value) == (code, record.value)
