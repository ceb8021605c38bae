"""`kairos codes` on a real Kafka: what a merchant's file says reaches the ledger, the whole of it or nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from console.cli import app
from console.publishing import publish
from kairos.instants import moment
from kairos.ports import Batch, Output, Record
from kairos.reservations import Stock, command
from streams import clock, ledger
from streams.catalogue import Catalogue
from streams.cluster import Cluster
from streams.memory_store import MemoryStore
from streams.pools import totals
from streams.spec import Running
from streams.stage import Stage
from streams.stages import STAGES
from streams.topic_reader import read_topic
from streams.topics import LEDGER_COMMANDS, LEDGER_ENTRIES, Partitions
from streams.versions import Versions
from tests.ledger_table import Said, reserve, wish

pytestmark = pytest.mark.kafka

POOLS = b"""[{"pool":"cafe","programme":"lunch","merchant":"m1","value":1500,"count":9,"codes":"imported"},
{"pool":"tea","programme":"lunch","merchant":"m2","value":1000,"count":9}]"""


async def test_codes_reach_the_ledger_whole_or_not_at_all(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    await publish(cluster.for_aiokafka(), {"pools": POOLS}, "ann", 0)
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("code\n" + "\n".join(f"CAFE-{number}" for number in range(1_500)))
    bad.write_text("code\nA-1\n\nA 2\nA-1\n")

    # In a thread of its own: the command runs a loop of its own.
    imported, refused, unknown, generated = [
        await _run(cluster, *arguments, "--wait", "0")
        for arguments in (("cafe", str(good)), ("cafe", str(bad)), ("caffe", str(good)), ("tea", str(good)))
    ]

    assert (imported.exit_code, refused.exit_code, unknown.exit_code, generated.exit_code) == (0, 1, 1, 1)
    assert "bad.csv:4: the code" in refused.output
    assert "did you mean 'cafe'" in unknown.output
    assert "makes its codes itself" in generated.output
    rows = await _commands(cluster)
    unanswered = await _run(cluster, "cafe", str(good), "--wait", "0.2")
    assert unanswered.exit_code == 3
    assert "it has not taken all of them yet" in unanswered.output
    stocks = [command.validate_json(row.value or b"") for row in rows]
    assert [len(stock.codes) for stock in stocks if isinstance(stock, Stock)] == [1_000, 500]
    store, versions = MemoryStore(), Versions().having("pools", POOLS)
    ledger.step(store, Batch(rows[0].partition, declared.ledger, rows, 0, versions))
    assert totals(store, versions.pools["cafe"]).codes == 1_500


async def test_what_tills_tell_reaches_the_ledger_and_the_settlement(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    await publish(cluster.for_aiokafka(), {"pools": POOLS}, "ann", 0)
    tills = tmp_path / "tills.csv"
    store, versions = MemoryStore(), Versions().having("pools", POOLS)
    order = reserve("d1", wish("d1", "tea", programme="lunch"))
    record = Record(LEDGER_COMMANDS, 0, 0, b"lunch", order.model_dump_json().encode())
    now = clock.now()
    given = ledger.step(store, Batch(0, 1, [record], now, versions))
    code = Said(given).code
    tills.write_text(f"code\n{code.lower()}\nNOBODYS\n")

    redeemed = await _run(cluster, "redeem", str(tills), "--wait", "0.2", group="pools")
    moved = await _run(cluster, "move", "spring", "5", "--from", "lunch", "--to", "travel", group="pools")
    rows = await _commands(cluster)
    said = ledger.step(store, Batch(rows[0].partition, declared.ledger, rows, now, versions))
    await _write(cluster, [output for output in (*given, *said) if output.topic == LEDGER_ENTRIES])
    day = moment(now).date()
    period = ("--from", str(day - timedelta(days=1)), "--until", str(day + timedelta(days=1)), "--format", "csv")
    settled = await _run(cluster, *period, group="settle")

    assert (redeemed.exit_code, moved.exit_code, settled.exit_code) == (3, 1, 0)
    assert "2 redemptions told, and not all are answered within 0.2 s" in redeemed.output
    assert "lunch has no slice of a budget spring" in moved.output
    assert [dict(output.headers)["kairos.errors.class"] for output in Said(said).dead] == [b"unknown_code"]
    assert settled.stdout.splitlines()[1:] == ["m2,tea,lunch,CNY,1,1,1,0,10.00,10.00"]


SHARED = json.dumps(
    {
        "pools": [
            *json.loads(POOLS),
            {"pool": "ride", "programme": "travel", "merchant": "m3", "value": 5, "count": 9},
        ],
        "programmes": [
            {"programme": name, "slices": [{"budget": "spring", "home": "lunch", "minor": minor, "currency": "CNY"}]}
            for name, minor in (("lunch", 5_000), ("travel", 0))
        ],
    }
).encode()


@asynccontextmanager
async def ledger_at_work(cluster: Cluster, folder: Path) -> AsyncIterator[None]:
    """The ledger's stage in this process."""
    client = cluster.for_aiokafka()
    catalogue = Catalogue(client)
    await catalogue.start()
    await catalogue.opened.wait()
    running = Running(folder, wait=20, tick=50, client=client)
    stage = Stage(STAGES["ledger"], running, catalogue.versions, catalogue.opened, clock.now)
    await stage.start()
    try:
        yield
    finally:
        await stage.stop()
        await catalogue.stop()


