"""`kairos state refill`: from one Kafka into another with more partitions, where the state comes about anew."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import app
from console.publishing import send
from console.simulate import load_events
from kairos.ids import content_hash
from kairos.ports import Output
from streams import clock
from streams.broker import configured
from streams.cluster import Cluster
from streams.feed import feed
from streams.topics import (
    APP_USAGE,
    CATALOGUE,
    CUSTOMERS_CHANGELOG,
    CUSTOMERS_JOURNAL,
    TRANSACTIONS,
    Partitions,
    partition_of,
)
from streams.topics_declare import declare
from tests import recount
from tests.fault_driver import Worker
from tests.fault_load import profiles, put_in_force

WIDE = 6
LARGEST = b"x" * 9_000_000
"""What is more than a topic takes unless it is packed, as the largest rule books are."""


@pytest.mark.kafka
@pytest.mark.usefixtures("declared")
async def test_another_kafka_with_more_partitions_comes_to_the_same_state(cluster: Cluster, tmp_path: Path) -> None:
    now = clock.now()
    await put_in_force(cluster, tmp_path, now)
    await send(cluster.for_aiokafka(), [Output(CATALOGUE, content_hash(LARGEST).encode(), LARGEST)])
    fed = (await feed([*profiles(50, now), *load_events(1_000, 50, seed=3)], cluster)).counts
    with configured({}, tmp_path / "kafka") as broker:
        wide = Cluster(bootstrap=broker.bootstrap)

        declare(wide, Partitions(customers=WIDE))
        refilled = await _run(wide, tmp_path, "state", "refill", cluster.bootstrap)
        assert refilled.exit_code == 0, refilled.output
        again = await _run(wide, tmp_path, "state", "refill", cluster.bootstrap)
        rows = {topic: recount.read(wide.servers, topic) for topic in (CATALOGUE, APP_USAGE, TRANSACTIONS)}
        events = [*rows[APP_USAGE], *rows[TRANSACTIONS]]
        worker = Worker("wide", wide.bootstrap, tmp_path, "--stage", "customers", KAIROS_PARTITIONS_CUSTOMERS=str(WIDE))
        worker.start()
        try:
            await worker.says("partition open", WIDE)
            async with asyncio.timeout(60):
                while _taken(wide) < fed.total():
                    await asyncio.sleep(0.5)
            code = await worker.stop()
        finally:
            worker.end()
        state = recount.newest(recount.rows_of(wide.servers, CUSTOMERS_CHANGELOG))

    assert (again.exit_code, code) == (1, 0)
    assert "hold records already; only new topics are filled" in again.output
    assert LARGEST in [row.value for row in rows[CATALOGUE]]
    assert Counter(row.topic for row in events) == Counter({topic: fed[topic] for topic in (APP_USAGE, TRANSACTIONS)})
    assert {row.partition for row in events} == set(range(WIDE))
    assert all(row.partition == partition_of(row.key or b"", WIDE) for row in events)
    assert recount.spending(state) == recount.spent(recount.accepted(events, []).values())


async def _run(wide: Cluster, folder: Path, *words: str) -> Result:
    told = {
        "KAIROS_BOOTSTRAP": wide.bootstrap,
        "KAIROS_PARTITIONS_CUSTOMERS": str(WIDE),
        "KAIROS_DATA": str(folder / "new"),
    }
    return await asyncio.to_thread(CliRunner(env=told).invoke, app, list(words))


def _taken(wide: Cluster) -> int:
    return sum(row.json.get("records", 0) for row in recount.rows_of(wide.servers, CUSTOMERS_JOURNAL))
