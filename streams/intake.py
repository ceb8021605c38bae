"""The intake of one partition: where it stands in its topics, and how much it takes at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, NoOffsetForPartitionError

from kairos.instants import Millis
from streams.abreast import Abreast
from streams.group import Group
from streams.quota import Quota
from streams.spec import Running, StageSpec

__all__ = ["Intake", "LostInput", "Taken", "Unreadable"]


class LostInput(Exception):
    """The topic no longer holds the place where the state ends: going on would skip records silently."""


class Unreadable(Exception):
    """Kafka's own framing of a record cannot be read, so not even a dead letter could be made of it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken at one time.

    Parameters
    ----------
    records
        The records of each topic that had some.
    ends
        How far each topic was read, markers of transactions and compacted gaps included.
    drained
        The topics with event time in which nothing is left unread.
    left
        How many records more there are in Kafka of the topic that has most, as far as the client knows.

    """

    records: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    ends: Mapping[TopicPartition, int]
    drained: frozenset[str] = frozenset()
    left: int = 0


class _Moved(Exception):
    """The group has begun to sort itself since we began to take."""


_NOTHING = Taken({}, {})


class Intake:
    """Takes a partition's records from the stage's consumer, a quota of each topic.

    Parameters
    ----------
    consumer, group
        The stage's consumer, from whose places nobody else takes, and what its group has decided.
    inputs
        The partition's places, in the order in which equal times are told apart.
    spec
        Which topics have event time and are kept abreast, and the changelog that ought to know the state.
    running
        How long a batch may compute, the largest quota, and how far a topic may be ahead.

    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        group: Group,
        inputs: Sequence[TopicPartition],
        spec: StageSpec[Any],
        running: Running,
    ) -> None:
        self._consumer, self._group, self._inputs = consumer, group, inputs
        self._spec, self._running = spec, running
        self._turn = 0
        self._quota = Quota(running.most_records, running.compute, running.catching_up, running.most_bytes)
        self._unread: dict[TopicPartition, int] = {}
        self._begun: dict[TopicPartition, int] = {}
        self._kept: dict[TopicPartition, list[ConsumerRecord]] = {}
        self._abreast = Abreast(spec.abreast, running.ahead)

    async def begin(self, state: Mapping[str, int], first: Iterable[str]) -> dict[str, int]:
        """Go to where the state ends, and give that place in each topic.

        Parameters
        ----------
        state
            The next offset of each topic that the state knows.
        first
            Topics that are read to the end they have now before any other is begun.

        Raises
        ------
        LostInput
            A topic does not hold that place.

        """
        self._turn = await self._group.settled()
        begins = await self._consumer.beginning_offsets(self._inputs)
        ends = await self._consumer.end_offsets(self._inputs)
        places: dict[str, int] = {}
        for place in self._inputs:
            here = state.get(place.topic)
            if here is None:
                await self._refuse_lost_state(place)
            elif not begins[place] <= here <= ends[place]:
                raise LostInput(
                    f"{place.topic}/{place.partition}: the state ends at {here}, the topic holds "
                    f"{begins[place]} to {ends[place]}; restore the topic, or replay into new topics"
                )
            places[place.topic] = begins[place] if here is None else here
        waiting = set(first)
        self._unread = {p: end for p, end in ends.items() if p.topic in waiting and places[p.topic] < end}
        self._go_on(places, ends)
        return places

    def _go_on(self, places: Mapping[str, int], ends: Mapping[TopicPartition, int]) -> None:
        for place in self._inputs:
            self._consumer.seek(place, places[place.topic])
        self._begun = dict(ends)
        self._kept.clear()
        self._abreast.begin()

    async def take(self, now: Millis, wait: Millis, state: Mapping[str, int]) -> Taken:
        """Take what is there, a quota of each topic, or wait so long for the first.

        Nothing is taken while the group sorts itself. When it has, the places are read on from where `state` ends.
        """
        try:
            turn = await self._group.settled()
            if turn != self._turn:
                self._go_on(state, await self._consumer.end_offsets(self._inputs))
                self._turn = turn
            taken = await self._take(now, wait)
            self._check_turn()
        except _Moved:
            # What was read across a decision of the group may be missing something, or may come again.
            return _NOTHING
        except NoOffsetForPartitionError:
            # The client had looked for a place before we said it; now it has one.
            return _NOTHING
        except IllegalStateError:
            if self._turn == self._group.turn:
                raise
            return _NOTHING
        return taken

    async def _take(self, now: Millis, wait: Millis) -> Taken:
        places = await self._open_places()
        fresh = [place for place in places if place not in self._kept]
        try:
            for place in fresh:
                await self._fetch(0, place)
            self._check_turn()
            records, drained = await self._side_by_side(now)
            if not records and (waiting := [place for place in fresh if place not in self._kept]):
                await self._fetch(wait, *waiting)
                records, drained = await self._side_by_side(now)
        except UnicodeDecodeError:
            at = ", ".join([f"{p.topic}/{p.partition}@{await self._position(p)}" for p in places])
            raise Unreadable(f"a header's name is not UTF-8, in the next record of one of {at}") from None
        ends = {place: await self._end(place) for place in places}
        left = max((self._consumer.highwater(place) or 0) - end for place, end in ends.items())
        return Taken(records, ends, drained - {place.topic for place in self._kept}, left)

    def _check_turn(self) -> None:
        if self._turn != self._group.turn:
            raise _Moved

    async def _position(self, place: TopicPartition) -> int:
        # After a decision of the group there is none before we say it, and the client would wait for it.
        self._check_turn()
        return await self._consumer.position(place)

    async def _fetch(self, wait: Millis, *places: TopicPartition) -> None:
        found = await self._consumer.getmany(*places, timeout_ms=wait, max_records=self._quota.most)
        self._kept.update({place: rows for place, rows in found.items() if rows})

    async def _side_by_side(self, now: Millis) -> tuple[dict[TopicPartition, list[ConsumerRecord]], frozenset[str]]:
        """Take of what is in hand as much as may be taken, and tell what is drained; the rest is kept for later."""
        hand, self._kept = self._kept, {}
        drained = await self._drained()
        counts = self._abreast.allowed({place.topic: rows for place, rows in hand.items()}, drained, now)
        self._kept = {p: rows[counts[p.topic] :] for p, rows in hand.items() if counts[p.topic] < len(rows)}
        return {p: rows[: counts[p.topic]] for p, rows in hand.items() if counts[p.topic]}, drained

    async def _end(self, place: TopicPartition) -> int:
        kept = self._kept.get(place)
        return kept[0].offset if kept else await self._position(place)

    async def _drained(self) -> frozenset[str]:
        """Give the topics with event time of which nothing lies in Kafka that was not fetched."""
        found = set()
        for place in self._inputs:
            if place.topic in self._spec.timed:
                # Before the first answer to a fetch, the end is the one that was asked for at the beginning.
                end = self._consumer.highwater(place)
                if await self._position(place) >= (self._begun[place] if end is None else end):
                    found.add(place.topic)
        return frozenset(found)

    def learn(self, took: float, taken: Taken, written: int) -> None:
        """Size the next batch by what this one cost: its computing time, in milliseconds, and bytes of state."""
        count = sum(map(len, taken.records.values()))
        self._quota.learn(took, count // max(1, len(taken.records)), taken.left, written)

    async def _open_places(self) -> Sequence[TopicPartition]:
        for place, end in list(self._unread.items()):
            if await self._position(place) >= end:
                del self._unread[place]
        return list(self._unread) or self._inputs

    async def _refuse_lost_state(self, place: TopicPartition) -> None:
        if committed := await self._consumer.committed(place):
            raise LostInput(
                f"{place.topic}/{place.partition}: the group stands at {committed}, but the changelog "
                f"{self._spec.changelog} knows no state; it was emptied or belongs to another cluster"
            )
