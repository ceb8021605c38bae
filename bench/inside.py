"""`python -m bench.inside`: what an event costs the customers' stage without Kafka, part by part, in microseconds.

One process takes the records of a workload through everything between the client that reads and the client that
writes: records, fetch, step, the batches of changelog and outputs, RocksDB. Times are CPU of the loop's thread; `cpu`
is the whole process's, with the thread that fetches and RocksDB's own. To compare two commits, run it in turn in both.
"""

import argparse
import asyncio
import gc
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import cast

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.producer.message_accumulator import BatchBuilder

from bench import warm
from bench.place import contents_of
from bench.workload import PARTITIONS, WORKLOADS, events
from kairos.ports import Batch
from streams import clock
from streams.attempt import attempt
from streams.commit import Commit
from streams.consumed import as_record
from streams.heap import keep_whole
from streams.skips import Skips
from streams.stages import STAGES
from streams.store import META, Meta, RocksStore, encode
from streams.versions import Versions

_BATCH = 2300


class _Producer:
    """Makes real batches, and sends them nowhere."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(512 * 1024, 0, is_transactional=1)

    async def partitions_for(self, _topic: str) -> set[int]:
        return set(range(PARTITIONS))

    async def send_batch(self, batch: BatchBuilder, _topic: str, *, partition: int) -> "asyncio.Future[object]":
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        done.set_result(_Written())
        return done


class _Written:
    offset = 0


def _batches(keys: str, number: int, now: int) -> Iterator[tuple[int, list[ConsumerRecord]]]:
    workload = WORKLOADS[keys]
    placed, found = dict(zip(workload.keys, workload.placed, strict=True)), defaultdict(list)
    for r in events(workload.drawn(Random(keys), number), now - 1000, keys):
        key, value, at = r.key or b"", r.value or b"", placed[r.key or b""]
        found[at].append(
            ConsumerRecord(r.topic, at, r.offset, r.at, 0, key, value, None, len(key), len(value), r.headers)
        )
    for first in range(0, number, _BATCH):
        for partition, rows in found.items():
            if batch := rows[first : first + _BATCH]:
                yield partition, batch


async def _run(asked: argparse.Namespace, folder: Path) -> dict[str, float]:
    spec, versions, now, parts = STAGES["customers"], Versions(), clock.now(), defaultdict(float)
    for kind, content in contents_of(asked.rules).items():
        versions = versions.having(kind, content)
    warm.with_rules(folder, WORKLOADS[asked.keys], versions, now)
    stores = [RocksStore(folder / str(number)) for number in range(PARTITIONS)]
    skips = Skips(spec.name, ())
    batches, producer = list(_batches(asked.keys, asked.events, now)), cast(AIOKafkaProducer, _Producer())
    # What was prepared is no part of it, and cycles are sought as rarely as in a worker.
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    used = time.process_time()
    last = time.thread_time()

    def spent(part: str) -> None:
        nonlocal last
        parts[part], last = parts[part] + time.thread_time() - last, time.thread_time()

    for partition, rows in batches:
        store = stores[partition]
        records = [as_record(row) for row in rows]
        spent("records")
        if spec.reads:
            await asyncio.to_thread(store.fetch, spec.reads(records))
        spent("fetch")
        batch = Batch(partition, PARTITIONS, records, now, versions)
        outputs, _ = await attempt(spec, store, batch, skips)
        spent("step")
        prepared = Commit(producer, partition, spec.aligned)
        await prepared.add(outputs)
        prepared.own(spec.changelog, [*store.changes(), (META, encode(Meta()))])
        await prepared.send()
        spent("batches")
        store.commit(Meta(), 0)
        spent("rocksdb")
    parts["sum"], parts["cpu"] = sum(parts.values()), time.process_time() - used
    for store in stores:
        store.close()
    return {part: round(seconds / asked.events * 1e6, 2) for part, seconds in parts.items()}


def main() -> None:
    """Read the options and run once."""
    parser = argparse.ArgumentParser(prog="python -m bench.inside", description=__doc__)
    parser.add_argument("--rules", type=int, choices=(10, 1000), default=10, help="how many (default: %(default)s)")
    parser.add_argument("--keys", choices=tuple(WORKLOADS), default="uniform", help="whose events")
    parser.add_argument("--events", type=int, default=120_000, help="how many (default: %(default)s)")
    asked = parser.parse_args()
    keep_whole()
    with tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder:
        print(json.dumps(asyncio.run(_run(asked, Path(folder)))))


if __name__ == "__main__":
    main()
