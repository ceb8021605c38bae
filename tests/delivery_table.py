"""What the tests of delivery stand on: a slow gateway, a real Kafka, and a process to be killed."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from connectors.memory import Memory
from connectors.push_http import PushHttp
from connectors.webhook import Gateway, SignedPost
from kairos.decisions import Reason
from kairos.events import Consent
from kairos.instants import Millis, moment
from kairos.offers import Channel, Offer
from kairos.permissions import Permission
from kairos.ports import Connector, Receipt
from streams import clock
from streams.cluster import Cluster
from streams.delivery import HeldBack, deliver, until_signalled
from streams.topics import FEEDBACK, OFFERS_PUSH, PERMISSIONS, Partitions
from tests.connector_contract import an_offer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW: Millis = 1_796_097_600_000


def may(customer: str = "c7", *, granted: bool = True, **more: Any) -> Permission:
    consent = Consent(purpose="*", channel="*", granted=granted, at=moment(NOW))
    return Permission(customer=customer, consent=(consent,), at=moment(NOW), **more)


def never(_offer: Offer, _now: Millis) -> Reason | None:
    return None


class SlowGateway:
    """An HTTP gateway that counts what arrives, may be down, and takes its time."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.is_down = False
        self.pause = 0.0
        self.refuses: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        key = request.headers["webhook-id"]
        self.calls[key] += 1
        if self.is_down:
            return web.Response(status=503)
        if key in self.refuses:
            return web.Response(status=422)
        known = key in self.taken
        self.taken[key] += 0 if known else 1
        await asyncio.sleep(self.pause)
        return web.Response(status=409 if known else 202)


@pytest.fixture
def gateway() -> SlowGateway:
    return SlowGateway()


@pytest.fixture
async def url(gateway: SlowGateway) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", gateway.answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@asynccontextmanager
async def delivering(
    cluster: Cluster, connector: Connector, held_back: HeldBack = never, window: int = 16
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(
        deliver(
            cluster.for_aiokafka(), Channel.PUSH, connector, held_back, clock.now, stop, window=window, session=3000
        )
    )
    try:
        yield
    finally:
        stop.set()
        await running


async def write(cluster: Cluster, offers: Sequence[Offer], permissions: Sequence[Permission]) -> None:
    """Write both in one commit, permissions last: the order in which a hasty reader would refuse them."""
    producer = AIOKafkaProducer(transactional_id="test-delivery", **cluster.for_aiokafka())
    await producer.start()
    try:
        await producer.begin_transaction()
        for offer in offers:
            await producer.send(OFFERS_PUSH, offer.model_dump_json().encode(), offer.customer.encode())
        for permission in permissions:
            await producer.send(PERMISSIONS, permission.model_dump_json().encode(), permission.customer.encode())
        await producer.commit_transaction()
    finally:
        await producer.stop()


async def read(cluster: Cluster, topic: str, enough: Callable[[list[ConsumerRecord]], bool]) -> list[ConsumerRecord]:
    """Read a topic from its beginning until there is enough."""
    consumer = AIOKafkaConsumer(
        isolation_level="read_committed", auto_offset_reset="earliest", **cluster.for_aiokafka()
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(Partitions().customers)])
        await consumer.seek_to_beginning()
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(25):
            while not enough(found):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found.extend(records)
        return found
    finally:
        await consumer.stop()


def _offer(record: ConsumerRecord) -> bytes:
    return dict(record.headers)["ce_id"].rpartition(b":")[0]


async def ends(cluster: Cluster, count: int) -> dict[str, str]:
    """Give what became of each offer, once `count` of them have ended."""
    records = await read(cluster, FEEDBACK, lambda found: len({_offer(r) for r in found}) >= count)
    said = [json.loads(record.value or b"") for record in records]
    found = {data["offer"]: data["reason"] or data["what"] for data in said}
    # A process that dies between the receipt and its commit leaves both words; the first one is the offer's.
    found |= {data["offer"]: "accepted" for data in said if data["what"] == "accepted"}
    assert len(found) == count
    return found


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def offers_for(count: int, lifetime: timedelta = timedelta(hours=1)) -> list[Offer]:
    expires_at = datetime.fromtimestamp(clock.now() / 1000, UTC) + lifetime
    return [an_offer(f"o{number}", f"c{number}", expires_at=expires_at) for number in range(count)]


class Slow(Memory):
    """A gateway in memory that takes its time."""

    async def send(self, offer: Offer) -> Receipt:
        await asyncio.sleep(0.2)
        return await super().send(offer)


async def started(cluster: Cluster, url: str, keys: str) -> asyncio.subprocess.Process:
    """Start a delivery in a process of its own."""
    code = "from tests.delivery_table import main; main()"
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, cluster.bootstrap, url, keys)


async def killed_at(cluster: Cluster, url: str, keys: str, when: Callable[[], bool]) -> None:
    """Start a delivery and kill it as soon as this is so; its partitions are free when Kafka has noticed."""
    process = await started(cluster, url, keys)
    try:
        await until(when)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()


def main() -> None:
    """Be the process that is killed: servers, address, and whether the gateway honours keys."""
    bootstrap, url, keys = sys.argv[1:]

    async def run() -> None:
        cluster = Cluster(bootstrap=bootstrap)
        async with SignedPost(Gateway(url, (SECRET,), honours_key=keys == "keys"), clock.now) as post:
            stop = until_signalled()
            await deliver(
                cluster.for_aiokafka(), Channel.PUSH, PushHttp(post), never, clock.now, stop, window=16, session=3000
            )

    asyncio.run(run())
