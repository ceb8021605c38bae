"""Poison: a valid event on which our step raises stops its partition and nothing else, until somebody names it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kairos.ports import Output, Record
from streams import clock
from streams.cluster import Cluster
from streams.replay_journal import replay_journal
from streams.stages import STAGES
from streams.topics import APP_USAGE, CUSTOMERS_JOURNAL, DEAD_LETTERS, DECISIONS, Partitions, partition_of
from tests import recount
from tests.customer_table import Table
from tests.fault_driver import ROOT, Worker, quiet, until
from tests.fault_load import profiles, put_in_force, send
from tests.planted import SECRET

pytestmark = pytest.mark.kafka

CUSTOMERS = 24
ILL = "L000007"
REASON = "ann, OPS-7: mended in 0.1.1"


async def test_an_event_that_our_step_cannot_take_stops_its_partition_wherever_it_lands_and_no_other(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    ill = partition_of(ILL.encode(), declared.customers)
    healthy = [name for name in names() if partition_of(name.encode(), declared.customers) != ill]
    with ExitStack() as stack:
        one, table = await poisoned(stack, cluster, declared, tmp_path)
        await put(cluster, [uses(table, name, f"first-{name}") for name in names()])
        await until(lambda: len(decided(cluster)) == len(healthy) + 1, 40, "the others' decisions", one.log)
        told = await asyncio.to_thread(ready, one)

        two = planted(stack, "two", cluster, tmp_path)
        two.start()
        await two.says("partition open")
        one.kill()
        await until(lambda: bool(stops(two)), 40, "the stop on the second worker", two.log)
        await put(cluster, [uses(table, name, f"more-{name}") for name in healthy])
        await until(lambda: len(decided(cluster)) == 2 * len(healthy) + 1, 40, "more decisions", two.log)
        assert await two.stop() == 0

    assert told["stages"]["customers"]["stopped"] == {str(ill): stops(one)[0]["why"]}
    assert (told["ready"], sorted(told["stages"]["customers"]["open"])) == (
        False,
        [number for number in range(declared.customers) if number != ill],
    )
    # Once when it joined, perhaps, and once when it had everything.
    assert len(stops(two)) <= 2
    assert {row["why"] for row in stops(two)} == {stops(one)[0]["why"]}
    assert_nobody_is_named(one, two)


async def test_what_was_named_is_skipped_once_and_decided_once_when_its_letter_is_replayed(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    ill = partition_of(ILL.encode(), declared.customers)
    with ExitStack() as stack:
        one, table = await poisoned(stack, cluster, declared, tmp_path)
        place = named(one)
        await put(cluster, [uses(table, ILL, "behind")])
        one.kill()

        passing = planted(stack, "two", cluster, tmp_path, "--skip", place, "--reason", REASON)
        passing.start()
        await until(lambda: len(decided(cluster, "behind")) == 1, 40, "what waited behind it", passing.log)
        letters = await asyncio.to_thread(recount.read, cluster.servers, DEAD_LETTERS)
        assert await passing.stop() == 0

        # The options were forgotten in its start script.
        options = ("--stage", "customers", "--skip", place, "--reason", REASON)
        mended = Worker("mended", cluster.bootstrap, tmp_path, *options)
        stack.callback(mended.end)
        mended.start()
        await mended.says("partition open", declared.customers)
        replayed = [await asyncio.to_thread(dlq_replay, cluster) for _ in range(2)]
        await until(lambda: len(decided(cluster, "poison")) == 1, 40, "the decision on the mended event", mended.log)
        await quiet(cluster, rest=1)
        assert await mended.stop() == 0
        assert mended.said("passed already, nothing is skipped") == 1

    (letter,) = letters
    why = f"LookupError; skipped: {REASON}"
    assert (letter.key, letter.headers["ce_id"], letter.partition) == (ILL.encode(), "poison", ill)
    assert (letter.headers["kairos.errors.class"], letter.headers["kairos.errors.message"]) == ("skipped", why)
    assert ":".join(letter.headers[f"kairos.errors.{part}"] for part in ("topic", "partition", "offset")) == place
    assert ("1 replayed" in replayed[0], "nothing to replay" in replayed[1]) == (True, True), replayed
    assert len(decided(cluster)) == len(["before", "behind", "poison"])
    entries = [json.loads(row.value or b"") for row in recount.read(cluster.servers, CUSTOMERS_JOURNAL)]
    offset = int(place.rpartition(":")[2])
    assert [entry["skipped"] for entry in entries if "skipped" in entry] == [[[APP_USAGE, offset, why]]]
    assert [result.problems for result in await replay_journal(cluster.for_aiokafka(), [STAGES["customers"]])] == [[]]
    assert_nobody_is_named(one, passing, mended)


async def poisoned(stack: ExitStack, cluster: Cluster, declared: Partitions, folder: Path) -> tuple[Worker, Table]:
    """Start a worker with the mistake, let it decide once, and give it the event it cannot take."""
    now = clock.now()
    await put_in_force(cluster, folder, now)
    table = Table(now=now)
    await put(cluster, list(profiles(CUSTOMERS, now)))
    one = planted(stack, "one", cluster, folder)
    one.start()
    await one.says("partition open", declared.customers)
    await put(cluster, [uses(table, ILL, "before")])
    await until(lambda: len(decided(cluster)) == 1, 40, "the first decision", one.log)
    await put(cluster, [uses(table, ILL, "poison")])
    await one.says("partition stopped")
    return one, table


def assert_nobody_is_named(*workers: Worker) -> None:
    for worker in workers:
        log = worker.log.read_text()
        assert SECRET not in log
        assert ILL not in log


def uses(table: Table, customer: str, name: str) -> Record:
    return table.event(APP_USAGE, "app_usage", customer, {"app": "trips", "app_class": "travel"}, name)


def names() -> list[str]:
    return [f"L{number:06}" for number in range(CUSTOMERS)]


def planted(stack: ExitStack, name: str, cluster: Cluster, folder: Path, *more: str) -> Worker:
    """Give a worker with the planted mistake, and its `/ready`."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    worker = Worker(
        name,
        cluster.bootstrap,
        folder,
        "--stage",
        "customers",
        *more,
        module="tests.planted",
        KAIROS_HEALTH_PORT=port,
        KAIROS_LOG_FORMAT="json",
    )
    stack.callback(worker.end)
    return worker


