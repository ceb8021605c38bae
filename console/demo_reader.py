"""The separate reader: a thread with kafka-python that reads the topics committed, without a group, and counts."""

import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from console.counting import Count
from console.counting_figures import Figures
from kairos.ports import Record
from streams import card_feed, topics
from streams.cluster import Cluster

__all__ = ["READ", "Reader"]

READ = (
    topics.CATALOGUE,
    topics.CUSTOMERS,
    topics.APP_USAGE,
    topics.TRANSACTIONS,
    topics.FEEDBACK,
    topics.LEDGER_COMMANDS,
    topics.LEDGER_ANSWERS,
    topics.DECISIONS,
    *topics.OFFERS.values(),
    topics.EXAMPLES,
    topics.DEAD_LETTERS,
    card_feed.TOPIC,
)
"""The topics that are read; all of them must exist."""

_POLL_MS = 200
_MOST = 4_000
_LOOK_EVERY = 0.5


class Reader:
    """Reads from the beginning until it is closed; used as `with Reader(cluster) as reader`.

    Parameters
    ----------
    cluster
        Where.

    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._count = Count()
        self._nexts: dict[TopicPartition, int] = {}
        self._unread = -1
        self._look = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=10)

    def figures(self) -> Figures:
        """Say what was counted so far.

        Raises
        ------
        KafkaError
            Kafka went away meanwhile.

        """
        if self._error is not None:
            raise self._error
        with self._lock:
            return self._count.figures()

    @property
    def nexts(self) -> Mapping[TopicPartition, int]:
        """Where each partition's newest record lies, plus one; Kafka's marks between commits are none."""
        with self._lock:
            return dict(self._nexts)

    @property
    def is_level(self) -> bool:
        """Whether everything that was there a moment ago has been read."""
        with self._lock:
            return self._unread == 0

    def _run(self) -> None:
        try:
            with KafkaConsumer(
                **self._cluster.for_kafka_python(),
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                check_crcs=False,
                max_partition_fetch_bytes=4 * 1024 * 1024,
            ) as consumer:
                places = [TopicPartition(topic, n) for topic in READ for n in _partitions(consumer, topic)]
                consumer.assign(places)
                while not self._stop.is_set():
                    self._round(consumer, places)
        except KafkaError as error:
            self._error = error

    def _round(self, consumer: KafkaConsumer, places: Sequence[TopicPartition]) -> None:
        found = consumer.poll(timeout_ms=_POLL_MS, max_records=_MOST)
        with self._lock:
            for place, rows in found.items():
                for r in rows:
                    self._count.take(Record(r.topic, r.partition, r.offset, r.key, r.value, r.headers, r.timestamp))
                self._nexts[place] = rows[-1].offset + 1
        if time.monotonic() < self._look:
            return
        self._look = time.monotonic() + _LOOK_EVERY
        ends = consumer.end_offsets(places)
        unread = sum(max(0, end - consumer.position(place)) for place, end in ends.items())
        with self._lock:
            self._unread = unread


def _partitions(consumer: KafkaConsumer, topic: str) -> list[int]:
    return sorted(consumer.partitions_for_topic(topic) or ())
