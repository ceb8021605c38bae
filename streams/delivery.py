"""Delivery: takes the offers of one channel from Kafka, hands each to its gateway, and writes down what became of it.

A process of its own, for gateways are slow, fail, and must not hold up decisions. Each offer is claimed in Kafka
before it is handed over. One that was claimed when the process died goes again with the same id where the gateway
honours its key; elsewhere it ends as `unknown` and is not sent again. An offer is never said to be unsent while it may
have reached the customer, for then its coupon would be given to somebody else. None is lost silently: each one ends
with a record on the feedback topic, written before its offset is.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from pydantic import ValidationError

from kairos.instants import Millis
from kairos.offers import Channel, Offer
from kairos.ports import Connector, Output
from kairos.trace import carried
from kairos.wire import BadRecord
from streams.consumed import as_record
from streams.dead_letters import dead_letter
from streams.delivery_clients import GATEWAYS, Clients, NotCutAlike, group_of, outlasting
from streams.delivery_courier import Courier, Errand, HeldBack
from streams.delivery_end import feedback
from streams.delivery_gate import Gate
from streams.delivery_lane import Lane
from streams.delivery_marks import LOST
from streams.permits import Permits

__all__ = ["Delivery", "HeldBack", "NotCutAlike", "deliver", "group_of", "until_signalled"]

log = structlog.get_logger(__name__)

_POLL_MS = 200
_SOON_MS = 10
_COMMIT_EVERY = 0.5


def until_signalled() -> asyncio.Event:
    """Give an event that SIGTERM and Ctrl-C set, for `stop`."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def deliver(
    client: Mapping[str, Any],
    channel: Channel,
    connector: Connector,
    held_back: HeldBack,
    clock: Callable[[], Millis],
    stop: asyncio.Event,
    *,
    window: int = 32,
    session: Millis = 10_000,
) -> None:
    """Deliver one channel's offers until `stop` is set; then finish what is under way, and commit.

    Parameters
    ----------
    client
        How Kafka's clients reach the cluster (`Cluster.for_aiokafka()`).
    channel
        Whose offers.
    connector
        Whom they are handed to.
    held_back
        Why an offer may not leave now: `rules.sending.held_back` of the policy in force.
    clock
        Gives processing time.
    stop
        Set it to end.
    window
        How many offers are with the gateway at the same time.
    session
        How long Kafka waits for a process that is silent before another takes its partitions.

    Raises
    ------
    NotCutAlike
        The topics do not fit; declare them anew.

    """
    courier = Courier(connector, Gate(channel), held_back, clock, window)

    async def begin() -> None:
        async with AsyncExitStack() as stack:
            clients = await Clients.start(stack, client, group_of(channel), session)
            await clients.check_counts(GATEWAYS[channel])
            await Delivery(clients, channel, courier, clock, capacity=4 * window).run(stop)

    await outlasting(begin, stop)


@dataclass(slots=True)
class _Owned:
    # A partition we own: where it stands, and the errands that are under way in it.
    lane: Lane
    errands: dict["asyncio.Task[None]", Errand] = field(default_factory=dict)
    is_closing: bool = False