def lines(worker: Worker, event: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{")]
    return [row for row in rows if row["event"] == event]


def stops(worker: Worker) -> list[dict[str, Any]]:
    return lines(worker, "partition stopped")


def named(worker: Worker) -> str:
    """Give the place that a stopped worker names, as `--skip` takes it."""
    return str(stops(worker)[0]["why"]).removeprefix("LookupError on ").partition(",")[0]


def ready(worker: Worker) -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{worker.settings['KAIROS_HEALTH_PORT']}/ready") as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


async def put(cluster: Cluster, records: list[Record]) -> None:
    await send(cluster, [Output(r.topic, r.key, r.value, tuple(r.headers)) for r in records])


def decided(cluster: Cluster, event: str = "") -> list[recount.Row]:
    """Give the decisions, or those on one event, however often it lies in its topic."""
    rows = [row for row in recount.read(cluster.servers, DECISIONS) if row.type == "decision"]
    places = {row[1:3] for row in recount.read(cluster.servers, APP_USAGE) if row.name[1] == event}
    return [row for row in rows if not event or (row.json["event"]["partition"], row.json["event"]["offset"]) in places]


def dlq_replay(cluster: Cluster) -> str:
    command = [sys.executable, "-m", "console.cli", "dlq", "replay", "--class", "skipped", "--yes"]
    environment = os.environ | {"KAIROS_BOOTSTRAP": cluster.bootstrap}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
