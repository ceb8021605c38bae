"""Delivery on a real Kafka: once per key, never late, never without permission, whatever goes down or is killed."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from connectors.memory import Memory
from connectors.push_http import PushHttp
from connectors.webhook import Gateway, SignedPost
from console.cli import app
from kairos.offers import Channel, Offer
from kairos.ports import Receipt
from streams import clock
from streams.cluster import Cluster
from streams.delivery import group_of
from streams.delivery_lane import Mark
from streams.topics import DEAD_LETTERS, DELIVERY_MARKS, OFFERS_PUSH, Partitions
from tests.connector_contract import an_offer
from tests.delivery_table import (
    SECRET,
    Slow,
    SlowGateway,
    delivering,
    ends,
    gateway,
    killed_at,
    may,
    offers_for,
    read,
    started,
    until,
    url,
    write,
)

__all__ = ["gateway", "url"]


@pytest.mark.kafka
@pytest.mark.usefixtures("declared")
class TestDelivery:
    async def test_a_gateway_that_is_down_for_twenty_seconds_loses_nothing_and_gets_nothing_twice(
        self, cluster: Cluster, gateway: SlowGateway, url: str
    ) -> None:
        offers = offers_for(200)
        gateway.is_down = True

        async with SignedPost(Gateway(url, (SECRET,)), clock.now) as post, delivering(cluster, PushHttp(post)):
            await write(cluster, offers, [may(offer.customer) for offer in offers])
            await until(lambda: gateway.calls.total() > 0)
            await asyncio.sleep(20)
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
            refused.id: "gateway_refused",
            unknown.id: "no_permission",
            left.id: "no_consent",
            "late": "expired",
        }
        assert list(gateway.calls) == [good.id, refused.id] or list(gateway.calls) == [refused.id, good.id]
        assert len(letters) == 1
        assert json.loads(letters[0].value or b"")["id"] == refused.id
        assert dict(letters[0].headers)["kairos.errors.message"] == b"the gateway answered 422"

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

        async with asyncio.timeout(60):
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

    async def test_a_group_whose_offsets_went_back_tells_nobody_anything_twice(self, cluster: Cluster) -> None:
        offers, memory, group = offers_for(40), Memory(honours_key=False), group_of(Channel.PUSH)
        await write(cluster, offers, [may(offer.customer) for offer in offers])
        async with delivering(cluster, memory):
            await ends(cluster, 40)

        # As a coordinator tells it that answers before it has read all of its own past.
        places = [TopicPartition(OFFERS_PUSH, number) for number in range(Partitions().customers)]
        consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **cluster.for_aiokafka())
        await consumer.start()
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
        await consumer.stop()
        late = an_offer("late", "c0")
        await write(cluster, [late], [may("c0")])
        async with delivering(cluster, memory):
            found = await ends(cluster, 41)

        assert sorted(memory.reached) == sorted([*(offer.id for offer in offers), "late"])
        assert set(found.values()) == {"accepted"}

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

    def test_a_delivery_whose_topics_were_never_declared_refuses_to_start(
        self, cluster: Cluster, delete_topics: Callable[[list[str]], None]
    ) -> None:
        delete_topics([DELIVERY_MARKS])

        ended = CliRunner().invoke(app, ["deliver", "sms"], env={"KAIROS_BOOTSTRAP": cluster.bootstrap})

        assert ended.exit_code == 1
        assert ended.stderr == f"Kafka has no topic {DELIVERY_MARKS}; declare Kairos' topics by `kairos topics`\n"
