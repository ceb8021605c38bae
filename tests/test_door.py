"""The door: a bank's own lines become our transactions, each once in the state, whatever dies in between."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from kairos.instants import rfc3339
from kairos.ports import Output, Record
from kairos.wire import BadRecord
from streams import clock
from streams.card_feed import TOPIC, map_line
from streams.cluster import Cluster
from streams.door import through_the_door
from streams.topics import CUSTOMERS_CHANGELOG, DEAD_LETTERS, FOREIGN, TRANSACTIONS, Partitions
from streams.topics_declare import declare
from tests import recount
from tests.fault_driver import Worker, quiet, until
from tests.fault_load import send

LINE = "2017-03-01T12:00:03Z;C000123;POS;DBT;12.50;USD;GROCERY;STORE-31;ref-8842"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", {"amount": 1250, "currency": "USD", "direction": "debit", "merchant_category": "grocery"}),
        ("DBT", "CRD", {"direction": "credit"}),
        ("12.50;USD", "1200;JPY", {"amount": 1200, "currency": "JPY"}),
        # What is not said is yuan.
        ("12.50;USD", "7;CNY", {"amount": 700}),
        ("POS", "APP", {"channel": "app"}),
        ("STORE-31", "七", {"merchant": "七"}),
    ],
)
def test_a_line_becomes_a_transaction_of_its_customer(old: str, new: str, expected: dict[str, object]) -> None:
    mapped = map_line(LINE.replace(old, new).encode())

    row = recount.Row(mapped.topic, 0, 0, mapped.key, mapped.value, {n: v.decode() for n, v in mapped.headers})
    assert (mapped.topic, mapped.key, row.type) == (TRANSACTIONS, b"C000123", "transaction")
    assert row.name == ("/bank/card-feed", "ref-8842")
    assert row.headers["ce_time"] == "2017-03-01T12:00:03.000Z"
    assert expected.items() <= row.json.items()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "invalid"),
        (b"\xff\xfe", "invalid"),
        (b"a;b;c", "invalid"),
        (LINE.replace("DBT", "???").encode(), "invalid"),
        (LINE.replace("12.50", "a lot").encode(), "invalid"),
        (LINE.replace("12.50", "-1").encode(), "invalid"),
        (LINE.replace("12.50", "12.505").encode(), "invalid"),
        (LINE.replace("USD", "dollars").encode(), "invalid"),
        (LINE.replace("2017-03-01T12:00:03Z", "yesterday").encode(), "invalid"),
        (LINE.replace("2017-03-01T12:00:03Z", "2017-03-01T12:00:03").encode(), "invalid"),
        (LINE.replace("C000123", "").encode(), "no_key"),
        (LINE.replace("ref-8842", "").encode(), "no_key"),
        ((LINE + ";more").encode(), "invalid"),
    ],
)
def test_a_line_that_is_not_as_agreed_is_one_dead_letter_as_it_came(line: bytes, code: str) -> None:
    with pytest.raises(BadRecord):
        map_line(line)

    letter = through_the_door(Record(TOPIC, 2, 31, b"STORE-31", line), map_line, 0)

    head = dict(letter.headers)
    assert (letter.topic, letter.key, letter.value) == (DEAD_LETTERS, b"STORE-31", line)
    assert head["kairos.errors.class"].decode() == code
    assert (head["kairos.errors.topic"], head["kairos.errors.partition"]) == (TOPIC.encode(), b"2")
    assert (head["kairos.errors.offset"], head["kairos.errors.stage"]) == (b"31", b"door")
    assert b"C000123" not in head["kairos.errors.message"]


@pytest.mark.kafka
async def test_each_line_is_once_in_the_state_though_the_door_was_killed_in_the_middle(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    declare(cluster, declared, topics=FOREIGN)
    time = rfc3339(clock.now())
    worker = Worker("w", cluster.bootstrap, tmp_path, "--door", "--stage", "customers")

    def lines(first: int, last: int) -> list[Output]:
        return [
            Output(TOPIC, b"STORE-%d" % (n % 7), f"{time};C{n % 50};POS;DBT;{n}.00;CNY;GROCERY;S;ref-{n}".encode())
            for n in range(first, last)
        ]

    with ExitStack() as stack:
        stack.callback(worker.end)
        worker.start()
        sending = asyncio.create_task(send(cluster, [*lines(0, 1500), Output(TOPIC, b"STORE-1", b"no line")]))
        await until(lambda: len(recount.read(cluster.servers, TRANSACTIONS)) > 100, 60, "the first lines", worker.log)
        worker.kill()
        worker.start()
        await sending
        await until(lambda: _mapped(cluster) == 1500, 60, "every line mapped", worker.log)
        await quiet(cluster, rest=2)
        assert await worker.stop() == 0

    state = recount.newest(await asyncio.to_thread(recount.read, cluster.servers, CUSTOMERS_CHANGELOG))
    expected = {f"C{c}": {"grocery": (30, sum(range(c, 1500, 50)) * 100)} for c in range(50)}
    assert recount.spending(state) == expected
    dead = recount.read(cluster.servers, DEAD_LETTERS)
    assert {(row.value, row.headers["kairos.errors.stage"]) for row in dead} == {(b"no line", "door")}


def _mapped(cluster: Cluster) -> int:
    return len({row.name for row in recount.read(cluster.servers, TRANSACTIONS)})
