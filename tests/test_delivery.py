"""Delivery: once per key, never late, never without permission, whatever goes down or is killed."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import Memory, Outcome
from connectors.push_http import PushHttp
from connectors.webhook import Gateway, SignedPost
from kairos.events import Consent
from kairos.instants import MINUTE, Millis, moment
from kairos.offers import Channel, Offer
from kairos.permissions import Permission
from kairos.ports import Connector, Receipt
from streams import clock
from streams.cluster import Cluster
from streams.delivery import deliver, group_of, until_signalled
from streams.delivery_courier import Courier, Errand
from streams.delivery_end import End, ending, feedback
from streams.delivery_gate import Gate, wait
from streams.delivery_lane import Lane, Mark
from streams.topics import DEAD_LETTERS, FEEDBACK, OFFERS_PUSH, PERMISSIONS, Partitions
from tests.connector_contract import an_offer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW: Millis = 1_796_097_600_000


def may(customer: str = "c7", *, granted: bool = True, **more: Any) -> Permission:
    consent = Consent(purpose="*", channel="*", granted=granted, at=moment(NOW))
    return Permission(customer=customer, consent=(consent,), at=moment(NOW), **more)


def always(_channel: Channel, _now: Millis) -> bool:
    return True


class TestEnding:
    def test_an_offer_with_permission_in_hours_may_be_sent(self) -> None:
        assert ending(an_offer(), may(), in_hours=True, now=NOW) is None

    def test_an_expired_offer_is_not_sent(self) -> None:
        offer = an_offer(expires_at=moment(NOW))

        assert ending(offer, may(), in_hours=True, now=NOW) == End("expired")
        assert ending(offer, may(), in_hours=True, now=NOW - 1) is None

    @pytest.mark.parametrize(
        "permission",
        [
            None,
            may(granted=False),
            may(do_not_contact=True),
            may(until=moment(NOW)),
            Permission(customer="c7", at=moment(0)),
        ],
    )
    def test_unknown_is_no(self, permission: Permission | None) -> None:
        assert ending(an_offer(), permission, in_hours=True, now=NOW) == End("rejected", "no_permission")

    def test_outside_the_hours_nothing_is_sent(self) -> None:
        assert ending(an_offer(), may(), in_hours=False, now=NOW) == End("rejected", "quiet_hours")

    def test_the_record_of_an_end_has_the_same_name_each_time(self) -> None:
        first, second = (feedback(an_offer(), End("accepted"), now) for now in (NOW, NOW + 5))

        assert dict(first.headers)["ce_id"] == dict(second.headers)["ce_id"] == b"offer-1:accepted"
        assert dict(first.headers)["ce_source"] == b"/kairos/delivery/push"
        assert first.key == b"c7"


class TestLane:
    @given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.data())
    def test_whatever_dies_what_is_not_settled_is_read_again_and_the_rest_is_known(
        self, steps: list[int], data: st.DataObject
    ) -> None:
        offsets = [100 + sum(steps[:count]) for count in range(len(steps))]
        lane = Lane(Mark(100))
        for offset in offsets:
            lane.take(offset)
        settled = data.draw(st.sets(st.sampled_from(offsets)))
        claimed = data.draw(st.sets(st.sampled_from(offsets))) - settled
        for offset in sorted(claimed | settled):
            lane.claim(offset)
        for offset in sorted(settled):
            lane.settle(offset)

        mark = Mark.read(lane.mark.offset, lane.mark.text)
        again = Lane(mark)

        assert {offset for offset in offsets if again.is_settled(offset)} == settled
        assert {offset for offset in offsets if again.is_claimed(offset)} == claimed
        for offset in offsets:
            if again.is_settled(offset):
                again.pass_by(offset)
            else:
                again.take(offset)
                again.settle(offset)
        assert again.mark == Mark(offsets[-1] + 1)


class TestGate:
    def test_the_wait_grows_and_the_gateways_wish_goes_first(self) -> None:
        assert [wait(failures, None, 0.0) for failures in (1, 2, 10)] == [0.25, 0.5, 30.0]
        assert wait(1, 7.0, 0.0) == 7.0
        assert 7.0 < wait(1, 7.0, 0.99) <= 10.5

    async def test_one_probe_at_a_time_goes_to_a_gateway_that_is_down(self) -> None:
        gate = Gate("g", first=0.02, longest=0.02)
        inside: list[int] = []
        most, calls = 0, 0

        async def sender() -> None:
            nonlocal most, calls
            while True:
                async with gate.passage() as passage:
                    calls += 1
                    if calls > 8:
                        passage.worked()
                        return
                    inside.append(1)
                    most = max(most, len(inside)) if passage.is_probe else most
                    await asyncio.sleep(0.005)
                    inside.pop()
                    passage.failed(None, 0.0)

        gate.close(0.01)
        await asyncio.gather(*(sender() for _ in range(20)))

        assert most == 1
        assert gate.is_open

    async def test_requests_that_fail_together_are_one_failure(self) -> None:
        gate = Gate("g", first=10)

        async def sender() -> None:
            async with gate.passage() as passage:
                await asyncio.sleep(0)
                passage.failed(None, 0.0)

        await asyncio.gather(*(sender() for _ in range(20)))

        assert gate.wait(None, 0.0) == 20


@dataclass
class Scripted:
    memory: Memory
    courier: Courier
    errand: Errand
    now: Millis = NOW


def scripted(*script: Outcome, honours_key: bool = True, expires_in: Millis = MINUTE) -> Scripted:
    memory = Memory(script, honours_key=honours_key)
    gate = Gate("memory", first=0.001, longest=0.002)
    errand = Errand(an_offer(expires_at=moment(NOW + expires_in)), permission=may)
    found = Scripted(memory, Courier(memory, gate, always, lambda: found.now), errand)
    return found


class TestCourier:
    async def test_an_outage_is_sat_out(self) -> None:
        s = scripted("down", "down", "down")

        assert await s.courier.bring(s.errand) == End("accepted")
        assert s.memory.reached == ["offer-1"]
        assert len(s.memory.calls) == 4

    async def test_a_lost_answer_does_not_double_the_message(self) -> None:
        s = scripted("lost")

        assert await s.courier.bring(s.errand) == End("accepted")
        assert s.memory.reached == ["offer-1"]

    async def test_where_keys_are_not_honoured_a_lost_answer_is_never_sent_again(self) -> None:
        s = scripted("lost", honours_key=False)

        assert await s.courier.bring(s.errand) == End("unknown", "answer_lost")
        assert s.memory.calls == ["offer-1"]

    async def test_a_refusal_ends_it(self) -> None:
        s = scripted("refuse")

        end = await s.courier.bring(s.errand)

        assert end is not None
        assert (end.what, end.refused) == ("rejected", True)

    async def test_an_offer_that_expires_while_the_gateway_is_down_ends_in_time(self) -> None:
        s = scripted("busy", expires_in=50)
        waiting = asyncio.create_task(s.courier.bring(s.errand))
        await asyncio.sleep(0.02)
        s.now = NOW + 50

        assert await asyncio.wait_for(waiting, 0.5) == End("expired")
        assert s.memory.reached == []

    async def test_a_customer_who_leaves_during_an_outage_hears_nothing(self) -> None:
        s = scripted("down", "down")
        answers = [may(), may(), None]
        s.errand.permission = lambda: answers.pop(0) if answers else None

        assert await s.courier.bring(s.errand) == End("rejected", "no_permission")
        assert s.memory.reached == []

    async def test_the_offer_is_claimed_before_it_is_sent_and_free_again_when_nothing_was_taken(self) -> None:
        s = scripted("down", "ok")
        noted: list[str] = []

        async def claim() -> None:
            noted.append(f"claim after {len(s.memory.calls)}")

        s.errand.claim, s.errand.unclaim = claim, lambda: noted.append("unclaim")

        await s.courier.bring(s.errand)

        assert noted == ["claim after 0", "unclaim", "claim after 1"]

    async def test_an_offer_in_doubt_is_never_said_to_be_unsent(self) -> None:
        s = scripted("lost", "busy", expires_in=50)
        noted: list[str] = []
        s.errand.unclaim = lambda: noted.append("unclaim")
        waiting = asyncio.create_task(s.courier.bring(s.errand))
        await asyncio.sleep(0.02)
        s.now = NOW + 50

        assert await waiting == End("unknown", "expired")
        assert noted == []

    async def test_what_a_dead_process_had_claimed_goes_again_only_where_the_key_is_honoured(self) -> None:
        with_key, without = scripted(), scripted(honours_key=False)
        with_key.errand.is_in_doubt = without.errand.is_in_doubt = True

        assert await with_key.courier.bring(with_key.errand) == End("accepted")
        assert await without.courier.bring(without.errand) == End("unknown", "interrupted")
        assert without.memory.calls == []

    async def test_an_offer_that_was_given_up_is_left_for_the_next_process(self) -> None:
        s = scripted("down")
        s.errand.given_up = True

        assert await s.courier.bring(s.errand) is None
        assert s.memory.calls == []


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
async def delivering(cluster: Cluster, connector: Connector) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(
        deliver(cluster.for_aiokafka(), Channel.PUSH, connector, always, clock.now, stop, window=16, session=3000)
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


@pytest.mark.kafka
@pytest.mark.usefixtures("declared")
class TestDelivery:
    async def test_a_gateway_that_is_down_loses_nothing_and_gets_nothing_twice(
        self, cluster: Cluster, gateway: SlowGateway, url: str
    ) -> None:
        offers = offers_for(200)
        gateway.is_down = True

        async with SignedPost(Gateway(url, (SECRET,)), clock.now) as post, delivering(cluster, PushHttp(post)):
            await write(cluster, offers, [may(offer.customer) for offer in offers])
            await until(lambda: gateway.calls.total() > 0)
            await asyncio.sleep(1.5)
            hammered = gateway.calls.total()
            gateway.is_down = False
            found = await ends(cluster, 200)

        assert gateway.taken == Counter({offer.id: 1 for offer in offers})
        assert set(found.values()) == {"accepted"}
        assert hammered <= 16 + 6

    async def test_who_may_not_be_contacted_and_what_is_late_is_not_sent_and_a_refusal_is_a_dead_letter(
        self, cluster: Cluster, gateway: SlowGateway, url: str
    ) -> None:
        good, refused, unknown, left, *_ = offers = offers_for(4)
        late = an_offer("late", "c0", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
        gateway.refuses.add(refused.id)

        async with SignedPost(Gateway(url, (SECRET,)), clock.now) as post, delivering(cluster, PushHttp(post)):
            permissions = [may(good.customer), may(refused.customer), may(left.customer, granted=False)]
            await write(cluster, [*offers, late], permissions)
            found = await ends(cluster, 5)
            letters = await read(cluster, DEAD_LETTERS, bool)

        assert found == {
            good.id: "accepted",
            refused.id: "the gateway answered 422",
            unknown.id: "no_permission",
            left.id: "no_permission",
            "late": "expired",
        }
        assert list(gateway.calls) == [good.id, refused.id] or list(gateway.calls) == [refused.id, good.id]
        assert len(letters) == 1
        assert json.loads(letters[0].value or b"")["id"] == refused.id

    async def test_a_record_that_is_no_offer_costs_one_dead_letter(self, cluster: Cluster) -> None:
        offer = offers_for(1)[0]
        producer = AIOKafkaProducer(**cluster.for_aiokafka())
        await producer.start()
        await producer.send_and_wait(OFFERS_PUSH, b"{}", offer.customer.encode())
        await producer.stop()
        await write(cluster, [offer], [may(offer.customer)])

        async with delivering(cluster, memory := Memory()):
            assert await ends(cluster, 1) == {offer.id: "accepted"}
            letters = await read(cluster, DEAD_LETTERS, bool)

        assert memory.reached == [offer.id]
        assert dict(letters[0].headers)["kairos.errors.class"] == b"invalid"

    async def test_offers_in_the_air_are_finished_when_it_is_told_to_stop(self, cluster: Cluster) -> None:
        offers = offers_for(60)
        await write(cluster, offers, [may(offer.customer) for offer in offers])
        first, second = Slow(honours_key=False), Slow(honours_key=False)

        async with delivering(cluster, first):
            await until(lambda: len(first.calls) > 4)
        assert 4 < len(first.reached) < 60
        async with delivering(cluster, second):
            found = await ends(cluster, 60)

        assert sorted(first.reached + second.reached) == sorted(offer.id for offer in offers)
        assert set(found.values()) == {"accepted"}

    async def test_told_to_stop_during_an_outage_it_stops_and_leaves_the_offers_to_the_next(
        self, cluster: Cluster
    ) -> None:
        offers = offers_for(60)
        await write(cluster, offers, [may(offer.customer) for offer in offers])
        down, back = Memory(["down"] * 1000, honours_key=False), Memory(honours_key=False)

        async with asyncio.timeout(10):
            async with delivering(cluster, down):
                await until(lambda: len(down.calls) > 2)
        async with delivering(cluster, back):
            found = await ends(cluster, 60)

        assert sorted(back.reached) == sorted(offer.id for offer in offers)
        assert set(found.values()) == {"accepted"}

    async def test_a_killed_process_loses_nothing_and_doubles_nothing_where_keys_are_honoured(
        self, cluster: Cluster, gateway: SlowGateway, url: str
    ) -> None:
        offers = offers_for(300)
        gateway.pause = 0.05
        await write(cluster, offers, [may(offer.customer) for offer in offers])

        await killed_at(cluster, url, "keys", lambda: len(gateway.taken) > 80)
        before = len(gateway.taken)
        async with SignedPost(Gateway(url, (SECRET,)), clock.now) as post, delivering(cluster, PushHttp(post)):
            found = await ends(cluster, 300)

        assert before < 300
        assert gateway.taken == Counter({offer.id: 1 for offer in offers})
        assert set(found.values()) == {"accepted"}

    async def test_a_killed_process_sends_nothing_twice_where_keys_are_not_honoured(
        self, cluster: Cluster, gateway: SlowGateway, url: str
    ) -> None:
        offers = offers_for(300)
        gateway.pause = 0.05
        await write(cluster, offers, [may(offer.customer) for offer in offers])

        await killed_at(cluster, url, "no keys", lambda: len(gateway.taken) > 80)
        async with (
            SignedPost(Gateway(url, (SECRET,), honours_key=False), clock.now) as post,
            delivering(cluster, PushHttp(post)),
        ):
            found = await ends(cluster, 300)

        unknown = {id_ for id_, end in found.items() if end == "interrupted"}
        assert set(gateway.calls.values()) == {1}
        assert 0 < len(unknown) <= 32
        assert {id_ for id_, end in found.items() if end == "accepted"} == {o.id for o in offers} - unknown

    async def test_an_offer_is_claimed_in_kafka_before_it_is_handed_over(self, cluster: Cluster) -> None:
        offers = offers_for(40)
        await write(cluster, offers, [may(offer.customer) for offer in offers])
        records = await read(cluster, OFFERS_PUSH, lambda found: len(found) == 40)
        places = {json.loads(r.value or b"")["id"]: (TopicPartition(r.topic, r.partition), r.offset) for r in records}
        admin = AIOKafkaAdminClient(**cluster.for_aiokafka())
        await admin.start()
        unclaimed: list[str] = []

        class Witness(Memory):
            async def send(self, offer: Offer) -> Receipt:
                place, offset = places[offer.id]
                found = (await admin.list_consumer_group_offsets(group_of(Channel.PUSH), partitions=[place]))[place]
                if offset not in Mark.read(found.offset, found.metadata).claimed:
                    unclaimed.append(offer.id)
                return await super().send(offer)

        async with delivering(cluster, Witness()):
            await ends(cluster, 40)
        await admin.close()

        assert unclaimed == []

    async def test_sigterm_drains_and_ends_well(self, cluster: Cluster, gateway: SlowGateway, url: str) -> None:
        offers = offers_for(100)
        gateway.pause = 0.05
        await write(cluster, offers, [may(offer.customer) for offer in offers])

        process = await started(cluster, url, "no keys")
        await until(lambda: len(gateway.taken) > 20)
        process.send_signal(signal.SIGTERM)

        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert set((await ends(cluster, len(gateway.taken))).values()) == {"accepted"}

    async def test_a_second_process_takes_over_half_and_nothing_is_sent_twice(
        self, cluster: Cluster, gateway: SlowGateway, url: str
    ) -> None:
        offers = offers_for(300)
        gateway.pause = 0.1
        await write(cluster, offers, [may(offer.customer) for offer in offers])

        async with (
            SignedPost(Gateway(url, (SECRET,), honours_key=False), clock.now) as post,
            delivering(cluster, PushHttp(post)),
        ):
            await until(lambda: len(gateway.taken) > 20)
            async with delivering(cluster, PushHttp(post)):
                found = await ends(cluster, 300)

        assert gateway.calls == Counter({offer.id: 1 for offer in offers})
        assert set(found.values()) == {"accepted"}


class Slow(Memory):
    """A gateway in memory that takes its time."""

    async def send(self, offer: Offer) -> Receipt:
        await asyncio.sleep(0.2)
        return await super().send(offer)


async def started(cluster: Cluster, url: str, keys: str) -> asyncio.subprocess.Process:
    """Start a delivery in a process of its own."""
    code = "from tests.test_delivery import main; main()"
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
                cluster.for_aiokafka(), Channel.PUSH, PushHttp(post), always, clock.now, stop, window=16, session=3000
            )

    asyncio.run(run())
