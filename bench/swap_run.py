"""`python -m bench swap`: what a changed rule does to the batches of a running worker, on a Kafka of its own.

A real worker with 10,000 rules takes a steady stream of events. In every other stretch of time a book is published in
which one rule differs. The gap between two commits of a partition is read from the journal, by the time at which Kafka
put the records there; the longest one of a stretch counts.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.place import contents_of
from bench.warm import profile
from bench.workload import PARTITIONS, Workload, events
from console.publishing import GREATEST, publish
from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.ports import Output, Record
from streams import clock, journal
from streams.broker import configured
from streams.catalogue import publication
from streams.cluster import Cluster
from streams.feed import feed
from streams.topic_reader import read_topic
from streams.topics import CUSTOMERS_JOURNAL, Partitions
from streams.topics_declare import declare

_ROOT = Path(__file__).parent.parent
_CROWD = Workload("2,000 customers, uniform", 2_000, skew=False)
_PATIENCE = 120.0
_SETTLE = 15.0


@dataclass(frozen=True)
class Stretch:
    """Some seconds of the run: when they began and ended, and the book that was published in them, if one was."""

    began: Millis
    ended: Millis
    book: str | None


@dataclass(frozen=True)
class Commit:
    """One commit of a partition: when Kafka took its journal record, and under which book it was made."""

    at: Millis
    book: str


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench swap", description=__doc__)
    parser.add_argument("--rules", type=int, default=10_000, help="in the book (default: %(default)s)")
    parser.add_argument(
        "--swaps", type=int, default=8, help="changes, each beside a quiet stretch (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="of each stretch (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=1_000, help="events a second (default: %(default)s)")
    asked = parser.parse_args(words)
    stretches, commits = asyncio.run(_run(asked))
    print(_told(asked, stretches, commits))
    return 0


async def _run(asked: argparse.Namespace) -> tuple[list[Stretch], dict[int, list[Commit]]]:
    contents = contents_of(asked.rules)
    books = _changed(contents["rules"], asked.swaps)
    with (
        tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder,
        configured({}, Path(folder) / "kafka") as broker,
    ):
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, Partitions(customers=PARTITIONS))
        await publish(cluster.for_aiokafka(), contents, "bench", clock.now())
        await feed(_profiles(), cluster)
        with _worker(cluster, Path(folder)) as log:
            await _opened(log)
            seconds = _SETTLE + 2 * asked.swaps * (asked.seconds + 1) + 5
            feeding = asyncio.create_task(feed(_events(seconds, asked.rate), cluster, asked.rate))
            await asyncio.sleep(_SETTLE)
            stretches = await _stretches(cluster, books, asked.seconds)
            await feeding
        rows = await read_topic(cluster.for_aiokafka(), CUSTOMERS_JOURNAL)
        return stretches, {number: [_commit(row) for row in found] for number, found in rows.items()}


def _changed(content: bytes, number: int) -> list[bytes]:
    """Give so many books that each differ from the one before in one rule."""
    said, books = b'"cooldown":"1h"', []
    places = content.split(said)
    for _ in range(number):
        place = Random(len(books)).randrange(1, len(places))
        books.append(said.join(places[:place]) + b'"cooldown":"2h"' + said.join(places[place:]))
    return books


def _profiles() -> Iterator[Record]:
    chance, now = Random("profiles"), clock.now()
    for number, key in enumerate(_CROWD.keys):
        yield profile(key, number, chance, now)


def _events(seconds: float, rate: float) -> Iterator[Record]:
    """Give events that are dated as they will be sent."""
    number, apart = round(seconds * rate), 1000 / rate
    last = clock.now() + round(seconds * 1000)
    return events(_CROWD.drawn(Random("swap"), number), last, "swap", apart)


@contextmanager
def _worker(cluster: Cluster, folder: Path) -> Iterator[Path]:
    log = folder / "worker.log"
    settings = {
        "KAIROS_BOOTSTRAP": cluster.bootstrap,
        "KAIROS_DATA": str(folder / "data"),
        "KAIROS_PARTITIONS_CUSTOMERS": str(PARTITIONS),
    }
    command = [sys.executable, "-m", "console.cli", "worker", "--stage", "customers"]
    with log.open("wb") as file:
        child = subprocess.Popen(command, cwd=_ROOT, env=os.environ | settings, stdout=file, stderr=file)
        try:
            yield log
        finally:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()


async def _opened(log: Path) -> None:
    for _ in range(round(_PATIENCE)):
        if log.read_text().count("partition open") >= PARTITIONS:
            return
        await asyncio.sleep(1)
    raise TimeoutError(log.read_text()[-3000:])


async def _stretches(cluster: Cluster, books: list[bytes], seconds: float) -> list[Stretch]:
    found = []
    async with _producer(cluster) as producer:
        for book in books:
            # Packed before the clock runs: people publish on another machine.
            ready = [(output.topic, _packed(producer, output)) for output in publication("rules", book, "bench", 0)]
            for changed in (False, True):
                await asyncio.sleep(1)
                began = clock.now()
                for topic, batch in ready if changed else ():
                    await (await producer.send_batch(batch, topic, partition=0))
                await asyncio.sleep(seconds - (clock.now() - began) / 1000)
                found.append(Stretch(began, clock.now(), content_hash(book) if changed else None))
    return found


def _packed(producer: AIOKafkaProducer, output: Output) -> BatchBuilder:
    batch = producer.create_batch()
    batch.append(timestamp=None, key=output.key, value=output.value, headers=list(output.headers))
    batch._build()  # noqa: SLF001 - else it would be packed when it is sent
    return batch


@asynccontextmanager
async def _producer(cluster: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **cluster.for_aiokafka(),
        acks="all",
        compression_type="gzip",
        max_batch_size=GREATEST,
        max_request_size=GREATEST,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _commit(row: Record) -> Commit:
    return Commit(row.at, journal.read(row.value or b"").versions.get("rules", ""))


def _longest(stretch: Stretch, commits: dict[int, list[Commit]]) -> Millis:
    return max(
        later.at - earlier.at
        for found in commits.values()
        for earlier, later in pairwise(found)
        if stretch.began <= later.at <= stretch.ended
    )


def _delay(stretch: Stretch, commits: dict[int, list[Commit]]) -> Millis:
    """Give how long it took until every partition worked under the book."""
    return max(min(one.at for one in found if one.book == stretch.book) - stretch.began for found in commits.values())


def _told(asked: argparse.Namespace, stretches: list[Stretch], commits: dict[int, list[Commit]]) -> str:
    quiet = [_longest(one, commits) for one in stretches if one.book is None]
    swapped = [_longest(one, commits) for one in stretches if one.book is not None]
    delays = [_delay(one, commits) for one in stretches if one.book is not None]
    began, ended = stretches[0].began, stretches[-1].ended
    number = sum(began <= one.at <= ended for found in commits.values() for one in found)
    return (
        f"One of {asked.rules:,} rules changed {asked.swaps} times in a running worker; {asked.rate:,.0f} events a "
        f"second, {number:,} commits in {(ended - began) / 1000:.0f} s over {PARTITIONS} partitions.\n"
        f"Longest gap between two commits of a partition in {asked.seconds:.0f} s: {_spread(quiet)} ms without a "
        f"change, {_spread(swapped)} ms with one.\nIn force {_spread(delays)} ms after it was sent.\n"
        f"Without: {quiet}; with: {swapped}."
    )


def _spread(found: list[Millis]) -> str:
    return f"{median(found):.0f} ({min(found)} - {max(found)})"
