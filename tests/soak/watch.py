"""Watching the journals: a partition has moved on when it has committed, and only then."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from threading import Event, Thread

from kafka import KafkaConsumer, TopicPartition

from streams.cluster import Cluster
from streams.topics import CUSTOMERS_JOURNAL, LEARNING_JOURNAL, LEDGER_JOURNAL

JOURNALS = (CUSTOMERS_JOURNAL, LEDGER_JOURNAL, LEARNING_JOURNAL)
PATIENCE = 300.0
"""Seconds after which a partition that does not move on is a failure, however busy the machine."""

Place = tuple[str, int]


class Watch:
    """Counts the commits of every partition, by what is committed in its journal.

    An end offset would not do: it also moves where a transaction was ended that committed nothing.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._counts: Counter[Place] = Counter()
        self._covered: dict[Place, int] = {}
        self._next: dict[TopicPartition, int] = {}
        self._polls = 0
        self._enough, self._rest, self._looks = Event(), Event(), Event()
        self._thread = Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join(30)

    @property
    def partitions(self) -> int:
        """Of how many it is, of all stages."""
        return len(self._counts)

    @property
    def covered(self) -> dict[Place, int]:
        """How far each input has been taken."""
        return dict(self._covered)

    async def all_move(self, patience: float = PATIENCE) -> float:
        """Wait until every partition has committed once more from now on; gives how many seconds that took."""
        await self._known(patience)
        began = time.monotonic()
        await self._up_to_date(patience)
        before = dict(self._counts)
        while stuck := [place for place, count in before.items() if self._counts[place] == count]:
            assert time.monotonic() - began < patience, f"nothing committed for {patience:.0f} s in {stuck}"
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def _up_to_date(self, patience: float) -> None:
        """Wait until what was committed before now has been counted: it says nothing about what comes."""
        end, seen = time.monotonic() + patience, self._polls
        while self._polls < seen + 2:
            assert time.monotonic() < end, "the journals cannot be read"
            await asyncio.sleep(0.05)

    async def _known(self, patience: float) -> None:
        end = time.monotonic() + patience
        while not self._counts:
            assert time.monotonic() < end, "the journals are not to be found"
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        """Look away while the broker is away: this client leaves a socket open for each time that nobody answers."""
        self._rest.set()
        while self._looks.is_set():
            await asyncio.sleep(0.05)
        try:
            yield
        finally:
            self._rest.clear()

    def _follow(self) -> None:
        settings = {"isolation_level": "read_committed", "enable_auto_commit": False, "auto_offset_reset": "earliest"}
        while not self._enough.is_set():
            self._looks.set()
            if not self._rest.is_set():
                with closing(KafkaConsumer(**self._cluster.for_kafka_python(), **settings)) as consumer:
                    self._look(consumer)
            self._looks.clear()
            time.sleep(0.05)

    def _look(self, consumer: KafkaConsumer) -> None:
        found = {topic: consumer.partitions_for_topic(topic) for topic in JOURNALS}
        if not all(found.values()):
            # Kafka has only just begun; asked again in a moment.
            return
        places = [TopicPartition(topic, n) for topic, numbers in found.items() for n in numbers or ()]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, self._next.get(place, 0))
            self._counts.setdefault((place.topic, place.partition), 0)
        while not (self._enough.is_set() or self._rest.is_set()):
            for place, rows in consumer.poll(timeout_ms=200).items():
                for row in rows:
                    ranges = json.loads(row.value)["ranges"]
                    self._covered.update({(topic, place.partition): end for topic, (_, end) in ranges.items()})
                self._counts[place.topic, place.partition] += len(rows)
                self._next[place] = rows[-1].offset + 1
            self._polls += 1