class Delivery(ConsumerRebalanceListener):
    """One process's share of a channel.

    Parameters
    ----------
    clients
        The connections to Kafka, started.
    channel
        Whose offers.
    courier
        Who brings them.
    clock
        Gives processing time.
    capacity
        How many offers of a partition are under way at most, or nearly.

    """

    def __init__(
        self, clients: Clients, channel: Channel, courier: Courier, clock: Callable[[], Millis], capacity: int
    ) -> None:
        self._consumer, self._producer = clients.offers, clients.producer
        self._permits = Permits(clients.permissions, clients.asker)
        self._marks = clients.marks(group_of(channel), self._lanes)
        self._topic, self._channel = GATEWAYS[channel], channel
        self._courier, self._clock, self._capacity = courier, clock, capacity
        self._owned: dict[TopicPartition, _Owned] = {}
        self._opening: dict[TopicPartition, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._group = asyncio.TaskGroup()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, then drain."""
        async with self._group:
            following = self._group.create_task(self._permits.follow())
            self._consumer.subscribe([self._topic], listener=self)
            log.info("delivery started", channel=self._channel)
            await self._poll(stop)
            self._is_stopping = True
            await self._release(set(self._owned) | set(self._opening))
            following.cancel()
        log.info("delivery stopped", channel=self._channel)

    async def _poll(self, stop: asyncio.Event) -> None:
        due = 0.0
        while not stop.is_set():
            is_waiting_for_room = self._hold_back() and self._courier.gate.is_open
            # Asked even when all partitions are paused: a consumer that does not ask loses them after a while.
            found = await self._consumer.getmany(
                timeout_ms=_SOON_MS if is_waiting_for_room else _POLL_MS, max_records=self._capacity
            )
            # Whose they are is settled now: a partition that is opened while we wait below is read from its mark.
            owned = {place: self._owned[place] for place in found if place in self._owned}
            if owned:
                await self._permits.catch_up([place.partition for place in owned])
            for place in owned:
                await self._begin(owned[place], place, found[place])
            if (now := asyncio.get_running_loop().time()) >= due:
                due = now + _COMMIT_EVERY
                await self._commit()

    def _hold_back(self) -> bool:
        """Pause the partitions that have no room, all of them while the gateway is down; say whether there are any."""
        full = {
            place
            for place in self._consumer.assignment()
            if place not in self._owned
            or not self._courier.gate.is_open
            or self._owned[place].lane.length >= self._capacity
        }
        paused = self._consumer.paused()
        self._consumer.pause(*full - paused)
        self._consumer.resume(*paused - full)
        return bool(full)

    async def _begin(self, owned: _Owned, place: TopicPartition, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            # What is not taken stays behind the mark, for the next owner.
            if owned.is_closing:
                return
            if owned.lane.is_settled(record.offset):
                owned.lane.pass_by(record.offset)
                continue
            owned.lane.take(record.offset)
            await self._start(owned, place, record)

    async def _start(self, owned: _Owned, place: TopicPartition, record: ConsumerRecord) -> None:
        try:
            offer = Offer.model_validate_json(record.value or b"")
        except ValidationError as error:
            places = sorted({".".join(map(str, found["loc"])) for found in error.errors(include_input=False)})
            await self._write_dead_letter(record, BadRecord("invalid", f"not an offer: {', '.join(places)}"))
            owned.lane.settle(record.offset)
            return
        errand = self._errand(owned, place, record, offer)
        task = self._group.create_task(self._bring(owned.lane, record, errand))
        owned.errands[task] = errand
        task.add_done_callback(lambda done: owned.errands.pop(done, None))

    def _errand(self, owned: _Owned, place: TopicPartition, record: ConsumerRecord, offer: Offer) -> Errand:
        async def claim() -> None:
            owned.lane.claim(record.offset)
            await self._marks.write()

        return Errand(
            offer,
            permission=lambda: self._permits.of(place.partition, offer.customer),
            claim=claim,
            unclaim=lambda: owned.lane.unclaim(record.offset),
            is_in_doubt=owned.lane.is_claimed(record.offset),
            trace=carried(record.headers),
        )

    async def _bring(self, lane: Lane, record: ConsumerRecord, errand: Errand) -> None:
        try:
            end = await self._courier.bring(errand)
        except LOST:
            log.info("partition went away, offer not sent", channel=self._channel, offer=errand.offer.id)
            return
        if end is None:
            return
        if end.refused is not None:
            await self._write_dead_letter(record, BadRecord("refused", end.refused))
        await self._write(feedback(errand.offer, end, self._clock(), errand.trace))
        if end.what != "accepted":
            log.debug("not delivered", channel=self._channel, offer=errand.offer.id, what=end.what)
        lane.settle(record.offset)
        if not self._courier.honours_key:
            # What a crash finds claimed cannot be asked about again, so it is found for as short as can be.
            await self._commit()

    async def _write_dead_letter(self, record: ConsumerRecord, error: BadRecord) -> None:
        came = as_record(record)
        log.warning("dead letter", channel=self._channel, partition=came.partition, offset=came.offset, why=error.code)
        await self._write(dead_letter(came, group_of(self._channel), error, self._clock()))

    async def _write(self, output: Output) -> None:
        await self._producer.send_and_wait(
            output.topic, value=output.value, key=output.key, headers=list(output.headers)
        )

    def _lanes(self) -> dict[TopicPartition, Lane]:
        return {place: owned.lane for place, owned in self._owned.items()}

    async def _commit(self) -> None:
        try:
            await self._marks.write()
        except LOST as error:
            log.info("not committed, partitions moved", channel=self._channel, why=type(error).__name__)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin to open partitions; none is read before its permissions are."""
        for place in assigned if not self._is_stopping else ():
            self._opening[place] = self._group.create_task(self._open(place))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish what is with the gateway, commit, and let go."""
        await self._release(set(revoked))

    async def _open(self, place: TopicPartition) -> None:
        mark = await self._marks.read(place)
        await self._permits.open(place.partition)
        self._consumer.seek(place, mark.offset)
        self._owned[place] = _Owned(Lane(mark))
        del self._opening[place]

    async def _release(self, places: set[TopicPartition]) -> None:
        for place in places & set(self._opening):
            self._opening.pop(place).cancel()
        tasks = [task for place in places & set(self._owned) for task in self._give_up(self._owned[place])]
        if tasks:
            await asyncio.wait(tasks)
        if places:
            await self._commit()
        for place in places:
            self._owned.pop(place, None)
        self._permits.close(place.partition for place in places)

    @staticmethod
    def _give_up(owned: _Owned) -> list["asyncio.Task[None]"]:
        """Take back what waits; what is with the gateway is finished."""
        owned.is_closing = True
        for task, errand in owned.errands.items():
            errand.given_up = True
            if errand.is_waiting:
                task.cancel()
        return list(owned.errands)
