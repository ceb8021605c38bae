"""The load of the fault tests: books with pools that run out, customers, events, and a gateway that answers."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from hashlib import blake2b
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from console.publishing import contents_of, publish
from console.simulate import load_events
from kairos.instants import MINUTE, SECOND, Millis, rfc3339
from kairos.ports import Output, Record
from kairos.reservations import Stock
from kairos.wire import headers
from streams import clock
from streams.cluster import Cluster
from streams.topics import (
    APP_USAGE,
    CUSTOMERS,
    FEEDBACK,
    LEDGER_COMMANDS,
    OFFERS_LIST,
    OFFERS_PUSH,
    OFFERS_SMS,
    TRANSACTIONS,
)
from tests.fault_driver import ROOT

RULES = """
format: 1
zone: Asia/Shanghai
currency: CNY
rules:
  - id: cafe
    name: 餐饮消费送咖啡券
    scenario: activation
    programme: lunch
    on: {event: transaction, where: {merchant_category: dining}}
    then:
      offer: {pool: cafe}
      channels: [sms]
      template: t
      text: {zh: 咖啡券, en: A coffee}
      expires: 1h
      wait: 1s
    fresh: 3650d
    experiment: {control: 20%}
  - id: tea
    name: 餐饮消费送茶券
    scenario: activation
    programme: lunch
    on: {event: transaction, where: {merchant_category: dining}}
    then:
      offer: {pool: tea}
      channels: [sms]
      template: t
      text: {zh: 茶券, en: A tea}
      expires: 1h
      wait: 1s
    fresh: 3650d
    experiment: {control: 20%}
  - id: ride
    name: 打车送出行券
    scenario: activation
    programme: travel
    on: {event: app_usage, where: {app_class: ride_hailing}}
    then:
      offer: {pool: ride}
      channels: [push]
      template: t
      text: {zh: 出行券, en: A ride}
      expires: 1h
      wait: 1s
    fresh: 3650d
  - id: card
    name: 看旅游推信用卡
    scenario: debit_to_credit
    programme: cards
    on: {event: app_usage, where: {app_class: travel}}
    then:
      offer: {product: credit-card}
      channels: [push]
      template: t
      text: {zh: 信用卡, en: A card}
      expires: 1h
      wait: 1s
    fresh: 3650d
    experiment: {control: 10%}
  - id: reminder
    name: 看了券没有用
    scenario: activation
    programme: cards
    on: {event: page_view, where: {page: coupon}}
    when: {all: [{absent: {event: transaction, where: {coupon: {same_as: on}}, for: 3s}}]}
    then:
      offer: {product: reminder}
      channels: [push]
      template: t
      text: {zh: 您的券还在, en: Your coupon is waiting}
      expires: 1h
      wait: 1s
    fresh: 3650d
    experiment: {control: 10%}
"""
POLICY = """
format: 1
zone: Asia/Shanghai
hours: {sms: "00:00-24:00", push: "00:00-24:00", list: "00:00-24:00"}
caps: {sms: {within: 1s, at_most: 64}, push: {within: 1s, at_most: 64}}
"""
POOLS = """
format: 1
zone: Asia/Shanghai
currency: CNY
pools:
  - {id: cafe, programme: lunch, merchant: m1, value: 15, count: 150, prefix: CA}
  - {id: tea, programme: lunch, merchant: m2, value: 10, count: 1000, codes: imported}
  - {id: ride, programme: travel, merchant: m3, value: 10, count: 1000, budget: 2000, prefix: RI}
