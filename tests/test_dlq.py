"""`kairos dlq` on a real Kafka: what is replayed is processed once, whatever dies and however often it is asked for."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from console.cli import app
from kairos.instants import MINUTE, SECOND
from kairos.ports import Output, Record
from kairos.wire import BadRecord
from streams import clock
from streams.cluster import Cluster
from streams.dead_letters import dead_letter
from streams.hooks import Point
from streams.replay_journal import replay_journal
from streams.stages import STAGES
from streams.topics import CUSTOMERS_CHANGELOG, DEAD_LETTERS, DECISIONS, TRANSACTIONS, Partitions, partition_of
from tests import recount
from tests.customer_table import Table
from tests.fault_driver import ROOT, Worker, quiet, until
from tests.fault_load import profiles, put_in_force, send

pytestmark = pytest.mark.kafka

DINNER = {"amount": 1200, "direction": "debit", "merchant_category": "dining"}
KEY = b"L000000"


async def dlq(cluster: Cluster, *arguments: str) -> Result:
    # In a thread of its own: the command runs a loop of its own.
    return await asyncio.to_thread(
        CliRunner(env={"KAIROS_BOOTSTRAP": cluster.bootstrap}).invoke, app, ["dlq", *arguments]
    )


async def rows(cluster: Cluster, topic: str) -> list[recount.Row]:
    return await asyncio.to_thread(recount.read, cluster.servers, topic)


async def letters(cluster: Cluster) -> list[recount.Row]:
    return [row for row in await rows(cluster, DEAD_LETTERS) if "kairos.errors.class" in row.headers]


async def test_a_letter_whose_cause_is_mended_is_processed_once_and_another_fails_again(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    table = Table(now=clock.now())
    await put_in_force(cluster, tmp_path, table.now)
    astray = table.event(TRANSACTIONS, "transaction", "L000000", DINNER)
    hopeless = Record(TRANSACTIONS, 0, 0, KEY, b'{"amount": "13800000000"}', astray.headers)
    right = partition_of(KEY, declared.customers)
    worker = Worker("w", cluster.bootstrap, tmp_path, "--stage", "customers", "--stage", "ledger")
    with ExitStack() as stack:
        stack.callback(worker.end)
        worker.start()
        await worker.says("partition open", declared.customers + declared.ledger)
        # A few seconds too early, so that it is accepted a few seconds later.
        soon = clock.now() + 5 * MINUTE + 6 * SECOND
        future = table.event(TRANSACTIONS, "transaction", "L000000", DINNER, ago=table.now - soon)
        await send(cluster, [Output(r.topic, r.key, r.value, tuple(r.headers)) for r in profiles(1, table.now)])
        await put(cluster, [(right, future), ((right + 1) % declared.customers, astray), (right, hopeless)])
        await until(lambda: len(recount.read(cluster.servers, DEAD_LETTERS)) == 3, 40, "3 letters", worker.log)

        listed, summed = await dlq(cluster, "list", "--format", "json"), await dlq(cluster, "list", "--summary")
        dry = await dlq(cluster, "replay", "--dry-run")
        unasked = await dlq(cluster, "replay")
        found = {row["class"]: row for row in map(json.loads, listed.stdout.splitlines())}
        shown = await dlq(cluster, "show", found["invalid"]["from"])
        await asyncio.sleep(max(0, soon - 5 * MINUTE - clock.now()) / SECOND)
        replayed = begun(stack, cluster, "--topic", "events.transactions")
        assert "3 replayed" in await ended(replayed)
        await until(lambda: len(made(cluster)) == 2, 40, "2 decisions", worker.log)
        again = await dlq(cluster, "replay", "--class", "future", "--yes")
        await quiet(cluster, rest=1.5)
        assert await worker.stop() == 0

    assert set(found) == {"future", "wrong_partition", "invalid"}
    assert all(row["key"] == "L0***" and not row["replayed"] for row in found.values())
    assert summed.stdout.count(TRANSACTIONS) == 3
    assert "3 would be replayed" in dry.stdout
    assert (unasked.exit_code, "say --yes" in unasked.stderr) == (2, True)
    for hidden in ("L000000", "13800000000"):
        assert hidden not in listed.output + summed.output + dry.output + shown.output
    assert "nothing to replay" in again.stdout
    assert len(await rows(cluster, TRANSACTIONS)) == 6
    state = recount.newest(await rows(cluster, CUSTOMERS_CHANGELOG))
    assert recount.spending(state)["L000000"]["dining"] == (2, 2400)
    assert len(made(cluster)) == 2
    second = [row for row in await letters(cluster) if row.headers["kairos.errors.attempts"] == "2"]
    (first,) = [row for row in await letters(cluster) if row.value == hopeless.value and row not in second]
    assert [row.value for row in second] == [hopeless.value]
    assert second[0].headers["kairos.errors.first_failed_at"] == first.headers["kairos.errors.first_failed_at"]
    assert [result.problems for result in await replay_journal(cluster.for_aiokafka(), [STAGES["customers"]])] == [[]]


async def test_a_replay_that_is_killed_interrupted_or_overtaken_writes_each_record_once(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    table, bad = Table(now=clock.now()), BadRecord("future", "the event is ahead of our clock")
    records = [table.event(TRANSACTIONS, "transaction", "L000000", DINNER) for _ in range(450)]
    await send(cluster, [dead_letter(record, "customers", bad, table.now) for record in records])
    pauses = tmp_path / "pauses"
    pauses.mkdir()

    with ExitStack() as stack:
        hold(pauses, "sent")
        killed = begun(stack, cluster, pauses=pauses)
        await until((pauses / "sent.reached").exists, 30, "a transaction that is open")
        killed.kill()
        killed.wait(10)
        let_go(pauses)

        hold(pauses, "committed")
        stopped = begun(stack, cluster, pauses=pauses)
        await until((pauses / "committed.reached").exists, 30, "a transaction that is committed")
        stopped.send_signal(signal.SIGINT)
        await asyncio.sleep(0.2)
        let_go(pauses)
        said = await ended(stopped)

        hold(pauses, "sent")
        overtaken = begun(stack, cluster, pauses=pauses)
        await until((pauses / "sent.reached").exists, 30, "another transaction that is open")
        last = await ended(begun(stack, cluster))
        let_go(pauses)
        why = await ended(overtaken)

    assert (stopped.returncode, "200 replayed, 250 still there" in said) == (130, True), said
    assert "250 replayed" in last
    assert (overtaken.returncode, "another replay" in why) == (1, True), why
    written = Counter(row.name for row in await rows(cluster, TRANSACTIONS))
    assert len(written) == len(records)
    assert set(written.values()) == {1}


def begun(stack: ExitStack, cluster: Cluster, *more: str, pauses: Path | None = None) -> "subprocess.Popen[str]":
    """Begin a replay as a process of its own."""
    environment = os.environ | {"KAIROS_BOOTSTRAP": cluster.bootstrap, "KAIROS_PAUSES": str(pauses or "")}
    command = [sys.executable, "-m", "console.cli", "dlq", "replay", "--yes", *more]
    process = stack.enter_context(
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    )
    stack.callback(process.kill)
    return process


async def ended(process: "subprocess.Popen[str]") -> str:
    said, _ = await asyncio.to_thread(process.communicate, timeout=30)
    return str(said)


def hold(pauses: Path, point: Point) -> None:
    (pauses / point).touch()


def let_go(pauses: Path) -> None:
    for file in pauses.iterdir():
        file.unlink(missing_ok=True)


def made(cluster: Cluster) -> list[recount.Row]:
    return [row for row in recount.read(cluster.servers, DECISIONS) if row.type == "decision"]


async def put(cluster: Cluster, records: Iterable[tuple[int, Record]]) -> None:
    producer = AIOKafkaProducer(**cluster.for_aiokafka())
    await producer.start()
    try:
        for number, record in records:
            await producer.send_and_wait(
                record.topic, record.value, record.key, partition=number, headers=list(record.headers)
            )
    finally:
        await producer.stop()