async def test_who_moves_a_slice_imports_or_redeems_codes_is_told_what_the_ledger_answered(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    await publish(cluster.for_aiokafka(), {"pools": SHARED}, "ann", 0)
    codes, tills = tmp_path / "codes.csv", tmp_path / "tills.csv"
    codes.write_text("A-1\nA-2\n")
    tills.write_text("code,amount\nA-1,9.50\nNOBODYS,\nA-2,\nA-1,9.50\nA-1,\n")
    order = ("move", "spring", "30", "--from", "lunch", "--to", "travel")

    early = await _run(cluster, *order, "--name", "m1", "--wait", "0.5", group="pools")
    async with ledger_at_work(cluster, tmp_path), asyncio.timeout(60):
        # The ledger has sent on what was said before, or the next would take that answer for its own.
        while len(await _commands(cluster)) < 2:
            await asyncio.sleep(0.1)
        moves = [await _run(cluster, *order, *more, group="pools") for more in (("--name", "m1"), ("--name", "m2"))]
        back = await _run(cluster, "move", "spring", "10", "--from", "travel", "--to", "lunch", group="pools")
        first = await _run(cluster, "cafe", str(codes))
        codes.write_text("A-2\nA-3\nA-4\n")
        again = await _run(cluster, "cafe", str(codes))
        await _write(cluster, [_reserved("d1"), _reserved("d2")])
        redeemed = await _run(cluster, "redeem", str(tills), group="pools")

    assert [run.exit_code for run in (early, *moves, back, first, again, redeemed)] == [3, 0, 1, 0, 0, 0, 1]
    assert "no answer within 0.5 s" in early.output
    assert "the move m1 was done before" in moves[0].output
    assert "refused, nothing was moved: 20.00 CNY of spring are free in lunch, 30.00 CNY were to be" in moves[1].output
    assert "10.00 CNY of spring went from travel to lunch" in back.output
    assert "2 codes handed to the ledger for cafe: 2 taken\n" in first.output
    assert "3 codes handed to the ledger for cafe: 2 taken; 1 refused" in again.output
    assert redeemed.output.splitlines() == [
        "5 redemptions told: 2 redeemed; 2 redeemed before; 1 refused (1 unknown_code)",
        "tills.csv:3: no programme that was asked gave this code out (unknown_code)",
    ]


def _reserved(decision: str) -> Output:
    """A reservation of the pool's next code, as the customers' stage tells it."""
    order = reserve(decision, wish(decision, "cafe", programme="lunch"))
    return Output(
        LEDGER_COMMANDS, b"lunch", order.model_dump_json().encode(), (("ce_id", f"{decision}:reserve".encode()),)
    )


async def _commands(cluster: Cluster) -> list[Record]:
    return [row for found in (await read_topic(cluster.for_aiokafka(), LEDGER_COMMANDS)).values() for row in found]


async def _write(cluster: Cluster, outputs: list[Output]) -> None:
    producer = AIOKafkaProducer(**cluster.for_aiokafka())
    await producer.start()
    for output in outputs:
        await producer.send_and_wait(output.topic, output.value, output.key, headers=list(output.headers))
    await producer.stop()


async def _run(cluster: Cluster, *arguments: str, group: str = "codes") -> Result:
    environment = {"KAIROS_BOOTSTRAP": cluster.bootstrap}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, app, [group, *arguments])
