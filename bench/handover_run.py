"""`python -m bench handover`: how long a partition commits nothing while a worker is stopped, by its journal.

Two workers share the customers' partitions under a steady load. One gets SIGTERM: it leaves for good, and the other
takes its partitions over; or it is started again at once, with a name of its own or without one.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

from bench.workload import events
from kairos.instants import SECOND, Millis
from kairos.ports import Record
from streams import clock
from streams.broker import configured
from streams.cluster import Cluster
from streams.feed import feed
from streams.topic_reader import read_topic
from streams.topics import CUSTOMERS_JOURNAL, Partitions
from streams.topics_declare import declare

__all__ = ["main"]

_ROOT = Path(__file__).parent.parent
_RATE, _WINDOW = 400.0, 5.0
_WAYS = {
    "leaves": "it leaves for good, the other takes over from the changelog",
    "returns": "it is started again at once, without a name",
    "named": "it is started again at once, with a name (`KAIROS_INSTANCE`)",
}


class _Worker:
    """A worker of the product, as a process."""

    def __init__(self, name: str, servers: str, folder: Path, *, named: bool) -> None:
        self.log, self._data = folder / f"{name}.log", folder / name
        self._environment = os.environ | {"KAIROS_BOOTSTRAP": servers, "KAIROS_DATA": str(self._data)}
        if named:
            self._environment["KAIROS_INSTANCE"] = name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "console.cli", "worker", "--stage", "customers"]
            self._process = subprocess.Popen(command, cwd=_ROOT, env=self._environment, stdout=log, stderr=log)

    async def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait, 40)

    @property
    def opened(self) -> int:
        if self._process is not None and self._process.poll() not in (None, 0):
            raise RuntimeError(self.log.read_text(errors="replace")[-3000:])
        return self.log.read_bytes().count(b"partition open") if self.log.exists() else 0


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench handover", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000, help="with a state (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=2, help="of each way (default: %(default)s)")
    asked = parser.parse_args(words)
    print(f"| what the stopped worker does | seconds without a commit, each of {Partitions().customers} partitions |")
    print("| --- | --- |")
    for way, title in _WAYS.items():
        with (
            tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder,
            configured({}, Path(folder) / "kafka") as broker,
        ):
            found = asyncio.run(_measured(way, Cluster(bootstrap=broker.bootstrap), Path(folder), asked))
            print(f"| {title} | {'; '.join(' '.join(f'{gap:.1f}' for gap in gaps) for gaps in found)} |", flush=True)
    return 0


async def _measured(way: str, cluster: Cluster, folder: Path, asked: argparse.Namespace) -> list[list[float]]:
    declare(cluster, Partitions())
    keys = [b"L%07d" % number for number in range(asked.customers)]
    workers = [_Worker(name, cluster.bootstrap, folder, named=way == "named") for name in ("one", "two")]
    try:
        for worker in workers:
            worker.start()
        await _until_both_work(workers)
        await feed(events(keys, clock.now(), "past"), cluster)
        load = asyncio.create_task(feed(_steady(keys), cluster, _RATE))
        found = []
        for _ in range(asked.runs):
            await _until_quick(cluster)
            begun, before = clock.now(), workers[0].opened
            await workers[0].stop()
            if way == "leaves":
                await asyncio.sleep(_WINDOW)
                found.append(await _gaps(cluster, begun))
                shutil.rmtree(folder / "one")
            workers[0].start()
            while workers[0].opened < before + Partitions().customers // 2:
                await asyncio.sleep(0.2)
            await asyncio.sleep(_WINDOW)
            if way != "leaves":
                found.append(await _gaps(cluster, begun))
        load.cancel()
        await asyncio.wait([load])
        return found
    finally:
        for worker in workers:
            await worker.stop()


async def _until_both_work(workers: list[_Worker]) -> None:
    while not all(worker.opened >= Partitions().customers // 2 for worker in workers):
        await asyncio.sleep(0.2)


async def _until_quick(cluster: Cluster) -> None:
    """Wait until what came before is worked off: every partition commits several times a second."""
    while True:
        begun = clock.now()
        await asyncio.sleep(4)
        if max(await _gaps(cluster, begun)) < 1:
            return


async def _gaps(cluster: Cluster, begun: Millis) -> list[float]:
    """Give the longest time without a commit since then, for each partition."""
    now, found = clock.now(), []
    rows = await read_topic(cluster.for_aiokafka(), CUSTOMERS_JOURNAL)
    for number in range(Partitions().customers):
        times = [begun, *[row.at for row in rows.get(number, []) if row.at >= begun], now]
        found.append(max(after - before for before, after in pairwise(times)) / SECOND)
    return found


def _steady(keys: list[bytes]) -> Iterator[Record]:
    chance, turn = Random("steady"), 0
    while True:
        turn += 1
        yield from events(chance.choices(keys, k=1_000), clock.now(), f"steady-{turn}")
