"""Killing workers under load: whatever dies, every event counts once and every output is written once."""

import asyncio
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from kairos.instants import SECOND
from streams import clock
from streams.cluster import Cluster
from streams.feed import feed
from streams.hooks import Point
from streams.replay_journal import replay_journal
from streams.stages import STAGES
from streams.topics import (
    APP_USAGE,
    CUSTOMERS,
    CUSTOMERS_CHANGELOG,
    DEAD_LETTERS,
    DECISIONS,
    EXAMPLES,
    LEDGER_ANSWERS,
    LEDGER_CHANGELOG,
    LEDGER_COMMANDS,
    OFFERS_LIST,
    OFFERS_PUSH,
    OFFERS_SMS,
    TRANSACTIONS,
    Partitions,
)
from streams.watermark import IDLE
from tests import recount
from tests.fault_driver import Worker, quiet
from tests.fault_load import CODES, LIMITS, WAITED, WON, Load, gateway, put_in_force, send, stock

CUSTOMERS_COUNT, RATE = 1_500, 800.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class Faults:
    """Does the harm, in an order that a seed decides, and tells what it did."""

    def __init__(self, a: Worker, b: Worker, c: Worker, seed: int) -> None:
        self.workers, self.third = [a, b], c
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()

    async def all(self) -> None:
        await self._at_every_point()
        await self._rebalanced()
        await self._at_every_point()
        await self._zombie()

    async def _at_every_point(self) -> None:
        under_way: list[Point] = ["sent", "offsets", "committed"]
        opening: list[Point] = ["fenced", "restoring", "fenced"]
        self.chance.shuffle(under_way)
        for point, next_point in zip(under_way, opening, strict=True):
            worker = self.chance.choice(self.workers)
            worker.hold(point)
            await self._killed_at(worker, point)
            # What is restored from nothing is restored whole; the others have their disk.
            if next_point == "restoring":
                worker.wipe()
                self.done["wiped a disk"] += 1
            worker.start(next_point)
            await self._killed_at(worker, next_point)
            worker.start()

    async def _settled(self, worker: Worker) -> int:
        """Wait until partitions have stopped moving; gives how many this worker has opened in its life."""
        counts = [-1]
        while counts[-4:] != [counts[-1]] * 4:
            await asyncio.sleep(0.8)
            counts.append(worker.said("partition open"))
        return counts[-1]

    async def _killed_at(self, worker: Worker, point: Point) -> None:
        await worker.reached(point, within=60)
        worker.kill()
        self.done[f"killed at {point}"] += 1

    async def _rebalanced(self) -> None:
        """A third worker comes, is killed anywhere, comes back with an empty disk, and is told to go."""
        self.third.start()
        await self.third.says("partition open")
        self.third.kill()
        self.done["killed anywhere"] += 1
        self.third.wipe()
        self.done["wiped a disk"] += 1
        opened = self.third.said("partition open")
        self.third.start()
        await self.third.says("partition open", opened + 1)
        assert await self.third.stop() == 0
        self.done["told to go"] += 1

    async def _zombie(self) -> None:
        """A worker sleeps in the middle of a commit until another has its partitions, and then goes on with it."""
        sleeper, other = self.chance.sample(self.workers, 2)
        opened = await self._settled(other)
        sleeper.hold("offsets")
        await sleeper.reached("offsets", within=60)
        sleeper.signal(signal.SIGSTOP)
        # All seven partitions of the three stages.
        await other.says("partition open", opened + 7, within=60)
        sleeper.let_go()
        sleeper.signal(signal.SIGCONT)
        await sleeper.says("partition fenced")
        self.done["woke a zombie"] += 1


