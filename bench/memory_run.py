"""`python -m bench memory`: how much memory a worker takes while it works off a backlog, from beginning to end.

All events lie in Kafka before the worker starts. A worker that kept what it cannot work on yet would grow with them.
What is under way differs from one moment to the next, so it is judged by its peaks: the highest of all events against
the highest of the first tenth of them after warm-up. Customers' records grow to the end, for the name of each event is
remembered for a day: a worker whose batches grew with them would not pass.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

from kafka import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError  # type: ignore[attr-defined]

from bench.place import contents_of
from bench.workload import events
from console.publishing import publish
from streams import clock
from streams.broker import configured
from streams.cluster import Cluster
from streams.feed import feed
from streams.stages import STAGES
from streams.topics import Partitions
from streams.topics_declare import declare

__all__ = ["main"]

_ROOT = Path(__file__).parent.parent
_PORTION = 200_000
_EVERY = 2.0
_TENTHS = 10
_WARM = 2
"""Tenths of the events after which the worker has everything that it will ever keep: caches, tables, its pools."""
_FLAT = 0.1
"""By how much more memory may be taken afterwards."""
_FULL = 1_000_000
"""Events after which RocksDB's cache and memory tables are full, whatever the backlog."""
_GROUP = STAGES["customers"].group


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench memory", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000, help="in the backlog (default: %(default)s)")
    parser.add_argument("--customers", type=int, default=30_000, help="they belong to (default: %(default)s)")
    parser.add_argument("--rules", type=int, default=1_000, help="in force (default: %(default)s)")
    asked = parser.parse_args(words)
    with (
        tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder,
        configured({}, Path(folder) / "kafka") as broker,
    ):
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, Partitions())
        asyncio.run(publish(cluster.for_aiokafka(), contents_of(asked.rules), "bench", clock.now()))
        for done in _filled(cluster, asked.events, asked.customers):
            _say(f"{done:,} of {asked.events:,} events are in Kafka")
        found = _watched(cluster, Path(folder), asked.events)
    _write(found, asked.events)
    return 0


def _filled(cluster: Cluster, number: int, customers: int) -> Iterator[int]:
    keys, chance, began = [b"L%06d" % one for one in range(customers)], Random("memory"), clock.now() - number
    for first in range(0, number, _PORTION):
        count = min(_PORTION, number - first)
        # A millisecond apart, the last one just now.
        drawn = events(chance.choices(keys, k=count), began + first + count, f"memory-{first}", apart=1)
        asyncio.run(feed(drawn, cluster))
        yield first + count


def _watched(cluster: Cluster, folder: Path, number: int) -> list[tuple[int, float, float]]:
    """Give again and again how many events were taken, after how many seconds, and the worker's memory in MiB."""
    environment = os.environ | {"KAIROS_BOOTSTRAP": cluster.bootstrap, "KAIROS_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "console.cli", "worker", "--stage", "customers"]
    found: list[tuple[int, float, float]] = []
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log)
    try:
        began, done = time.monotonic(), 0
        while done < number and worker.poll() is None:
            time.sleep(_EVERY)
            done = _taken(cluster)
            found.append((done, time.monotonic() - began, _memory(worker.pid)))
            if found[-1][0] * _TENTHS // number > (found[-2][0] if found[1:] else 0) * _TENTHS // number:
                _say(f"{done:,} events taken after {found[-1][1]:.0f} s: {found[-1][2]:.0f} MiB")
        if worker.poll() is not None:
            raise RuntimeError((folder / "worker.log").read_text(errors="replace")[-3000:])
    finally:
        _end(worker)
    return found


def _end(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
    try:
        worker.wait(60)
    except subprocess.TimeoutExpired:
        # Nothing of ours is left behind, whatever it was busy with.
        worker.kill()
        worker.wait()
        raise


def _taken(cluster: Cluster) -> int:
    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        try:
            found = admin.list_group_offsets({_GROUP: None})
        except CoordinatorNotAvailableError:
            # The worker is the first group of this Kafka, and has not begun.
            return 0
    return sum(at.offset for marks in found.values() for at in marks.values())


def _memory(pid: int) -> float:
    words = Path(f"/proc/{pid}/statm").read_text().split()
    return int(words[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


def _write(found: list[tuple[int, float, float]], number: int) -> None:
    print("| events taken | seconds | memory, MiB: least to most |\n| ---: | ---: | ---: |")
    for tenth in range(_TENTHS):
        rows = [row for row in found if tenth <= row[0] * _TENTHS / number < tenth + 1 + (tenth == _TENTHS - 1)]
        if rows:
            low, high = min(row[2] for row in rows), max(row[2] for row in rows)
            print(f"| {rows[-1][0]:,} | {rows[-1][1]:.0f} | {low:.0f} to {high:.0f} |")
    begin = max(_WARM * number // _TENTHS, _FULL)
    until = begin + number // _TENTHS
    first, later = [[m for done, _, m in found if a <= done < b] for a, b in ((begin, until), (until, number + 1))]
    if not first or not later:
        print(f"\nToo short to tell: caches and tables fill until some {_FULL:,} events were taken.")
    else:
        most = max(later) / max(first) - 1
        verdict = "flat" if most <= _FLAT else "NOT flat"
        peaks = f"up to {max(first):.0f} MiB until {until:,}, up to {max(later):.0f} MiB later"
        print(f"\nAfter {begin:,} events: {peaks}, {most:+.1%}: {verdict}.")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