"""
CODES = tuple(f"TEA-{number:04d}" for number in range(120))
WON = {("transaction", "dining"), ("app_usage", "ride_hailing"), ("app_usage", "travel")}
"""The events that the rules above want, each for every customer."""
WAITED: Millis = 3 * SECOND
"""How long a payment is waited for after a look at a coupon."""
LIMITS = {"cafe": 150, "tea": 120, "ride": 200}


async def put_in_force(cluster: Cluster, folder: Path, now: Millis, by: str = "test") -> dict[str, str]:
    """Publish the rules, policy and pools above with the shipped apps."""
    files = {"rules.yaml": RULES, "policy.yaml": POLICY, "pools.yaml": POOLS}
    for name, text in files.items():
        (folder / name).write_text(text)
    rules, policy, pools = (folder / name for name in files)
    return await publish(
        cluster.for_aiokafka(), contents_of(rules, policy, pools, ROOT / "examples" / "apps.json"), by, now
    )


def stock(now: Millis) -> Output:
    """The codes of the pool whose codes are imported, a few of them twice."""
    value = Stock(pool="tea", programme="lunch", codes=(*CODES, *CODES[:3])).model_dump_json().encode()
    return Output(LEDGER_COMMANDS, b"lunch", value, headers("kairos.ledger.command.v1", "test:stock", now))


def profiles(customers: int, now: Millis) -> Iterator[Record]:
    """Customers who allow everything."""
    said = [{"purpose": "*", "channel": "*", "granted": True, "at": "2026-01-01T00:00:00Z"}]
    value = json.dumps({"attrs": {"mobile_bank": "active"}, "consent": said, "personalisation": True}).encode()
    for number in range(customers):
        key = b"L%06d" % number
        yield Record(CUSTOMERS, 0, number, key, value, headers("kairos.customer.v1", f"p{number}", now, "/test/crm"))


class Load:
    """Profiles, then purchases and app uses until it is enough: some come twice, and some are broken besides.

    Now and then somebody looks at a coupon, and some of them pay with it, in time or too late. Everything happens when
    it is told, no two things in the same millisecond.
    """

    def __init__(self, customers: int, now: Millis) -> None:
        self.customers, self.now = customers, now
        self.good = self.again = self.broken = 0
        self.enough = False
        self._last = now
        self._chance = random.Random(8)
        self._to_pay: deque[tuple[Millis, Record]] = deque()

    def records(self) -> Iterator[Record]:
        yield from profiles(self.customers, self.now)
        last: Record | None = None
        for place, record in enumerate(load_events(None, self.customers, start=self.now - 10 * MINUTE)):
            if self.enough:
                return
            record = self._told(record)
            yield record
            if place % 20 == 3:
                yield from self._looked(place)
            self.good += 1
            if place % 20 == 7 and last is not None:
                yield last
                self.again += 1
            if place % 400 == 11:
                yield Record(record.topic, 0, place, record.key, b'{"broken":', record.headers)
                self.broken += 1
            # The same record comes again at once, or after a hundred others.
            last = record if place % 100 in (6, 27) else last

    def _told(self, record: Record) -> Record:
        self._last = max(clock.now(), self._last + 1)
        told = [(name, rfc3339(self._last).encode() if name == "ce_time" else value) for name, value in record.headers]
        return Record(record.topic, 0, record.offset, record.key, record.value, told)

    def _looked(self, place: int) -> Iterator[Record]:
        """Let somebody look at a coupon of their own, and those pay who wanted to by now."""
        key, coupon = b"L%06d" % self._chance.randrange(self.customers), f"c{place}"
        look = _event(APP_USAGE, "page_view", key, f"look-{place}", {"page": "coupon", "coupon": coupon})
        paid = {"amount": 100, "direction": "debit", "merchant_category": "fuel", "coupon": coupon}
        self._to_pay.append((clock.now(), _event(TRANSACTIONS, "transaction", key, f"paid-{place}", paid)))
        yield self._told(look)
        self.good += 1
        # Half of them never pay; a payment is told between one and five seconds after the look.
        while self._to_pay and clock.now() - self._to_pay[0][0] > SECOND * self._chance.randrange(1, 6):
            _, payment = self._to_pay.popleft()
            if self._chance.random() < 0.5:
                yield self._told(payment)
                self.good += 1


def _event(topic: str, type_: str, key: bytes, name: str, data: dict[str, object]) -> Record:
    return Record(topic, 0, 0, key, json.dumps(data).encode(), headers(f"kairos.{type_}.v1", name, 0, "/load"))


async def send(cluster: Cluster, records: Iterable[Output]) -> None:
    """Write a few records."""
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **cluster.for_aiokafka())
    await producer.start()
    try:
        for topic, key, value, found in records:
            await producer.send_and_wait(topic, value, key, headers=list(found))
    finally:
        await producer.stop()


async def gateway(cluster: Cluster, stop: asyncio.Event) -> int:
    """Answer every offer as a gateway and its customers would, by chance of the offer's id; gives how many it saw."""
    client = cluster.for_aiokafka()
    topics = (OFFERS_SMS, OFFERS_PUSH, OFFERS_LIST)
    consumer = AIOKafkaConsumer(
        *topics, isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False, **client
    )
    producer = AIOKafkaProducer(acks="all", linger_ms=5, **client)
    async with AsyncExitStack() as stack:
        for it in (consumer, producer):
            await it.start()
            stack.push_async_callback(it.stop)
        seen = 0
        while not stop.is_set():
            waiting = []
            for rows in (await consumer.getmany(timeout_ms=100)).values():
                for row in rows:
                    seen += 1
                    for what, key, value in _reactions(json.loads(row.value or b"{}")):
                        head = headers("kairos.feedback.v1", f"{value['offer']}:{what}", clock.now(), "/test")
                        written = json.dumps(value).encode()
                        waiting.append(await producer.send(FEEDBACK, written, key, headers=list(head)))
            await asyncio.gather(*waiting)
        return seen


def _reactions(offer: dict[str, str]) -> Iterator[tuple[str, bytes, dict[str, object]]]:
    chance = blake2b(offer["id"].encode(), digest_size=1).digest()[0]
    if chance < 30:
        story = "rejected"
    elif chance < 50:
        story = "accepted undelivered"
    elif chance < 100:
        story = "delivered redeemed accepted"
    else:
        story = "accepted delivered"
    for what in story.split():
        value = {"what": what, "offer": offer["id"], "decision": offer["decision"], "simulated": True}
        yield what, offer["customer"].encode(), value
