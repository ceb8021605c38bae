"""What holds for every command and every order of commands: bad ones, all interleavings, repetition bit for bit."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from streams.ledger import step
from streams.store import Meta, RocksStore
from streams.topics import DEAD_LETTERS, LEDGER_ANSWERS, LEDGER_ENTRIES, OFFERS_SMS
from tests.ledger_table import Table, pool, replay, reserve, wish


def _broken() -> Iterator[tuple[str, bytes | None, bytes | None]]:
    good = reserve("d1").model_dump(mode="json")
    other = wish("d2").model_dump(mode="json")
    couponed = {**good["wishes"][0]["offer"], "coupon": {"pool": "cafe", "code": "X", "merchant": "m", "value": 1}}

    def written(**changes: object) -> bytes:
        return json.dumps({**good, **changes}).encode()

    yield "empty", b"takeaway", None
    yield "invalid", b"takeaway", b""
    yield "invalid", b"takeaway", b"\xff"
    yield "invalid", b"takeaway", b"[" * 5000
    yield "invalid", b"takeaway", written(kind="give me all")
    yield "invalid", b"takeaway", written(wishes=[])
    yield "invalid", b"takeaway", written(wishes=[other])
    yield "invalid", b"takeaway", written(wishes=good["wishes"] * 2)
    yield "invalid", b"takeaway", written(wishes=[{**good["wishes"][0], "offer": couponed}])
    yield "invalid", b"takeaway", written(id="")
    yield "invalid", b"takeaway", written(id="\ud800")
    yield "invalid", b"takeaway", written(unknown=1)
    yield "invalid", b"takeaway", b'{"kind":"stock","pool":"cafe","programme":"takeaway","codes":["A B"]}'
    yield "wrong_key", None, written()
    yield "wrong_key", b"travel", written()
    yield "wrong_key", b"x" * 70_000, written()


@pytest.mark.parametrize(("reason", "key", "value"), list(_broken()))
def test_a_broken_command_is_one_dead_letter_and_the_others_are_carried_out(
    reason: str, key: bytes | None, value: bytes | None
) -> None:
    table = Table(pool())
    good = reserve("d9").model_dump_json().encode()

    said = table.hear_raw([(key, value), (b"takeaway", good)])

    assert [output.topic for output in said.outputs] == [DEAD_LETTERS, OFFERS_SMS, LEDGER_ENTRIES, LEDGER_ANSWERS]
    assert (said.dead[0].key, said.dead[0].value) == (key, value)
    assert dict(said.dead[0].headers)["kairos.errors.class"] == reason.encode()


def test_a_dead_letters_reason_quotes_nobodys_values() -> None:
    value = b'{"kind":"Mr Li of 5 Lake Road","id":"6222020200112233445"}'

    (letter,) = Table().hear_raw([(b"takeaway", value)]).dead

    assert dict(letter.headers)["kairos.errors.message"] == b"value: kind is none of ours"


def test_a_programme_whose_commands_come_to_the_wrong_partition_gets_no_second_budget() -> None:
    table = Table(pool())
    value = reserve("d1").model_dump_json().encode()

    said = [table.hear_raw([(b"takeaway", value)], partitions) for partitions in range(1, 6)]

    owned = [bool(s.answers) for s in said]
    assert owned[0]
    assert not all(owned)
    assert {dict(s.dead[0].headers)["kairos.errors.class"] for s in said if s.dead} == {b"wrong_partition"}


def test_a_tick_gives_nothing() -> None:
    assert Table(pool()).hear().outputs == []


def test_the_same_commands_give_the_same_store_and_outputs_byte_for_byte() -> None:
    table = Table(pool(count=3), pool("tea", 9, codes="imported"))
    outputs = list(table.stock("AAA", "BBB", of="tea").outputs)
    for n, of in product(range(4), ("cafe", "tea")):
        outputs += table.reserve(f"{of}{n}", wish(f"{of}{n}", of)).outputs
        outputs += table.change("release" if n % 2 else "redeem", f"{of}{n}").outputs
        table.days_later(20)

    assert replay(table.heard) == (list(table.store.items()), outputs)


def test_commands_in_one_batch_or_one_by_one_end_alike() -> None:
    commands = [reserve(f"d{n}") for n in range(4)]
    together, apart = Table(pool()), Table(pool())

    at_once = together.hear(*commands).outputs
    one_by_one = [output for command in commands for output in apart.hear(command).outputs]

    assert at_once == one_by_one
    assert list(together.store.items()) == list(apart.store.items())


def test_the_ledger_holds_the_same_on_disk_as_in_memory(tmp_path: Path) -> None:
    table = Table(pool(count=3), pool("tea", 9, codes="imported"))
    outputs = table.hear_raw([(b"x" * 70_000, b"a key that no store could hold")]).outputs
    outputs += table.stock("AAA", "BBB", of="tea").outputs
    for n, of in product(range(4), ("cafe", "tea")):
        outputs += table.hear(reserve(f"{of}{n}", wish(f"{of}{n}", of))).outputs
        outputs += table.change("release" if n % 2 else "redeem", f"{of}{n}").outputs
        table.days_later(20)
    disk = RocksStore(tmp_path / "ledger")

    written = []
    for batch in table.heard:
        written += step(disk, batch)
        disk.commit(Meta(), 0)

    assert written == outputs
    assert list(disk.items()) == list(table.store.items())
    disk.close()