async def test_whatever_dies_every_event_counts_once_and_every_output_is_written_once(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    now, began = clock.now(), time.monotonic()
    await put_in_force(cluster, tmp_path, now)
    await send(cluster, [stock(now)])
    a, b, c = (Worker(name, cluster.bootstrap, tmp_path) for name in "abc")
    faults, load, stop = Faults(a, b, c, seed=3), Load(CUSTOMERS_COUNT, now), asyncio.Event()
    with ExitStack() as stack:
        for worker in (a, b, c):
            stack.callback(worker.end)
        a.start()
        b.start()
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(gateway(cluster, stop))
            fed = group.create_task(feed(load.records(), cluster, RATE))
            await asyncio.wait_for(faults.all(), 180)
            load.enough = True
            await fed
            print(f"\nfaults over after {time.monotonic() - began:.0f} s; {fed.result().total} records fed")
            # Half a minute of silence, and event time is the clock: what was waited for last is over, too.
            await quiet(cluster, rest=IDLE / SECOND + 8, within=200)
            stop.set()
        assert [await worker.stop() for worker in (a, b)] == [0, 0]
    print(f"drained after {time.monotonic() - began:.0f} s: {dict(sorted(faults.done.items()))}")
    replayed = await replay_journal(cluster.for_aiokafka(), list(STAGES.values()))
    print("\n".join(map(str, replayed)), f"after {time.monotonic() - began:.0f} s")
    counted = await asyncio.to_thread(_recounted, cluster)
    print(f"{counted}; the gateway saw {answering.result()} offers; {time.monotonic() - began:.0f} s")

    assert [problem for result in replayed for problem in result.problems] == []
    assert {f"killed at {point}" for point in ("fenced", "restoring", "sent", "offsets", "committed")} <= set(
        faults.done
    )
    assert (counted["events"], counted["repeated"], counted["dead"]) == (load.good, load.again, load.broken)
    assert counted["offers"] == answering.result()


def _recounted(cluster: Cluster) -> dict[str, int]:
    rows = {
        topic: recount.read(cluster.servers, topic)
        for topic in (
            *(CUSTOMERS, APP_USAGE, TRANSACTIONS, DEAD_LETTERS, DECISIONS, LEDGER_COMMANDS, LEDGER_ANSWERS, EXAMPLES),
            *(OFFERS_SMS, OFFERS_PUSH, OFFERS_LIST, CUSTOMERS_CHANGELOG, LEDGER_CHANGELOG),
        )
    }
    offers = [row for topic in (OFFERS_SMS, OFFERS_PUSH, OFFERS_LIST) for row in rows[topic]]
    # The stock that the test wrote repeats three codes on purpose, which is one more dead letter.
    dead = [row for row in rows[DEAD_LETTERS] if row.headers["kairos.errors.class"] != "duplicate_codes"]
    assert len(dead) == len(rows[DEAD_LETTERS]) - 1
    events = recount.accepted((*rows[APP_USAGE], *rows[TRANSACTIONS]), dead)
    assert recount.spending(recount.newest(rows[CUSTOMERS_CHANGELOG])) == recount.spent(events.values())
    _each_wanted_event_has_one_decision(events, rows[DECISIONS])
    unfollowed = recount.unfollowed(events.values(), WAITED)
    assert 0 < len(unfollowed) < sum(row.type == "page_view" for row in events.values())
    _each_look_without_a_payment_has_one_decision(unfollowed, rows[DECISIONS])
    _each_offer_is_of_one_decision(rows[DECISIONS], offers)
    _no_pool_gave_more_than_it_had(recount.coupons(offers, rows[LEDGER_COMMANDS]), rows[LEDGER_CHANGELOG])
    reserves = [row.json["id"] for row in rows[LEDGER_COMMANDS] if row.json["kind"] == "reserve"]
    assert recount.once(reserves) == recount.once(row.json["id"] for row in rows[LEDGER_ANSWERS])
    recount.once(f"{row.json['id']} {row.json['label']}" for row in rows[EXAMPLES])
    return {
        "events": len(events),
        "repeated": len(rows[APP_USAGE]) + len(rows[TRANSACTIONS]) - len(dead) - len(events),
        "dead": len(dead),
        "decisions": len([row for row in rows[DECISIONS] if row.type == "decision"]),
        "looks": sum(row.type == "page_view" for row in events.values()),
        "unfollowed": len(unfollowed),
        "offers": len(offers),
        "reserves": len(reserves),
        "examples": len(rows[EXAMPLES]),
    }


def _each_wanted_event_has_one_decision(
    events: dict[tuple[str, str, str], recount.Row], decisions: list[recount.Row]
) -> None:
    wanted = {
        f"{row.topic} {row.partition} {row.offset}"
        for row in events.values()
        if (row.type, recount.category(row)) in WON
    }
    made = [row.json for row in decisions if row.type == "decision"]
    recount.once(row["id"] for row in made)
    assert recount.once(_place(row["event"]) for row in made if not row["absence"]) == wanted


def _each_look_without_a_payment_has_one_decision(expected: dict[str, datetime], decisions: list[recount.Row]) -> None:
    made = [row.json for row in decisions if row.type == "decision" and row.json["absence"]]
    recount.once(row["absence"]["event"] for row in made)
    recount.once(_place(row["event"]) for row in made)
    assert {_place(row["event"]): datetime.fromisoformat(row["absence"]["deadline"]) for row in made} == expected
    # Nobody knew before that nothing would come.
    assert all(row["decided_at"] > row["absence"]["deadline"] for row in made)


def _place(event: dict[str, object]) -> str:
    return f"{event['topic']} {event['partition']} {event['offset']}"


def _each_offer_is_of_one_decision(decisions: list[recount.Row], offers: list[recount.Row]) -> None:
    offered = [row.json for row in decisions if row.type == "decision" and row.json["state"] == "offered"]
    assert recount.once(row.json["id"] for row in offers) == {row["offer"] for row in offered}
    # The gateway answered every offer, so every decision that offered has come to its end, once.
    ended = recount.once(row.json["id"] for row in decisions if row.type == "decision_ended")
    assert ended == {row["id"] for row in offered}


def _no_pool_gave_more_than_it_had(given: dict[str, recount.Coupons], changelog: list[recount.Row]) -> None:
    told = recount.pools(recount.newest(changelog))
    for pool, found in given.items():
        assert (found.reserved, found.confirmed, found.redeemed, found.released) == told[pool], pool
        assert found.held <= LIMITS[pool], pool
        recount.once(found.codes)
    assert set(given["tea"].codes) <= set(CODES)
    assert {pool for pool, found in given.items() if found.held == LIMITS[pool]}, (
        "no pool ran out: too little was asked"
    )
