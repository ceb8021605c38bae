"""Upgrades: an older state is gone on with, a newer one is refused, and so is one that was cut otherwise."""

from base64 import b64decode
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kairos.instants import HOUR, MINUTE
from streams.journal import BUILD
from streams.keys import decompose
from streams.ledger_records import read_pool
from streams.refill import NotEmpty, refill
from streams.state_shown import record_shown
from streams.topics import LEDGER_COMMANDS, partition_of
from tests.customer_table import NOON, Said, Table, versions
from tests.recorded_state import DATA, put_back, recorded
from tests.stage_house import House

FILES = sorted(DATA.glob("state-*.jsonl"))


def holds(now: Any, then: Any) -> bool:
    """Whether everything that was there then is there now; a newer layout may have more fields."""
    if isinstance(then, dict):
        return all(name in now and holds(now[name], value) for name, value in then.items())
    if isinstance(then, list):
        return len(now) == len(then) and all(holds(one, value) for one, value in zip(now, then, strict=True))
    return bool(now == then)


def rules(said: Said) -> list[str]:
    """Name the rules whose offers the ledger is asked for."""
    return sorted(wish["offer"]["rule"] for command in said.of(LEDGER_COMMANDS) for wish in command["wishes"])


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def lived(request: pytest.FixtureRequest) -> Table:
    """A table on which a state lies that was recorded three minutes after noon."""
    table = Table(versions(cooldown="7d", wait="10m"), now=NOON + 3 * MINUTE, numbers=count(100))
    put_back(request.param, table)
    return table


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_recorded_record_still_says_what_it_said(path: Path) -> None:
    rows = list(recorded(path))

    now = [record_shown(r["stage"], b64decode(r["name"]), b64decode(r["packed"]), unmask=True) for r in rows]

    assert len(rows) >= 15
    assert not [row for row in now if row["what"].startswith("unknown")]
    assert [row["shown"] for row, one in zip(rows, now, strict=True) if not holds(one, row["shown"])] == []


def test_an_older_state_remembers_cooldowns_and_duplicates(lived: Table) -> None:
    same = lived.hear(lived.pays("c1", id_="e3"), after=MINUTE)
    again = lived.hear(lived.pays("c1"), after=MINUTE)
    fresh = lived.hear(lived.profile("c9"), lived.pays("c9"), after=MINUTE)

    assert same.decisions == []
    # The first rule rests for a week after its offer; somebody new is offered what either has.
    assert [rules(said) for said in (again, fresh)] == [["tea"], ["cafe", "tea"]]


def test_in_an_older_state_timers_still_go_off_and_open_decisions_end(lived: Table) -> None:
    said = lived.hear(after=2 * HOUR)

    # An offer of which nobody said what became of it, and a decision that the ledger never answered.
    assert said.ended == ["unknown"]
    assert {row["state"] for row in said.decisions} == {"suppressed"}


def test_an_older_open_decision_and_its_reservation_are_confirmed_by_a_receipt(lived: Table) -> None:
    rows = [row["shown"] for path in FILES for row in recorded(path)]
    (opened,) = [row for row in rows if row["what"] == "open decision" and row["key"] == "c1"]
    receipt = lived.feedback("accepted", "c1", opened["id"], offer=opened["value"]["wishes"][0]["offer"])

    said = lived.hear(receipt)
    lived.ledger(said)

    assert said.commands == ["confirm"]
    pool = read_pool(lived.books, b"lunch", "cafe")
    assert (pool.reserved.count, pool.confirmed.count) == (0, 1)


@pytest.mark.kafka
async def test_an_older_worker_refuses_a_newer_state_and_names_both_and_a_newer_one_goes_on(house: House) -> None:
    await house.start(spec=house.spec(layout=2))
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    await house.send(b"3")

    old = await house.start(spec=house.spec(layout=1))
    await house.until(lambda: set(old.stopped) == {0, 1})
    refused = dict(old.stopped)
    await house.stop()
    await house.start(spec=house.spec(layout=3))
    outputs = await house.outputs(3)

    why = (
        f"{house.name}/0: the state has layout 2, written by Kairos {BUILD}; this is Kairos {BUILD}, which reads up to "
        "layout 1. Run the newer release, or another one that reads layout 2"
    )
    # The second partition never had a commit: it goes by what the first one says.
    assert refused == {0: why, 1: why}
    assert outputs == [b"1", b"2", b"3"]


@pytest.mark.kafka
async def test_more_partitions_are_refused_by_those_with_a_state_and_by_new_ones_without(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    house.widen(3)

    stage = await house.start()
    await house.until(lambda: set(stage.stopped) == {0, 1, 2})

    why = (
        f"{house.name}/0: the state was made over 2 partitions, now there are 3: keys would be looked for where their "
        "state is not. Kafka cannot take partitions back; replay into new topics, see "
        '"Another number of partitions" in docs/operations.md'
    )
    assert stage.stopped == {0: why, 1: why, 2: why}


@pytest.mark.kafka
async def test_the_way_to_more_partitions_is_a_replay_into_new_topics(house: House, tmp_path: Path) -> None:
    await house.start()
    sent = {b"%d" % number: number % 5 + 1 for number in range(12)}
    for key, times in sent.items():
        await house.send(*[b"x"] * times, key=key, partition=partition_of(key, 2))
    await house.outputs(sum(sent.values()))
    await house.stop()
    (tmp_path / "new").mkdir()
    wide = House(house.cluster, tmp_path / "new", house.new_topic, partitions=3)
    told: list[tuple[str, int, int]] = []

    copied = await refill(
        house.cluster.for_aiokafka(), house.cluster, {house.main: wide.main}, lambda *word: told.append(word)
    )
    with pytest.raises(NotEmpty, match="only new topics are filled"):
        await refill(house.cluster.for_aiokafka(), house.cluster, {house.main: wide.main}, lambda *_: None)
    stage = await wide.start()
    try:
        await wide.outputs(sum(sent.values()))
        counts = {}
        for number, partition in stage.partitions.items():
            assert partition.store is not None
            for name, value in partition.store.items():
                key = decompose(name)[0]
                assert partition_of(key, 3) == number
                counts[key] = int(value)
    finally:
        await wide.stop()

    assert copied == {wide.main: sum(sent.values())}
    assert counts == sent
    assert told[-1] == (house.main, sum(sent.values()), sum(sent.values()))
