"""One partition of a stage: open it, then take a batch, compute, commit, for ever; and give it back."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from kairos.instants import Millis
from kairos.ports import Again, Batch, Output, Record
from streams import journal
from streams.attempt import attempt
from streams.commit import Commit, commit
from streams.consumed import as_record
from streams.group import Group
from streams.hooks import Hooks
from streams.intake import Intake, Taken
from streams.interpreter import collect_rarely
from streams.journal import Skipped
from streams.meter import Meter
from streams.progress import Progress
from streams.rereading import Rereading
from streams.restore import restore
from streams.skips import Skips
from streams.spec import Running, StageSpec, V
from streams.state_guard import recorded, refuse
from streams.steady import Steady
from streams.store import META, Meta, RocksStore, encode
from streams.turns import Turns

__all__ = ["Partition"]

log = structlog.get_logger(__name__)

_WORTH_A_THREAD = 200
"""Records of a batch: reading fewer takes less than a millisecond where they lie in memory, and a thread more."""
_SOON = 10
"""How long to wait for records, in milliseconds, while there is something to be read again."""


class Partition(Generic[V]):
    """The owner of one partition's state, for as long as Kafka says so.

    Parameters
    ----------
    spec, running
        What the stage is, and how it is run here.
    number
        The partition number.
    consumer, group
        The stage's consumer, from which every partition takes its own records, and what its group has decided.
    versions
        Gives the catalogue as it stands.
    clock
        Gives processing time.
    meter
        Counts what is committed, for the metrics.
    skips
        What may be passed by where the step raises on it.
    turns
        What only some partitions of this worker do at a time; the others' live work goes on meanwhile.

    """

    def __init__(
        self,
        spec: StageSpec[V],
        running: Running,
        number: int,
        consumer: AIOKafkaConsumer,
        group: Group,
        versions: Callable[[], V],
        clock: Callable[[], Millis],
        meter: Meter,
        skips: Skips,
        turns: Turns,
    ) -> None:
        self.spec, self.running, self.number = spec, running, number
        self._consumer, self._versions, self._clock, self._meter = consumer, versions, clock, meter
        self._skips, self._turns, self._hooks, self._group = skips, turns, Hooks(running.pauses), group
        self._inputs = [TopicPartition(topic, number) for topic in spec.inputs]
        self._intake = Intake(consumer, group, self._inputs, spec, running)
        self._rereading = Rereading(spec.name, number, running)
        self._again: Mapping[str, int | None] | None = None
        self._ticked: Millis = 0
        self._committed: Millis = 0
        self._steady = Steady(clock, spec.name, number)
        self.committing = False
        self.stopping = self.closing = False
        self.ready = False
        self.waiting, self.waits = "", 0
        self.opens = self.batches = self.turn = 0
        self.progress = Progress(spec.name, number)
        self.store: RocksStore | None = None
        self.drained: frozenset[str] = frozenset()
        self._meta = Meta()

    async def run(self) -> None:
        """Open, work, and close again, whatever happened; an error is the caller's to judge."""
        self.ready, self.closing, self.turn = False, False, self._group.turn
        collect_rarely()
        store: RocksStore | None = None
        producer = self._producer()
        try:
            await producer.start()
            await self._hooks.at("fenced")
            self.store = store = RocksStore(self.running.data / self.spec.name / str(self.number))
            await self._open(store)
            self.ready, self.waiting, self.waits = True, "", 0
            self.opens += 1
            while not self.stopping:
                await self._round(store, producer)
        finally:
            self.ready, self.closing, self.store, self._again = False, True, None, None
            if store is not None:
                store.rollback()
                store.close()
            try:
                await self._rereading.close()
            finally:
                await producer.stop()

    def _producer(self) -> AIOKafkaProducer:
        # Starting it fences whoever had this partition before, and ends what they left open.
        return AIOKafkaProducer(
            transactional_id=f"kairos.{self.spec.name}-{self.number}",
            transaction_timeout_ms=self.running.transaction,
            acks="all",
            linger_ms=0,
            max_batch_size=512 * 1024,
            max_request_size=8 * 1024 * 1024,
            **self.running.client,
        )

    async def _open(self, store: RocksStore) -> None:
        changelog = TopicPartition(self.spec.changelog, self.number)
        self.progress = Progress(self.spec.name, self.number)
        restored = await restore(
            store, changelog, self.running.client, self._hooks, self._clock(), self.progress.tell, self._turns.restoring
        )
        self._meta = store.meta
        self._partitions = len(self._consumer.partitions_for_topic(self.spec.inputs[0]) or ())
        if self._partitions == 0:
            raise UnknownTopicOrPartitionError(f"nothing is known of {self.spec.inputs[0]} yet")
        await self._refuse_state(self._meta)
        self._meta.inputs = await self._intake.begin(self._meta.inputs, self.spec.first)
        self._skips.opened(self.number, self._meta.inputs)
        if self.waits:
            # It was refused before. What was read lies in memory, and without this the disk would only refuse the first
            # batches' commits to it: Kafka has those, but each opening reads all of them again.
            await asyncio.to_thread(store.flush)
        log.info(
            "partition open",
            stage=self.spec.name,
            partition=self.number,
            restored=restored.records,
            wiped=restored.wiped,
            seconds=round(self.progress.seconds, 1),
        )

    async def _refuse_state(self, meta: Meta) -> None:
        # Who has no state asks the others: it may be new, and its customers' state where they were before.
        found = {self.number: meta} if meta.now else await recorded(self.running.client, self.spec.changelog)
        for number, one in found.items():
            refuse(f"{self.spec.name}/{number}", one, self.spec.layout, journal.BUILD, self._partitions)

    def lag(self) -> dict[str, int]:
        """How much lies between the last commit and each input's end, as the last fetch saw it."""
        ours = set(self._inputs) & self._consumer.assignment() if self.ready else ()
        ends = {place.topic: self._consumer.highwater(place) for place in ours}
        return {topic: max(0, end - self._meta.inputs.get(topic, 0)) for topic, end in ends.items() if end is not None}

    @property
    def to_reread(self) -> int:
        """How much of the past is still to be read again."""
        again = self._again or {}
        return sum(max(0, self._meta.inputs.get(topic, 0) - (place or 0)) for topic, place in again.items())

    async def _round(self, store: RocksStore, producer: AIOKafkaProducer) -> None:
        wait = self.running.wait if self._again is None else _SOON
        taken = await self._intake.take(self._steady.now(self._meta.now), wait, self._meta.inputs)
        now = self._steady.now(self._meta.now)
        if taken.records or now - self._ticked >= self.running.tick:
            self._ticked, self.drained = now, taken.drained
            self.committing = True
            try:
                outputs = await self._work(store, producer, taken, now)
            finally:
                self.committing = False
            if outputs and not taken.records:
                # So many timers fire in one step and no more; what else is due does not wait for the next tick.
                self._ticked = 0
        self._again = self.spec.again(store) if self.spec.again else None
        if self._again is not None and not self._turns.rereading.locked():
            async with self._turns.rereading:
                await self._reread(store, producer, self._again)

    async def _reread(self, store: RocksStore, producer: AIOKafkaProducer, wanted: Mapping[str, int | None]) -> None:
        await self._hooks.at("reread", self.number)
        portion = await self._rereading.take(wanted, self._meta.inputs)
        if portion is None:
            return
        self.committing = True
        try:
            now = self._steady.now(self._meta.now)
            batch = self._batch(portion.records, now, again=portion.again)
            await self._fetch(store, portion.records)
            outputs, skipped = await self._compute(store, batch)
            self._rereading.learn(self._took * 1000, len(portion.records), store.written)
            await self._commit(store, producer, self._meta.inputs, batch, {}, outputs, skipped)
            self._meter.reread(self.spec.name, portion.records)
        finally:
            self.committing = False

    def _batch(
        self, records: Sequence[Record], now: Millis, drained: frozenset[str] = frozenset(), again: Again | None = None
    ) -> Batch[V]:
        versions, late = self._versions(), self.running.lateness
        return Batch(self.number, self._partitions, records, now, versions, drained, late, again)

    async def _work(
        self,
        store: RocksStore,
        producer: AIOKafkaProducer,
        taken: Taken,
        now: Millis,
    ) -> list[Output]:
        records = [as_record(r) for place in self._inputs for r in taken.records.get(place, ())]
        batch = self._batch(records, now, taken.drained)
        await self._fetch(store, records)
        outputs, skipped = await self._compute(store, batch)
        self._intake.learn(self._took * 1000, taken, store.written)
        known = self._meta.inputs
        ranges = {p.topic: (known[p.topic], end) for p, end in taken.ends.items() if end > known[p.topic]}
        if not records and not outputs and not store.changes() and not self._lags(ranges, now):
            return outputs
        spent = await self._commit(store, producer, known, batch, ranges, outputs, skipped)
        self._meter.computed(self._took, spent)
        self._meter.committed(self.spec.name, taken.records, outputs, self._clock())
        return outputs

    async def _commit(
        self,
        store: RocksStore,
        producer: AIOKafkaProducer,
        known: Mapping[str, int],
        batch: Batch[V],
        ranges: dict[str, tuple[int, int]],
        outputs: Sequence[Output],
        skipped: tuple[Skipped, ...] = (),
    ) -> float:
        inputs = {**known, **{topic: end for topic, (_, end) in ranges.items()}}
        meta = Meta(self.spec.layout, inputs, batch.now, self._partitions, journal.BUILD)
        prepared = Commit(producer, self.number, self.spec.aligned)
        await prepared.add(outputs)
        prepared.own(self.spec.journal, [(None, journal.write(journal.entry(batch, ranges, skipped)))])
        changes = [*store.changes(), (META, encode(meta))]
        place = prepared.own(self.spec.changelog, changes)
        offsets = {p: meta.inputs[p.topic] for p in self._inputs if p.topic in ranges}
        begun = time.perf_counter()
        written = await commit(prepared, producer, offsets, self.spec.group, self._hooks)
        spent = time.perf_counter() - begun
        store.commit(meta, written[place])
        self._skips.committed(self.number, meta.inputs, skipped)
        self._meta, self._committed = meta, batch.now
        self.batches += 1
        return spent

    async def _compute(self, store: RocksStore, batch: Batch[V]) -> tuple[list[Output], tuple[Skipped, ...]]:
        begun = time.perf_counter()
        found = await attempt(self.spec, store, batch, self._skips)
        self._took = time.perf_counter() - begun
        return found

    async def _fetch(self, store: RocksStore, records: Sequence[Record]) -> None:
        # What is not fetched the step reads itself.
        if self.spec.reads is not None and len(records) >= _WORTH_A_THREAD:
            await asyncio.to_thread(store.fetch, self.spec.reads(records))

    def _lags(self, ranges: Mapping[str, tuple[int, int]], now: Millis) -> bool:
        # Only markers of other people's transactions were read. Uncommitted for ever, that place would one day be
        # older than what the topic holds, and look lost.
        return bool(ranges) and now - self._committed >= self.running.markers
