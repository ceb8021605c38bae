"""The customers' stage on the table: one partition in memory, spoken to in records, for the tests of its function."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from kairos.customer import Customer, unpack
from kairos.instants import MINUTE, SECOND, Millis, from_rfc3339
from kairos.ports import Batch, Output, Record
from kairos.wire import headers
from rules.book import load
from streams import customers, ledger
from streams.memory_store import MemoryStore
from streams.topics import (
    APP_USAGE,
    CUSTOMERS,
    DEAD_LETTERS,
    DECISIONS,
    EXAMPLES,
    FEEDBACK,
    LEDGER_ANSWERS,
    LEDGER_COMMANDS,
    OFFERS_PUSH,
    OFFERS_SMS,
    PERMISSIONS,
    TRANSACTIONS,
)
from streams.versions import Versions

NOON: Millis = from_rfc3339("2026-12-01T12:00:00+08:00")
_POOLS = b"""[
{"pool":"cafe","programme":"lunch","merchant":"m1","value":1500,"currency":"CNY","count":%d,"prefix":"CA"},
{"pool":"tea","programme":"lunch","merchant":"m2","value":1000,"currency":"CNY","count":%d,"prefix":"TE"}]"""
_RULE = """
  - id: {id}
    name: {id}
    scenario: activation
    programme: {programme}
    on: {{event: transaction, where: {{merchant_category: {category}}}}}
    then:
      offer: {offer}
      channels: [sms, push]
      template: t
      text: {{zh: 券, en: A coupon}}
      expires: 1h
      wait: {wait}
    limits: {{cooldown: {cooldown}}}
    experiment: {{control: {control}}}
