"""A small stage of the tests' own on new topics: it counts records by key, and has the habits that tests ask for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition

from kairos.instants import HOUR, SECOND, Millis
from kairos.ports import Batch, Output, Record, Store
from streams import clock
from streams.cluster import Cluster
from streams.hooks import Point
from streams.spec import Running, StageSpec
from streams.stage import Stage
from streams.topic_reader import read_topic


@dataclass(frozen=True)
class Nothing:
    """A catalogue in which nothing lies."""

    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass
class House:
    """The stage's topics and names, and the workers that run it in this process."""

    cluster: Cluster
    folder: Path
    new_topic: Callable[..., str]
    partitions: int = 2
    most: int = 50
    most_bytes: int = 1_000_000
    ahead: Millis = HOUR
    tick: Millis = 100
    clock: Callable[[], Millis] = clock.now
    session: Millis = SECOND
    seen: list[str] = field(default_factory=list)
    stages: list[Stage[Nothing]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.main, self.other = self.new_topic(self.partitions), self.new_topic(self.partitions)
        self.out, self.journal = self.new_topic(self.partitions), self.new_topic(self.partitions)
        self.changelog = self.new_topic(self.partitions, **{"cleanup.policy": "compact"})
        self.name = self.main.replace(".", "-")
        self.pauses = self.folder / "pauses"
        self.pauses.mkdir()

    def step(self, store: Store, batch: Batch[Nothing]) -> list[Output]:
        """Count by key; `boom` is our bug, `later` sets a timer that is due at once, and one fires in a tick."""
        outputs = []
        for record in batch.records:
            self.seen.append(record.topic)
            key, value = record.key or b"", record.value or b""
            if value == b"boom":
                raise ZeroDivisionError("a bug of ours")
            count = int(store.get(key, "c") or b"0") + 1
            store.put(key, "c", b"", b"%d" % count)
            if value == b"later":
                store.put(b"", "t", key, b"")
            outputs.append(Output(self.out, key, b"%d" % count))
        if not batch.records:
            for id_, _ in list(store.scan(b"", "t"))[:1]:
                store.delete(b"", "t", id_)
                outputs.append(Output(self.out, id_, b"fired"))
        return outputs

    def spec(self, changelog: str | None = None, layout: int = 1) -> StageSpec[Nothing]:
        return StageSpec(
            name=self.name,
            group=f"kairos.{self.name}",
            inputs=(self.main, self.other),
            changelog=changelog or self.changelog,
            journal=self.journal,
            step=self.step,
            first=frozenset({self.other}),
            aligned=frozenset({self.out}),
            layout=layout,
        )

    async def start(
        self,
        disk: str = "disk",
        spec: StageSpec[Nothing] | None = None,
        instance: str | None = None,
        *,
        settle: bool = True,
    ) -> Stage[Nothing]:
        """Start a worker and, unless told otherwise, wait until every partition it has is open or given up."""
        running = Running(
            self.folder / disk,
            most_records=self.most,
            most_bytes=self.most_bytes,
            wait=50,
            tick=self.tick,
            markers=200,
            ahead=self.ahead,
            session=self.session,
            instance=instance,
            pauses=self.pauses,
            client=self.cluster.for_aiokafka(),
        )
        opened = asyncio.Event()
        opened.set()
        stage = Stage(spec or self.spec(), running, Nothing, opened, self.clock)
        self.stages.append(stage)
        await stage.start()
        if settle:
            await self.until(lambda: bool(stage.partitions) and (stage.is_ready or bool(stage.stopped)))
        return stage

    async def stop(self) -> None:
        for stage in self.stages:
            await stage.stop()
        self.stages.clear()

    async def send(self, *values: bytes, key: bytes = b"k", partition: int = 0, topic: str | None = None) -> None:
        producer = AIOKafkaProducer(acks="all", **self.cluster.for_aiokafka())
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(topic or self.main, value, key, partition=partition)
        finally:
            await producer.stop()

    async def read(self, topic: str) -> list[Record]:
        rows = await read_topic(self.cluster.for_aiokafka(), topic)
        return [row for number in sorted(rows) for row in rows[number]]

    async def outputs(self, number: int) -> list[bytes | None]:
        """Wait for so many outputs, and give them."""
        end = asyncio.get_running_loop().time() + 60
        while len(rows := await self.read(self.out)) < number:
            assert asyncio.get_running_loop().time() < end, f"{[row.value for row in rows]}; {self}"
        return [row.value for row in rows]

    def hold(self, point: Point) -> None:
        (self.pauses / point).touch()

    async def held(self, point: Point) -> None:
        await self.until((self.pauses / f"{point}.reached").exists)

    def let_go(self) -> None:
        for file in self.pauses.iterdir():
            file.unlink()

    def delete_before(self, offset: int) -> None:
        """Delete the beginning of the main topic's first partition, as retention does."""
        with closing(KafkaAdminClient(**self.cluster.for_kafka_python())) as admin:
            admin.delete_records({TopicPartition(self.main, 0): offset})  # type: ignore[attr-defined]  # no stub

    def widen(self, partitions: int) -> None:
        """Give all topics more partitions, as an administrator might who does not know better."""
        topics = (self.main, self.other, self.out, self.journal, self.changelog)
        with closing(KafkaAdminClient(**self.cluster.for_kafka_python())) as admin:
            admin.create_partitions(dict.fromkeys(topics, partitions))  # type: ignore[attr-defined]  # no stub

    async def until(self, holds: Callable[[], bool], within: Millis = 60 * SECOND) -> None:
        try:
            async with asyncio.timeout(within / SECOND):
                while not holds():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"not within {within} ms; {self}")

    def __str__(self) -> str:
        """Say how it stands, for whoever waited in vain."""
        parts = [part for stage in self.stages for part in stage.partitions.values()]
        names = ("number", "ready", "waiting", "waits", "opens", "batches", "turn", "committing", "stopping")
        stands = [{**{name: getattr(part, name) for name in names}, "lag": part.lag()} for part in parts]
        return f"partitions {stands}, stopped {[stage.stopped for stage in self.stages]}"


@pytest.fixture
async def house(cluster: Cluster, tmp_path: Path, new_topic: Callable[..., str]) -> AsyncIterator[House]:
    """A house whose workers are let go and stopped afterwards."""
    house = House(cluster, tmp_path, new_topic)
    yield house
    house.let_go()
    await house.stop()
