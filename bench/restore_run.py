"""`python -m bench restore`: how long a lost disk takes to come back from the changelog, beside reading it alone."""

import argparse
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.children import Result, measured
from bench.restore_fill import fill
from bench.workload import PARTITIONS
from streams.broker import configured
from streams.cluster import Cluster
from streams.topics import CUSTOMERS_CHANGELOG, TOPICS, Partitions
from streams.topics_declare import declare

__all__ = ["main"]

_TOPIC = "bench.changelog"
_ROWS = {
    "bare": ("aiokafka `getmany`, all partitions, nothing kept", ["--bare"]),
    "restore": ("Kairos, `restore` into empty stores, closed at the end", []),
}


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench restore", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000, help="how many (default: %(default)s)")
    parser.add_argument("--times", type=int, default=1, help="how often each is written (default: %(default)s)")
    parser.add_argument("--rules", type=int, choices=(10, 1000), default=1000, help="under which they lived")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs (default: %(default)s)")
    asked = parser.parse_args(words)
    with (
        tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder,
        configured({}, Path(folder) / "kafka") as broker,
    ):
        cluster = Cluster(bootstrap=broker.bootstrap)
        changelog = next(topic for topic in TOPICS if topic.name == CUSTOMERS_CHANGELOG)
        declare(cluster, Partitions(customers=PARTITIONS), topics=[replace(changelog, name=_TOPIC)])
        count, size = fill(cluster, _TOPIC, asked.customers, asked.times, asked.rules)
        print(f"{asked.customers:,} customers: {count:,} records, {size / count:,.0f} bytes each", file=sys.stderr)
        found: dict[str, list[Result]] = defaultdict(list)
        for turn in range(1, asked.runs + 1):
            for name, (_, more) in _ROWS.items():
                found[name].append(_run(cluster, Path(folder) / "run", count, more))
                print(f"{turn}/{asked.runs} {name:<8} {_said(found[name][-1])}", file=sys.stderr)
    print(f"\n{asked.customers:,} customers, {count:,} records of {size / count:,.0f} bytes with their keys, ", end="")
    print(f"{PARTITIONS} partitions at once in one process; medians of {asked.runs} interleaved runs (least - most).\n")
    print("| what | records/s | MB/s | records/s a core | CPU µs a record | seconds |\n| --- |" + " ---: |" * 5)
    for name, (title, _) in _ROWS.items():
        print(_row(title, found[name], size / count))
    return 0


def _run(cluster: Cluster, folder: Path, count: int, more: list[str]) -> Result:
    folder.mkdir()
    command = [sys.executable, "-m", "bench.peers.restoring", "--bootstrap", cluster.bootstrap, "--topic", _TOPIC]
    try:
        return measured([*command, "--events", str(count), "--name", "restore", "--folder", str(folder), *more])
    finally:
        shutil.rmtree(folder)


def _said(result: Result) -> str:
    return f"{result.rate:>9,.0f} records/s  {result.micros:>6.2f} us  {result.seconds:>6.1f} s"


def _row(title: str, results: list[Result], size: float) -> str:
    def cell(value: Callable[[Result], float], digits: int = 0) -> str:
        found = [value(result) for result in results]
        return f"{median(found):,.{digits}f} ({min(found):,.{digits}f} - {max(found):,.{digits}f})"

    cells = [
        cell(lambda one: one.rate),
        cell(lambda one: one.rate * size / 1e6),
        cell(lambda one: one.events / one.cpu),
        cell(lambda one: one.micros, 2),
        cell(lambda one: one.seconds, 1),
    ]
    return f"| {title} | {' | '.join(cells)} |"
