"""A recount of the ledger from its commands and its committed outputs: what somebody outside could count, no store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from kairos.events import Feedback
from kairos.instants import moment
from kairos.offers import Limited, Offer
from kairos.ports import Batch, Output
from kairos.reservations import Answer, Change, Order, Redemption, Reserve
from streams.topics import ALERTS, DEAD_LETTERS, FEEDBACK, LEDGER_ENTRIES
from tests.ledger_table import OFFERS, Catalogue

ZONE = ZoneInfo("Asia/Shanghai")
ASIDE = (DEAD_LETTERS, LEDGER_ENTRIES, ALERTS)
HELD = frozenset({"reserved", "confirmed", "redeemed"})
NEXT = {
    ("reserved", "confirm"): "confirmed",
    ("reserved", "redeem"): "redeemed",
    ("confirmed", "redeem"): "redeemed",
    ("reserved", "release"): "released",
    ("confirmed", "release"): "released",
}


@dataclass
class Coupon:
    pool: str
    code: str
    value: int
    day: date
    state: str = "reserved"


@dataclass
class Recount:
    coupons: dict[str, Coupon] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    today: date = date.min

    def held(self, name: str) -> list[Coupon]:
        return [found for found in self.coupons.values() if found.pool == name and found.state in HELD]

    def take(self, orders: Sequence[Order], batch: Batch[Catalogue], outputs: Sequence[Output]) -> None:
        """Take a commit; the outputs of a command follow upon those of the one before."""
        self.today = moment(batch.now).astimezone(ZONE).date()
        left = [output for output in outputs if output.topic not in ASIDE]
        for order in orders:
            match order:
                case Reserve():
                    self._reserved(order, left, batch.versions)
                case Change():
                    self._changed(order.id, order.kind)
                case Redemption():
                    self._redeemed(order, left)
        assert left == [], "an output that nobody asked for"

    def check_codes(self) -> None:
        out = [(found.pool, found.code) for found in self.coupons.values() if found.state in HELD]
        assert len(set(out)) == len(out), "one code is with two customers"

    def _reserved(self, order: Reserve, left: list[Output], known: Catalogue) -> None:
        if left[0].topic in OFFERS:
            self._granted(Offer.model_validate_json(left.pop(0).value or b""), known)
        answer = Answer.model_validate_json(left.pop(0).value or b"")
        assert answer.id == order.id
        coupon = self.coupons.get(order.id)
        assert answer.granted is None or coupon is not None
        assert coupon is None or coupon.state == "released" or answer.code == coupon.code

    def _granted(self, offer: Offer, known: Catalogue) -> None:
        assert offer.coupon is not None
        before, limits = self.coupons.get(offer.decision), known.pools[offer.coupon.pool]
        assert before is None or before.state == "released", "what is held is offered again"
        self.coupons[offer.decision] = Coupon(limits.pool, offer.coupon.code, offer.coupon.value, self.today)
        self._check(limits, limits.count, self.held(limits.pool))
        for whole in known.programmes.values():
            self._check(whole, whole.count, [found for found in self.coupons.values() if found.state in HELD])
        if limits.codes == "generated":
            assert offer.coupon.code not in self.made, "a code was made twice"
            self.made.add(offer.coupon.code)

    def _check(self, limits: Limited, count: int | None, held: Sequence[Coupon]) -> None:
        today = [found for found in held if found.day == self.today]
        month = [found for found in held if (found.day.year, found.day.month) == (self.today.year, self.today.month)]
        assert count is None or len(held) <= count
        assert limits.budget is None or sum(found.value for found in held) <= limits.budget
        assert limits.per_day is None or len(today) <= limits.per_day
        assert limits.budget_per_day is None or sum(found.value for found in today) <= limits.budget_per_day
        assert limits.budget_per_month is None or sum(found.value for found in month) <= limits.budget_per_month

    def _redeemed(self, order: Redemption, left: list[Output]) -> None:
        told = Feedback.model_validate_json(left[0].value or b"") if left and left[0].topic == FEEDBACK else None
        # One that changed nothing says nothing; the next word may be a later one's.
        if told is None or told.code != order.code:
            return
        left.pop(0)
        assert told.decision is not None
        assert self.coupons[told.decision].state in ("reserved", "confirmed"), "one coupon was redeemed twice"
        self._changed(told.decision, "redeem")

    def _changed(self, decision: str, kind: str) -> None:
        found = self.coupons.get(decision)
        if found is not None:
            found.state = NEXT.get((found.state, kind), found.state)
