"""A ledger on the table: one partition with a store in memory, spoken to in commands, for the ledger's tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from kairos.decisions import Arm
from kairos.entries import Entry, Low
from kairos.ids import offer_id
from kairos.instants import DAY, Millis
from kairos.offers import Channel, CouponPool, Offer, Programme, Text
from kairos.ports import Batch, Output, Record
from kairos.reservations import Answer, Change, Order, Redemption, Reserve, Stock, Wish
from rules.stops import NOTHING, Stops
from streams.ledger import step
from streams.memory_store import MemoryStore
from streams.pools import Totals, totals
from streams.topics import (
    ALERTS,
    DEAD_LETTERS,
    LEDGER_ANSWERS,
    LEDGER_COMMANDS,
    LEDGER_ENTRIES,
    OFFERS_LIST,
    OFFERS_PUSH,
    OFFERS_SMS,
)

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOON: Millis = int(AT.timestamp() * 1000)
OFFERS = (OFFERS_SMS, OFFERS_PUSH, OFFERS_LIST)
TEXT = Text(zh="满三十减十元", en="10 off")


@dataclass(frozen=True)
class Catalogue:
    pools: Mapping[str, CouponPool]
    stops: Stops = NOTHING
    programmes: Mapping[str, Programme] = field(default_factory=dict)
    codes_key: bytes = b""


@dataclass
class Said:
    """What one batch gave, sorted by what it is."""

    outputs: list[Output]
    answers: list[Answer] = field(init=False)
    offers: list[Offer] = field(init=False)
    dead: list[Output] = field(init=False)
    entries: list[Entry] = field(init=False)
    alerts: list[Low] = field(init=False)

    def __post_init__(self) -> None:
        self.answers = [Answer.model_validate_json(o.value or b"") for o in self.outputs if o.topic == LEDGER_ANSWERS]
        self.offers = [Offer.model_validate_json(o.value or b"") for o in self.outputs if o.topic in OFFERS]
        self.dead = [o for o in self.outputs if o.topic == DEAD_LETTERS]
        self.entries = [Entry.model_validate_json(o.value or b"") for o in self.outputs if o.topic == LEDGER_ENTRIES]
        self.alerts = [Low.model_validate_json(o.value or b"") for o in self.outputs if o.topic == ALERTS]

    @property
    def answer(self) -> Answer:
        (only,) = self.answers
        return only

    @property
    def offer(self) -> Offer:
        (only,) = self.offers
        return only

    @property
    def code(self) -> str:
        assert self.offer.coupon is not None
        return self.offer.coupon.code


def pool(name: str = "cafe", count: int = 2, **more: object) -> CouponPool:
    fields = {"pool": name, "programme": "takeaway", "merchant": name, "value": 1000, "count": count, **more}
    return CouponPool.model_validate(fields)


def wish(
    decision: str,
    of: str | None = "cafe",
    *,
    rule: str | None = None,
    arm: Arm = Arm.TREATMENT,
    channel: Channel = Channel.SMS,
    programme: str = "takeaway",
    customer: str | None = None,
) -> Wish:
    rule = rule or f"rule-{of or 'product'}"
    offer = Offer(
        id=offer_id(decision, rule),
        decision=decision,
        customer=customer or f"customer of {decision}",
        programme=programme,
        rule=rule,
        channel=channel,
        purpose="marketing",
        template="takeaway",
        text=TEXT,
        decided_at=AT,
        expires_at=AT,
    )
    return Wish(offer=offer, arm=arm, pool=of)


class Table:
    """One partition of the ledger. `heard` is everything it was given, for a replay."""

    def __init__(self, *pools: CouponPool) -> None:
        self.store = MemoryStore()
        self.pools = {p.pool: p for p in pools}
        self.now = NOON
        self.stops = NOTHING
        self.programmes: dict[str, Programme] = {}
        self.key = b""
        self.heard: list[Batch[Catalogue]] = []
        self._offset = 0

    def define(self, *pools: CouponPool) -> None:
        self.pools = {**self.pools, **{p.pool: p for p in pools}}

    def limit(self, programme: str = "takeaway", **limits: Any) -> None:
        made = Programme.model_validate({"programme": programme, **limits})
        self.programmes = {**self.programmes, programme: made}

    def redeem(self, code: str, id_: str = "till-1", **more: object) -> Said:
        fields = {"id": id_, "code": code, "programme": "takeaway", "at": AT, **more}
        return self.hear(Redemption.model_validate(fields))

    def reserve(self, decision: str, *wishes: Wish) -> Said:
        return self.hear(reserve(decision, *wishes))

    def change(self, kind: str, decision: str) -> Said:
        return self.hear(Change.model_validate({"kind": kind, "id": decision, "programme": "takeaway", "at": AT}))

    def stock(self, *codes: str, of: str = "cafe", programme: str = "takeaway") -> Said:
        return self.hear(Stock(pool=of, programme=programme, codes=codes))

    def hear(self, *commands: Order) -> Said:
        return self.hear_raw([(c.programme.encode(), c.model_dump_json().encode()) for c in commands])

    def hear_raw(self, records: Sequence[tuple[bytes | None, bytes | None]], partitions: int = 1) -> Said:
        batch = Batch(
            0,
            partitions,
            [Record(LEDGER_COMMANDS, 0, self._offset + n, key, value) for n, (key, value) in enumerate(records)],
            self.now,
            Catalogue(MappingProxyType(self.pools), self.stops, MappingProxyType(self.programmes), self.key),
        )
        self._offset += len(records)
        self.heard.append(batch)
        return Said(step(self.store, batch))

    def days_later(self, days: int) -> None:
        self.now += days * DAY

    def totals(self, name: str = "cafe") -> Totals:
        return totals(self.store, self.pools[name])


def reserve(decision: str, *wishes: Wish) -> Reserve:
    wishes = wishes or (wish(decision),)
    return Reserve(
        id=decision,
        customer=wishes[0].offer.customer,
        programme=wishes[0].offer.programme,
        wishes=wishes,
        at=AT,
    )


def replay(heard: Sequence[Batch[Catalogue]]) -> tuple[list[tuple[bytes, bytes]], list[Output]]:
    """Work through the same batches from an empty store."""
    store = MemoryStore()
    outputs = [output for batch in heard for output in step(store, batch)]
    return list(store.items()), outputs
