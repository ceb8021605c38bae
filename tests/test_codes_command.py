"""`kairos codes` on a real Kafka: what a merchant's file says reaches the ledger, the whole of it or nothing."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import app
from console.publishing import publish
from kairos.ports import Batch
from kairos.reservations import Stock, command
from streams import ledger
from streams.cluster import Cluster
from streams.memory_store import MemoryStore
from streams.pools import totals
from streams.topic_reader import read_topic
from streams.topics import LEDGER_COMMANDS, Partitions
from streams.versions import Versions

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
        await _run(cluster, *arguments)
        for arguments in (("cafe", str(good)), ("cafe", str(bad)), ("caffe", str(good)), ("tea", str(good)))
    ]

    assert (imported.exit_code, refused.exit_code, unknown.exit_code, generated.exit_code) == (0, 1, 1, 1)
    assert "bad.csv:4: the code" in refused.output
    assert "did you mean 'cafe'" in unknown.output
    assert "makes its codes itself" in generated.output
    rows = [row for found in (await read_topic(cluster.for_aiokafka(), LEDGER_COMMANDS)).values() for row in found]
    stocks = [command.validate_json(row.value or b"") for row in rows]
    assert [len(stock.codes) for stock in stocks if isinstance(stock, Stock)] == [1_000, 500]
    store, versions = MemoryStore(), Versions().having("pools", POOLS)
    ledger.step(store, Batch(rows[0].partition, declared.ledger, rows, 0, versions))
    assert totals(store, versions.pools["cafe"]).codes == 1_500


async def _run(cluster: Cluster, *arguments: str) -> Result:
    environment = {"KAIROS_BOOTSTRAP": cluster.bootstrap}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, app, ["codes", *arguments])
