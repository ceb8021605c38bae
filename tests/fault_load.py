"""What tests with real workers begin with: books to put into force, and customers who allow everything."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from aiokafka import AIOKafkaProducer

from console.publishing import contents_of, publish
from kairos.instants import Millis
from kairos.ports import Output, Record
from kairos.wire import headers
from streams.cluster import Cluster
from streams.topics import CUSTOMERS
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


async def put_in_force(cluster: Cluster, folder: Path, now: Millis, by: str = "test") -> dict[str, str]:
    """Publish the rules, policy and pools above with the shipped apps."""
    files = {"rules.yaml": RULES, "policy.yaml": POLICY, "pools.yaml": POOLS}
    for name, text in files.items():
        (folder / name).write_text(text)
    rules, policy, pools = (folder / name for name in files)
    named = {"policy": policy, "pools": pools, "apps": ROOT / "examples" / "apps.json"}
    return await publish(cluster.for_aiokafka(), contents_of(rules, named), by, now)


def profiles(customers: int, now: Millis) -> Iterator[Record]:
    """Customers who allow everything."""
    said = [{"purpose": "*", "channel": "*", "granted": True, "at": "2026-01-01T00:00:00Z"}]
    value = json.dumps({"attrs": {"mobile_bank": "active"}, "consent": said, "personalisation": True}).encode()
    for number in range(customers):
        key = b"L%06d" % number
        yield Record(CUSTOMERS, 0, number, key, value, headers("kairos.customer.v1", f"p{number}", now, "/test/crm"))


async def send(cluster: Cluster, records: Iterable[Output]) -> None:
    """Write a few records."""
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **cluster.for_aiokafka())
    await producer.start()
    try:
        for topic, key, value, found in records:
            await producer.send_and_wait(topic, value, key, headers=list(found))
    finally:
        await producer.stop()
