"""Rereading: what a partition took before is read again beside what happens now, in portions, by a consumer of its own.

Topics are read side by side in the order in which Kafka took their records in, and never further than the live work has
come. Where a topic has let go of what was to be read next, it goes on with the oldest record that is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from kairos.instants import Millis
from kairos.ports import Again, Record
from streams.consumed import as_record
from streams.quota import Quota
from streams.spec import Running

__all__ = ["Portion", "Rereading"]

log = structlog.get_logger(__name__)

_NEVER: Millis = 2**62


@dataclass(frozen=True, slots=True)
class Portion:
    """Records to be given again, in the order of their topics and offsets, and where they come from."""

    records: list[Record]
    again: Again


class Rereading:
    """Reads what one partition's state wants to have read again, for as long as it does.

    Parameters
    ----------
    stage, number
        Whose partition; for the log.
    running
        How long a portion may compute, the largest one, and the client.

    """

    def __init__(self, stage: str, number: int, running: Running) -> None:
        self._stage, self._number, self._running = stage, number, running
        self._quota = Quota(running.most_records, running.again, running.again, running.most_bytes)
        self._consumer: AIOKafkaConsumer | None = None
        self._wanted: dict[str, int | None] = {}
        self._next: dict[str, int] = {}
        self._kept: dict[str, list[ConsumerRecord]] = {}
        self._read = 0

    async def take(self, wanted: Mapping[str, int | None], live: Mapping[str, int]) -> Portion | None:
        """Take the next portion, or None if Kafka has not brought it yet.

        Parameters
        ----------
        wanted
            Each topic's next offset, as the state has it; None for the oldest. Without topics nothing is read, and the
            portion is empty.
        live
            Each topic's next offset for the live work.

        """
        if not wanted:
            await self.close()
            return Portion([], Again({}))
        consumer = self._consumer
        if consumer is None or self._wanted != wanted:
            consumer = await self._begin(wanted)
        try:
            await self._fetch(consumer)
        except OffsetOutOfRangeError:
            # It begins again with the oldest that is there; the gap shows in the ranges.
            await self.close()
            return None
        return await self._portion(consumer, live)

    async def _begin(self, wanted: Mapping[str, int | None]) -> AIOKafkaConsumer:
        await self.close()
        consumer = self._consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
            max_partition_fetch_bytes=1 << 20,
            **self._running.client,
        )
        await consumer.start()
        places = [TopicPartition(topic, self._number) for topic in wanted]
        consumer.assign(places)
        begins = await consumer.beginning_offsets(places)
        for place, begin in begins.items():
            self._next[place.topic] = max(wanted[place.topic] or 0, begin)
            consumer.seek(place, self._next[place.topic])
        self._wanted, self._read = dict(wanted), 0
        log.info("reading again", stage=self._stage, partition=self._number, places=dict(self._next))
        return consumer

    async def _fetch(self, consumer: AIOKafkaConsumer) -> None:
        places = [TopicPartition(topic, self._number) for topic in self._wanted if topic not in self._kept]
        if places:
            found = await consumer.getmany(*places, timeout_ms=0, max_records=self._quota.most)
            self._kept.update({place.topic: rows for place, rows in found.items() if rows})

    async def _portion(self, consumer: AIOKafkaConsumer, live: Mapping[str, int]) -> Portion | None:
        hand: dict[str, list[ConsumerRecord]] = {}
        until: dict[str, Millis] = {}
        for topic in self._wanted:
            rows = self._kept.get(topic, [])
            hand[topic] = [row for row in rows if row.offset < live[topic]]
            position = await consumer.position(TopicPartition(topic, self._number))
            if len(hand[topic]) < len(rows) or position >= live[topic]:
                until[topic] = _NEVER
            elif rows:
                until[topic] = max(row.timestamp for row in rows)
            else:
                # Nobody knows how old its next record is; the others wait for it.
                return None
        return await self._cut(consumer, hand, min(until.values()), live)

    async def _cut(
        self,
        consumer: AIOKafkaConsumer,
        hand: Mapping[str, list[ConsumerRecord]],
        until: Millis,
        live: Mapping[str, int],
    ) -> Portion | None:
        records: list[Record] = []
        ranges: dict[str, tuple[int, int]] = {}
        for topic in sorted(hand):
            count = next((n for n, row in enumerate(hand[topic]) if row.timestamp > until), len(hand[topic]))
            rest = self._kept.pop(topic, [])[count:]
            if rest:
                self._kept[topic] = rest
            records += map(as_record, hand[topic][:count])
            end = rest[0].offset if rest else await consumer.position(TopicPartition(topic, self._number))
            start, end = self._next[topic], min(end, live[topic])
            if end > start:
                ranges[topic] = (start, end)
                self._next[topic] = self._wanted[topic] = end
        reached = all(self._next[topic] >= live[topic] for topic in hand)
        if not ranges and not reached:
            return None
        self._tell(len(records), live, reached=reached)
        return Portion(records, Again(ranges, reached))

    def _tell(self, count: int, live: Mapping[str, int], *, reached: bool) -> None:
        self._read += count
        if reached or self._read % 100_000 < count:
            left = sum(live[topic] - place for topic, place in self._next.items())
            what = "read again" if reached else "reading again"
            log.info(what, stage=self._stage, partition=self._number, records=self._read, left=left)

    def learn(self, took: float, count: int, written: int) -> None:
        """Size the next portion by what this one cost: its computing time, in milliseconds, and bytes of state."""
        self._quota.learn(took, count, written=written)

    async def close(self) -> None:
        """Let go of the consumer; what was not given yet is read again."""
        consumer, self._consumer = self._consumer, None
        self._kept.clear()
        self._next.clear()
        if consumer is not None:
            await consumer.stop()