"""


def versions(
    *,
    cafe: int = 5,
    tea: int = 5,
    control: str = "0%",
    cooldown: str = "0s",
    wait: str = "10m",
    policy: dict[str, Any] | None = None,
    extra: str = "",
) -> Versions:
    """Two rules with coupons for `dining`, one without for `fuel`; caps that no test meets by chance.

    `policy` comes in the place of the same keys of the policy, `extra` below each rule.
    """
    more = {"control": control, "cooldown": cooldown, "wait": wait}
    rules = [
        _RULE.format(id="cafe", programme="lunch", category="dining", offer="{pool: cafe}", **more),
        _RULE.format(id="tea", programme="lunch", category="dining", offer="{pool: tea}", **more),
        _RULE.format(id="card", programme="cards", category="fuel", offer="{product: card}", **more),
    ]
    head = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:"
    loaded = load({"rules.yaml": head + "".join(rule + extra for rule in rules)})
    assert loaded.book is not None, loaded.problems
    day, wide = "00:00-24:00", {"within": "1s", "at_most": 64}
    said = {"format": 1, "zone": "Asia/Shanghai", "hours": {"sms": day, "push": day}}
    said |= {"caps": {"sms": wide, "push": wide}, **(policy or {})}
    found = Versions()
    for kind, content in (
        ("pools", _POOLS % (cafe, tea)),
        ("rules", loaded.book.content),
        ("policy", json.dumps(said).encode()),
    ):
        found = found.having(kind, content)
    return found


@dataclass
class Said:
    """What one batch gave, sorted by what it is."""

    outputs: list[Output]

    def of(self, topic: str, type_: str | None = None) -> list[dict[str, Any]]:
        return [
            json.loads(o.value or b"{}")
            for o in self.outputs
            if o.topic == topic and (type_ is None or dict(o.headers)["ce_type"] == f"kairos.{type_}.v1".encode())
        ]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        return self.of(DECISIONS, "decision")

    @property
    def decision(self) -> dict[str, Any]:
        (only,) = self.decisions
        return only

    @property
    def ended(self) -> list[str]:
        return [row["state"] for row in self.of(DECISIONS, "decision_ended")]

    @property
    def offers(self) -> list[dict[str, Any]]:
        return self.of(OFFERS_SMS) + self.of(OFFERS_PUSH)

    @property
    def commands(self) -> list[str]:
        return [row["kind"] for row in self.of(LEDGER_COMMANDS)]

    @property
    def labels(self) -> list[tuple[bool, bool]]:
        return [(row["label"], row["corrects"]) for row in self.of(EXAMPLES)]

    @property
    def dead(self) -> list[Output]:
        return [o for o in self.outputs if o.topic == DEAD_LETTERS]

    @property
    def permissions(self) -> list[dict[str, Any]]:
        return self.of(PERMISSIONS)


@dataclass
class Table:
    """One partition of the customers' stage, and a ledger that answers when it is asked to."""

    versions: Versions = field(default_factory=versions)
    now: Millis = NOON
    drained: frozenset[str] = frozenset()
    store: MemoryStore = field(default_factory=MemoryStore)
    books: MemoryStore = field(default_factory=MemoryStore)
    numbers: "count[int]" = field(default_factory=count)

    def hear(self, *records: Record, after: Millis = 0) -> Said:
        """Give a batch to the stage, some time after the last."""
        self.now += after
        batch = Batch(0, 1, list(records), self.now, self.versions, self.drained)
        return Said(customers.step(self.store, batch))

    def ledger(self, said: Said) -> tuple[list[Record], Said]:
        """Let the ledger work on what the stage told it: its answers as records, and all it wrote."""
        commands = [self.as_record(o) for o in said.outputs if o.topic == LEDGER_COMMANDS]
        written = Said(ledger.step(self.books, Batch(0, 1, commands, self.now, self.versions)))
        return [self.as_record(o) for o in written.outputs if o.topic == LEDGER_ANSWERS], written

    def ask(self, *records: Record) -> tuple[Said, Said]:
        """Give a batch, then the ledger's answers to it: what the stage says of them, and what the ledger wrote."""
        answers, written = self.ledger(self.hear(*records))
        return self.hear(*answers), written

    def customer(self, key: str) -> Customer:
        return unpack(self.store.get(key.encode(), "h"))

    def as_record(self, output: Output) -> Record:
        return Record(output.topic, 0, next(self.numbers), output.key, output.value, output.headers, self.now)

    def event(self, topic: str, type_: str, key: str, data: object, id_: str | None = None, ago: Millis = 0) -> Record:
        number = next(self.numbers)
        value = json.dumps(data).encode()
        head = headers(f"kairos.{type_}.v1", id_ or f"e{number}", self.now - ago, "/test")
        return Record(topic, 0, number, key.encode(), value, head, self.now)

    def pays(self, key: str = "c1", category: str = "dining", id_: str | None = None, ago: Millis = 0) -> Record:
        data = {"amount": 1200, "direction": "debit", "card": "debit", "merchant_category": category}
        return self.event(TRANSACTIONS, "transaction", key, data, id_, ago)

    def uses(self, key: str = "c1", app: str = "maps", ago: Millis = 0) -> Record:
        return self.event(APP_USAGE, "app_usage", key, {"app": app, "app_class": "maps"}, None, ago)

    def profile(self, key: str = "c1", *, granted: bool = True, ago: Millis = 0, **more: object) -> Record:
        said = [{"purpose": "*", "channel": "*", "granted": granted, "at": "2026-01-01T00:00:00Z"}]
        data = {"consent": said, "personalisation": True, **more}
        return self.event(CUSTOMERS, "customer", key, data, None, ago)

    def feedback(self, what: str, key: str = "c1", decision: str | None = None, **more: object) -> Record:
        return self.event(FEEDBACK, "feedback", key, {"what": what, "decision": decision, **more})

    def tombstone(self, key: str = "c1") -> Record:
        return Record(CUSTOMERS, 0, next(self.numbers), key.encode(), None)

    def state(self) -> list[tuple[bytes, bytes]]:
        return list(self.store.items())

    def ticks(self, *waits: Millis) -> Iterable[Said]:
        return [self.hear(after=wait) for wait in waits]


__all__ = ["MINUTE", "NOON", "SECOND", "Said", "Table", "versions"]
