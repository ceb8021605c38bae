"""The place of a workload: a Kafka of its own with the records in it, and the states that engines start from."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from msgspec import structs

from bench import warm
from bench.engines import Engine
from bench.rulebook import book, policy
from bench.workload import PARTITIONS, Workload, events
from console.population import catalogue
from console.publishing import publish
from kairos.ports import Record
from streams import clock
from streams.broker import configured
from streams.cluster import Cluster
from streams.feed import feed
from streams.topics import CUSTOMERS_CHANGELOG, CUSTOMERS_JOURNAL, TOPICS, Partitions, Topic
from streams.topics_declare import declare
from streams.versions import Versions

__all__ = ["EVENTS", "Place", "contents_of", "opened"]

EVENTS = "bench.events"
"""The topic of the peers and of the empty stage; Kairos reads the same records from its own two."""
_BY_NAME = {topic.name: topic for topic in TOPICS}
_PARTITIONS = Partitions(customers=PARTITIONS)


@dataclass(frozen=True)
class Place:
    """One workload's Kafka and folder.

    Parameters
    ----------
    value, headers
        The mean sizes of a record's value and of its headers, in bytes.
    states
        The prepared states by name.
    broker
        The process of Kafka.

    """

    cluster: Cluster
    folder: Path
    value: float
    headers: float
    broker: int
    states: dict[str, warm.Warm] = field(default_factory=dict)
    _contents: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def prepare(self, state: str, workload: Workload) -> None:
        """Make a state."""
        folder = self.folder / state
        if state == "plain":
            self.states[state] = warm.plain(folder, workload)
            return
        self._contents[state] = contents = contents_of(int(state.removeprefix("rules")))
        versions = Versions()
        for kind, content in contents.items():
            versions = versions.having(kind, content)
        self.states[state] = warm.with_rules(folder, workload, versions, clock.now())

    def ready(self, engine: Engine, name: str) -> None:
        """Make what one run of an engine needs beside the records: topics of its own, and the rules in force."""
        if engine.warm:
            changelog, journal = _BY_NAME[CUSTOMERS_CHANGELOG], _BY_NAME[CUSTOMERS_JOURNAL]
            self._declare(replace(changelog, name=f"{name}.changelog"), replace(journal, name=f"{name}.journal"))
        if engine.warm in self._contents:
            contents = self._contents[engine.warm]
            asyncio.run(publish(self.cluster.for_aiokafka(), contents, "bench", clock.now()))

    def used(self) -> float:
        """Give the seconds of processor time that Kafka has used so far; nothing where the system does not tell."""
        told = Path(f"/proc/{self.broker}/stat")
        if not told.exists():
            return 0.0
        user, system = told.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _declare(self, *topics: Topic) -> None:
        declare(self.cluster, _PARTITIONS, topics=topics)


@contextmanager
def opened(name: str, workload: Workload, number: int, say: Callable[[str], None]) -> Iterator[Place]:
    """Start a Kafka and fill it; it is gone when the context ends."""
    with (
        tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder,
        configured({}, Path(folder) / "kafka") as broker,
    ):
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, _PARTITIONS)
        declare(cluster, _PARTITIONS, topics=[replace(_BY_NAME[CUSTOMERS_JOURNAL], name=EVENTS)])
        say(f"{name}: {number:,} records, once for the peers and once for Kairos")
        # Only for the order in which customers come; no secret.
        drawn = workload.drawn(Random(name), number)
        records = list(events(drawn, clock.now() - 1000, name))
        asyncio.run(feed([structs.replace(record, topic=EVENTS) for record in records], cluster))
        asyncio.run(feed(records, cluster))
        yield Place(cluster, Path(folder), _mean(records, _value), _mean(records, _headers), broker.java_pid)


def contents_of(rules: int) -> dict[str, bytes]:
    """Give what is in force in the catalogue, with so many rules."""
    apps = catalogue().model_dump_json().encode()
    return {"apps": apps, "policy": policy(), "rules": book(rules).content}


def _mean(records: list[Record], size: Callable[[Record], int]) -> float:
    return sum(map(size, records)) / len(records)


def _value(record: Record) -> int:
    return len(record.value or b"")


def _headers(record: Record) -> int:
    return sum(len(name) + len(value) for name, value in record.headers)
