"""`python -m bench latency`: how long after an event was due its commit can be read, under a steady load.

The load is open: each record is stamped with the moment at which it was due, and nobody waits for anybody. The stage's
journal says which records a commit took; it is read as everybody reads, `read_committed`, and the moment at which an
entry arrives is when all that came of its records can be seen. So every record counts, not only those with a decision.
Broker, engine, load and reader share the machine.
"""

import argparse
import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from bench.children import Result, measured
from bench.engines import ENGINES
from bench.place import EVENTS, Place, opened
from bench.workload import PARTITIONS, WORKLOADS
from streams import journal
from streams.topics import APP_USAGE, TRANSACTIONS

__all__ = ["main"]

_PROBES, _SETTLING = 400, 3.0
"""Records that show that the engine is there, and the seconds of the load that are not counted."""
_TOPICS = (EVENTS, APP_USAGE, TRANSACTIONS)

Seen = list[tuple[float, int, dict[str, tuple[int, int]]]]
"""When an entry of the journal was read (ms), of which partition, and which records it took."""


@dataclass(frozen=True)
class Delays:
    """What one run gave, in milliseconds: quantiles over its records, and how late the load itself was at most."""

    median: float
    p99: float
    worst: float
    load: int


def main(arguments: list[str]) -> int:
    """Read the options, run and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench latency", description=__doc__)
    parser.add_argument("--rate", default="2000,10000", help="events a second, parted by commas (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=15, help="how long each load lasts (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine (default: %(default)s)")
    parser.add_argument("--only", default="stage,kairos10,kairos1000", help="stages (default: %(default)s)")
    parser.add_argument("--keys", default="uniform", choices=tuple(WORKLOADS), help="whose events")
    asked = parser.parse_args(arguments)
    engines, rates = asked.only.split(","), [int(rate) for rate in asked.rate.split(",")]
    if wrong := [key for key in engines if key not in ENGINES or not ENGINES[key].warm]:
        parser.error(f"no stages of ours: {', '.join(wrong)}")
    found: dict[tuple[str, int], list[Delays]] = defaultdict(list)
    with opened(asked.keys, WORKLOADS[asked.keys], _PROBES, _say) as place:
        for state in dict.fromkeys(ENGINES[key].warm for key in engines):
            place.prepare(state or "", WORKLOADS[asked.keys])
        # The first turn is not counted: in it Kafka's Java compiles itself, and a commit takes twice as long.
        for turn in range(asked.runs + 1):
            for rate in rates:
                for key in engines:
                    delays = _run(place, key, turn, rate, asked)
                    if turn:
                        found[key, rate].append(delays)
                    said = f"{turn}/{asked.runs}" if turn else "warming"
                    _say(f"{said} {rate:>6,}/s {key:<11} p50 {delays.median:.0f}, p99 {delays.p99:.0f} ms")
    _write(engines, rates, found, asked.seconds)
    return 0


def _run(place: Place, key: str, turn: int, rate: int, asked: argparse.Namespace) -> Delays:
    engine, name, total = ENGINES[key], f"latency-{key}-{rate}-{turn}", _PROBES + rate * asked.seconds
    folder, topic = place.folder / "run", EVENTS if engine.warm == "plain" else APP_USAGE
    shutil.copytree(place.states[engine.warm or ""].folder, folder / name)
    place.ready(engine, name)
    begins = _emptied(place)

    def program(module: str, number: int, *more: str) -> Result:
        fixed = ["--bootstrap", place.cluster.bootstrap, "--topic", topic, "--name", name, "--folder", str(folder)]
        return measured([sys.executable, "-m", module, *fixed, "--events", str(number), *more])

    def load(number: int, a_second: int, skip: int) -> Result:
        more = ["--rate", str(a_second), "--keys", asked.keys, "--skip", str(skip)]
        return program("bench.peers.load", number, *more)

    with ThreadPoolExecutor(2) as threads:
        working = threads.submit(program, engine.module, total)
        load(_PROBES, 1_000, 0)
        reader = _Reader(place, name, begins)
        reader.read(_PROBES, working)
        began = time.time() * 1000 + _SETTLING * 1000
        sending = threads.submit(load, total - _PROBES, rate, _PROBES)
        reader.read(total, working, sending)
        late = sending.result().outputs["late"]
        working.result()
    due = _due(place, begins)
    shutil.rmtree(folder)
    return _delays(reader.seen, begins, due, began, late)


class _Reader:
    """Reads a stage's journal as it grows, and notes when each entry came."""

    def __init__(self, place: Place, name: str, begins: Mapping[TopicPartition, int]) -> None:
        self.seen: Seen = []
        self._places = [TopicPartition(f"{name}.journal", number) for number in range(PARTITIONS)]
        self._consumer = KafkaConsumer(
            **place.cluster.for_kafka_python(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=5,
        )
        self._consumer.assign(self._places)
        self._consumer.seek_to_beginning(*self._places)
        self._begins, self._taken = begins, 0

    def read(self, number: int, *at_work: "Future[Result]") -> None:
        """Read on until so many records were taken, or one of those at work failed."""
        while self._taken < number:
            for one in at_work:
                if one.done() and one.exception():
                    one.result()
            for rows in self._consumer.poll(timeout_ms=200).values():
                now = time.time() * 1000
                for row in rows:
                    ranges = journal.read(row.value).ranges
                    self.seen.append((now, row.partition, ranges))
                    self._taken += sum(self._new(topic, row.partition, *range_) for topic, range_ in ranges.items())

    def _new(self, topic: str, partition: int, first: int, end: int) -> int:
        return max(0, end - max(first, self._begins.get(TopicPartition(topic, partition), end)))


def _emptied(place: Place) -> dict[TopicPartition, int]:
    """Delete what earlier runs left; gives where each partition begins now."""
    with closing(KafkaConsumer(**place.cluster.for_kafka_python())) as consumer:
        ends = consumer.end_offsets([TopicPartition(t, number) for t in _TOPICS for number in range(PARTITIONS)])
    with closing(KafkaAdminClient(**place.cluster.for_kafka_python())) as admin:
        admin.delete_records(dict(ends))
    return dict(ends)


def _due(place: Place, begins: Mapping[TopicPartition, int]) -> dict[TopicPartition, "np.ndarray[Any, Any]"]:
    """Give the moment at which each record was due, by its place."""
    with closing(KafkaConsumer(**place.cluster.for_kafka_python(), enable_auto_commit=False)) as consumer:
        consumer.assign(list(begins))
        for where, first in begins.items():
            consumer.seek(where, first)
        ends, found = consumer.end_offsets(list(begins)), defaultdict(list)
        while any(consumer.position(where) < end for where, end in ends.items()):
            for where, rows in consumer.poll(timeout_ms=200).items():
                found[where] += [row.timestamp for row in rows]
    return {where: np.array(times, dtype=float) for where, times in found.items()}


def _delays(
    seen: Seen,
    begins: Mapping[TopicPartition, int],
    due: Mapping[TopicPartition, "np.ndarray[Any, Any]"],
    began: float,
    late: int,
) -> Delays:
    parts = []
    for now, partition, ranges in seen:
        for topic, (first, end) in ranges.items():
            where = TopicPartition(topic, partition)
            if where in due:
                times = due[where][max(0, first - begins[where]) : end - begins[where]]
                parts.append(now - times[times >= began])
    all_ = np.concatenate(parts)
    middle, high, worst = np.quantile(all_, (0.5, 0.99, 1.0))
    return Delays(float(middle), float(high), float(worst), late)


def _write(engines: list[str], rates: list[int], found: Mapping[tuple[str, int], list[Delays]], seconds: int) -> None:
    runs = len(found[engines[0], rates[0]])
    print(f"\nMilliseconds from when an event was due until its commit was read; medians of {runs} interleaved runs")
    counted = f"(least - most) of {seconds - _SETTLING:.0f} s"
    print(f"{counted}; load, engine, broker and reader on {os.cpu_count()} cores.\n")
    print("| engine | " + " | ".join(f"{rate:,} events/s: p50 | p99 | worst | load late" for rate in rates) + " |")
    print("| --- |" + " ---: | ---: | ---: | ---: |" * len(rates))
    for key in engines:
        cells = []
        for rate in rates:
            runs_ = found[key, rate]
            cells += [_cell([d.median for d in runs_]), _cell([d.p99 for d in runs_])]
            cells += [f"{max(d.worst for d in runs_):.0f}", f"{max(d.load for d in runs_)}"]
        print(f"| {ENGINES[key].title} | {' | '.join(cells)} |")


def _cell(values: list[float]) -> str:
    return f"{median(values):.0f} ({min(values):.0f} - {max(values):.0f})"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
