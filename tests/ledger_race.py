"""A race for coupons while three ledger workers are killed; `make race` lets 100,000 requests race for 10,000 coupons.

Whoever works for the pool is killed at a step of a commit, then all three at once, each time while requests wait.
Everything is counted afterwards from the topics, by JSON alone.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from console.publishing import publish
from kairos.wire import headers
from rules.pools import load_pools
from streams import clock
from streams.broker import configured
from streams.cluster import Cluster
from streams.hooks import Point
from streams.topics import LEDGER_ANSWERS, LEDGER_COMMANDS, OFFERS_SMS, Partitions
from streams.topics_declare import declare
from tests.fault_driver import Worker, until
from tests.ledger_table import reserve, wish
from tests.recount import once, rows_of

POINTS: tuple[Point, ...] = ("sent", "offsets", "committed")
POOLS = """
format: 1
zone: Asia/Shanghai
currency: CNY
pools: [{{id: cafe, programme: takeaway, merchant: cafe, value: 10, count: {count}}}]
"""
Say = Callable[[str], None]


def _silent(_line: str) -> None:
    pass


@dataclass
class Raced:
    """What the topics say afterwards."""

    requests: int
    coupons: int
    answered: int = 0
    granted: int = 0
    offers: int = 0
    codes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    killed: list[tuple[str, int]] = field(default_factory=list)
    seconds: float = 0

    def check(self) -> None:
        """Hold it against what was promised."""
        assert self.answered == self.requests
        assert self.granted == self.offers == self.codes == self.coupons
        assert self.refused == {"out_of_stock": self.requests - self.coupons}
        # A kill after the last answer would have tried nothing.
        assert all(answered < self.requests for _, answered in self.killed), self.killed

    def __str__(self) -> str:
        kills = ", ".join(f"{what} after {answered:,} answers" for what, answered in self.killed)
        return (
            f"{self.requests:,} requests, {self.granted:,} granted of {self.coupons:,}, {self.codes:,} codes, "
            f"{dict(self.refused)}; killed: {kills}; {self.seconds:.0f} s from the first request to the last answer"
        )


class Answers:
    """Counts the committed answers as they come."""

    def __init__(self, cluster: Cluster) -> None:
        self._consumer = KafkaConsumer(
            isolation_level="read_committed", enable_auto_commit=False, **cluster.for_kafka_python()
        )
        self._places = [
            TopicPartition(LEDGER_ANSWERS, n) for n in self._consumer.partitions_for_topic(LEDGER_ANSWERS) or ()
        ]
        self._consumer.assign(self._places)
        self._consumer.seek_to_beginning(*self._places)
        self.count = 0

    async def there(self) -> int:
        """Count on."""
        return await asyncio.to_thread(self._read)

    async def reach(self, number: int) -> None:
        """Wait until there are so many."""
        end = time.monotonic() + 120
        while (there := await self.there()) < number:
            assert time.monotonic() < end, f"{there} answers, and nobody works any more"
            await asyncio.sleep(0.02)

    def _read(self) -> int:
        ends = self._consumer.end_offsets(self._places)
        while any(self._consumer.position(place) < ends[place] for place in self._places):
            self.count += sum(map(len, self._consumer.poll(timeout_ms=100).values()))
        return self.count

    def close(self) -> None:
        self._consumer.close()


async def race(
    cluster: Cluster, folder: Path, raced: Raced, points: Sequence[Point] = POINTS, say: Say = _silent
) -> Raced:
    """Let requests race while workers die; the topics are declared and empty."""
    loaded = load_pools(POOLS.format(count=raced.coupons))
    await publish(cluster.for_aiokafka(), {"pools": loaded.content}, "race", clock.now())
    workers = [Worker(name, cluster.bootstrap, folder, "--stage", "ledger") for name in "abc"]
    begin, answers = time.monotonic(), Answers(cluster)
    try:
        for worker in workers:
            worker.start()
        asking = asyncio.create_task(_ask(cluster, raced.requests))
        for turn, point in enumerate(points, 1):
            # Spread over the giving out, and all three when the last coupons are gone.
            await answers.reach(raced.coupons * turn // (len(points) + 1))
            await _kill_the_owner(answers, workers, point, raced, say)
        await answers.reach(raced.coupons)
        await _kill_all(answers, workers, raced, say)
        await asking
        await _answered(answers, raced.requests, say)
        raced.seconds = time.monotonic() - begin
    finally:
        answers.close()
        for worker in workers:
            worker.end()
    await asyncio.to_thread(_count, cluster, raced)
    return raced


async def _ask(cluster: Cluster, requests: int) -> None:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, linger_ms=20, **cluster.for_aiokafka())
    await producer.start()
    try:
        waiting = []
        for number in range(requests):
            order = reserve(f"d{number}", wish(f"d{number}"))
            head = list(headers("kairos.ledger.command.v1", f"d{number}:reserve", clock.now()))
            waiting.append(
                await producer.send(LEDGER_COMMANDS, order.model_dump_json().encode(), b"takeaway", headers=head)
            )
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def _kill_the_owner(answers: Answers, workers: list[Worker], point: Point, raced: Raced, say: Say) -> None:
    """Kill whoever comes to this point of a commit, and start it again."""
    for worker in workers:
        worker.hold(point)

    def held() -> list[Worker]:
        return [worker for worker in workers if (worker.pauses / f"{point}.reached").exists()]

    await until(lambda: bool(held()), 60, f"a worker at {point}", workers[0].log)
    (owner,) = held()
    answered = await answers.there()
    owner.kill()
    for worker in workers:
        worker.let_go()
    raced.killed.append((f"one at {point}", answered))
    say(f"{owner.name} killed at {point}, {answered:,} answers there")
    owner.start()


async def _kill_all(answers: Answers, workers: list[Worker], raced: Raced, say: Say) -> None:
    """Kill all three while they work."""
    for worker in workers:
        worker.kill()
    raced.killed.append(("all three", await answers.there()))
    say(f"all killed, {raced.killed[-1][1]:,} answers there")
    for worker in workers:
        worker.start()


async def _answered(answers: Answers, requests: int, say: Say) -> None:
    last, since = 0, time.monotonic()
    while (there := await answers.there()) < requests:
        if there != last:
            last, since = there, time.monotonic()
            say(f"{there:,} answers")
        assert time.monotonic() - since < 60, f"{there} of {requests} answers, and no more come"
        await asyncio.sleep(0.5)


def _count(cluster: Cluster, raced: Raced) -> None:
    answers = [row.json for row in rows_of(cluster.servers, LEDGER_ANSWERS)]
    offers = [row.json for row in rows_of(cluster.servers, OFFERS_SMS)]
    raced.answered = len(once(str(answer["id"]) for answer in answers))
    raced.granted = sum(answer["granted"] is not None for answer in answers)
    raced.refused = Counter(reason for answer in answers for reason in answer["refused"].values())
    raced.offers = len(once(str(offer["decision"]) for offer in offers))
    raced.codes = len(once(str(offer["coupon"]["code"]) for offer in offers))
    by_decision = {offer["decision"]: offer["coupon"]["code"] for offer in offers}
    assert by_decision == {a["id"]: a["code"] for a in answers if a["granted"]}, "answers and offers name other codes"


async def _main(requests: int, coupons: int, folder: Path) -> int:
    logging.basicConfig(filename=folder / "driver.log", level=logging.WARNING)
    with configured({}, folder / "kafka") as broker:
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, Partitions())
        try:
            raced = await race(cluster, folder, Raced(requests, coupons), say=lambda line: print(line, flush=True))
            print(raced)
            raced.check()
        except AssertionError as error:
            print(f"NOT AS PROMISED: {error}\nlook into {folder}")
            return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger_race", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many ask (default: %(default)s)")
    parser.add_argument("--coupons", type=int, default=10_000, help="how many there are (default: %(default)s)")
    chosen = parser.parse_args()
    return asyncio.run(_main(chosen.requests, chosen.coupons, Path(tempfile.mkdtemp(prefix="kairos-race-"))))


if __name__ == "__main__":
    sys.exit(main())
