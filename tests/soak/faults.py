"""The harm that a soak does, one kind after the other, in an order that a seed decides."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from kairos.instants import SECOND
from streams import clock
from streams.hooks import Point
from tests.fault_driver import Worker, until
from tests.soak.books import STOPPED, Books
from tests.soak.events import Events
from tests.soak.feeding import Feeding
from tests.soak.house import CHANNELS, GO, MOST, SESSION, STOP, House
from tests.soak.watch import PATIENCE, Watch

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of harm.

    Parameters
    ----------
    name
        What the report calls it.
    do
        Does it, and says more about it.

    """

    name: str
    do: Callable[[], Awaitable[str]]


def decks(kinds: Sequence[Kind], chance: random.Random) -> Iterator[Kind]:
    """Give all kinds in an order of chance, then all of them again in another, for ever."""
    while True:
        yield from chance.sample(kinds, len(kinds))


@dataclass
class Faults:
    """Does the harm, and counts it in `done`."""

    house: House
    watch: Watch
    books: Books
    events: Events
    feeding: Feeding
    seed: int
    storm: int
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"faults {self.seed}")

    def schedule(self) -> Iterator[Fault]:
        """Give faults for ever: every kind once in an order of chance, then every kind again in another."""
        return decks(self.kinds(), self._chance)

    def kinds(self) -> list[Fault]:
        """Give every kind."""
        commits: list[Point] = ["sent", "offsets", "committed"]
        return [
            Fault("worker killed", self._killed),
            Fault("worker told to go", self._told_to_go),
            *(Fault(f"worker killed at '{point}'", self._killed_at(point)) for point in commits),
            Fault("worker killed while it opens", self._killed_at_start("fenced", wipe=False)),
            Fault("worker killed while it restores a wiped disk", self._killed_at_start("restoring", wipe=True)),
            Fault("all workers killed", self._all_killed),
            Fault("worker asleep beyond its session", self._zombie),
            Fault("worker asleep in the middle of a commit", self._zombie_in_commit),
            Fault("disk wiped", self._wiped),
            Fault("worker added or removed", self._more_or_fewer),
            Fault("worker added or removed once more", self._more_or_fewer),
            Fault("broker stopped and started", self._broker(self.house.broker.stop)),
            Fault("broker killed and started", self._broker(self.house.broker.kill)),
            Fault("delivery killed", self._delivery_killed),
            Fault("gateway down", self._gateway_down),
            Fault("batch filled", self._filled),
            Fault("storm of broken records", self._storm),
            Fault("new rules", self._published("rules", self.books.new_rules)),
            Fault("new policy", self._published("policy", self.books.new_policy)),
            Fault("stopped and started", self._stopped),
            Fault("channel closed by the policy", self._closed),
            Fault("new model", self._published("model/", self.books.new_model)),
        ]

    async def _killed(self) -> str:
        worker = self._any()
        self._kill(worker)
        if self._chance.random() < 0.5:
            # The others go on without it.
            await self.watch.all_move()
        await self._back(worker)
        return worker.name

    async def _told_to_go(self) -> str:
        worker = self._any()
        assert await worker.stop(120) == 0, worker.log
        self.done["told to go"] += 1
        await self._back(worker)
        return worker.name

    def _killed_at(self, point: Point) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            worker = self._any()
            worker.hold(point)
            await worker.reached(point, PATIENCE)
            self._kill(worker)
            await self._back(worker)
            return worker.name

        return do

    def _killed_at_start(self, point: Point, *, wipe: bool) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            worker = self._any()
            self._kill(worker)
            if wipe:
                self._wipe(worker)
            worker.start(point)
            await worker.reached(point, PATIENCE)
            self._kill(worker)
            await self._back(worker)
            return worker.name

        return do

    async def _all_killed(self) -> str:
        killed = self.house.running
        for worker in killed:
            self._kill(worker)
        for worker in killed:
            worker.start()
        await asyncio.gather(*[self._opens(worker) for worker in killed])
        return ", ".join(worker.name for worker in killed)

    async def _zombie(self) -> str:
        worker = self._any()
        worker.signal(STOP)
        try:
            began = time.monotonic()
            # All that it had is somebody else's by then.
            await self.watch.all_move()
            await asyncio.sleep(max(0.0, 1.5 * SESSION / 1000 - (time.monotonic() - began)))
        finally:
            worker.signal(GO)
        self.done["paused beyond the session"] += 1
        return f"{worker.name} for {time.monotonic() - began:.0f} s"

    async def _zombie_in_commit(self) -> str:
        worker = self._any()
        fenced = worker.said("partition fenced")
        worker.hold("offsets")
        await worker.reached("offsets", PATIENCE)
        worker.signal(STOP)
        try:
            await self.watch.all_move()
        finally:
            worker.let_go()
            worker.signal(GO)
        # It goes on with a commit that is no longer its own, and is refused.
        await worker.says("partition fenced", fenced + 1, PATIENCE)
        self.done["paused beyond the session"] += 1
        return worker.name

    async def _wiped(self) -> str:
        worker = self._any()
        self._kill(worker)
        self._wipe(worker)
        await self._back(worker)
        return worker.name

    async def _more_or_fewer(self) -> str:
        third = self.house.workers["c"]
        if not third.is_running:
            await self._back(third)
            self.done["added"] += 1
            return "c is added"
        self.done["removed"] += 1
        if self._chance.random() < 0.5:
            self._kill(third)
            self._wipe(third)
            return "c is killed and its disk is gone"
        assert await third.stop(120) == 0, third.log
        return "c is told to go"

    def _broker(self, end: Callable[[], None]) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            broker, away = self.house.broker, self._chance.uniform(0, 4)
            async with self.watch.resting():
                await asyncio.to_thread(end)
                await asyncio.sleep(away)
                address = broker.bootstrap
                assert await asyncio.to_thread(broker.start) == address, "the broker has another port now"
            self.done["broker restarted"] += 1
            return f"away for {away:.1f} s and its start"

        return do

    async def _delivery_killed(self) -> str:
        delivery = self.house.deliveries[self._chance.choice(CHANNELS)]
        delivery.kill()
        self.done["killed"] += 1
        read = delivery.said("permissions read")
        delivery.start()
        await delivery.says("permissions read", read + self.house.partitions.customers, PATIENCE)
        return delivery.name

    async def _gateway_down(self) -> str:
        channel, mode = self._chance.choice(CHANNELS), self._chance.choice(["503", "lost"])
        await asyncio.to_thread(self.house.gateway_down, channel, 4, mode)
        await asyncio.sleep(4)
        self.done["gateway down"] += 1
        return f"{channel}, {mode}"

    async def _filled(self) -> str:
        await self.feeding.send(self.events.burst(5 * MOST))
        await self.feeding.send(self.events.heavy(160))
        await self.feeding.settle()
        self.done["burst"] += 1
        return f"{5 * MOST} events and 160 large broken ones for one partition"

    async def _storm(self) -> str:
        await self.feeding.send(self.events.storm(self.storm))
        await self.feeding.settle()
        self.done["burst"] += 1
        return f"{self.storm} strange records"

    async def _stopped(self) -> str:
        scope, name = self._chance.choice(STOPPED)
        since = await self.books.stop(scope, name)
        await asyncio.sleep(5)
        await self.books.start(scope, name, since)
        self.done["stopped"] += 1
        return f"{scope} {name}".strip()

    async def _closed(self) -> str:
        closed = await self.books.new_closure()
        await asyncio.sleep((closed.begin - clock.now()) / SECOND + 1)
        if is_killed := self._chance.random() < 0.5:
            # What waits for the end of it has to survive.
            worker = self._any()
            self._kill(worker)
            await self._back(worker)
        await asyncio.sleep(max(0, closed.end - clock.now()) / SECOND)
        self.done["closed"] += 1
        return f"{closed.name}{', and a worker is killed meanwhile' if is_killed else ''}"

    def _published(self, kind: str, publish: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            before = {worker: worker.said(f"kind={kind}") for worker in self.house.running}
            found = await publish()
            for worker, count in before.items():
                await worker.says(f"kind={kind}", count + 1, PATIENCE)
            self.done["published"] += 1
            return found

        return do

    def _any(self) -> Worker:
        return self._chance.choice(self.house.running)

    def _kill(self, worker: Worker) -> None:
        worker.kill()
        self.done["killed"] += 1

    def _wipe(self, worker: Worker) -> None:
        worker.wipe()
        self.done["disk wiped"] += 1

    async def _back(self, worker: Worker) -> None:
        worker.start()
        await self._opens(worker)

    async def _opens(self, worker: Worker) -> None:
        opened = worker.said("partition open")
        await until(
            lambda: worker.said("partition open") > opened, PATIENCE, f"{worker.name} to open a partition", worker.log
        )
