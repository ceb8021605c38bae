"""A recount of the ledger from its commands and its committed outputs: what somebody outside could count, no store."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kairos.offers import CouponPool, Offer
from kairos.ports import Output
from kairos.reservations import Answer, Change, Reserve, Stock
from streams.topics import DEAD_LETTERS
from tests.ledger_table import OFFERS

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
    state: str = "reserved"


@dataclass
class Recount:
    coupons: dict[str, Coupon] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)

    def held(self, name: str) -> list[Coupon]:
        return [found for found in self.coupons.values() if found.pool == name and found.state in HELD]

    def take(
        self, orders: Sequence[Reserve | Change | Stock], outputs: Sequence[Output], pools: Mapping[str, CouponPool]
    ) -> None:
        """Take a commit; the outputs of a command follow upon those of the one before."""
        left = [output for output in outputs if output.topic != DEAD_LETTERS]
        for order in orders:
            match order:
                case Reserve():
                    self._reserved(order, left, pools)
                case Change():
                    self._changed(order)
        assert left == [], "an output that nobody asked for"

    def check_codes(self) -> None:
        out = [(found.pool, found.code) for found in self.coupons.values() if found.state in HELD]
        assert len(set(out)) == len(out), "one code is with two customers"

    def _reserved(self, order: Reserve, left: list[Output], pools: Mapping[str, CouponPool]) -> None:
        if left[0].topic in OFFERS:
            self._granted(Offer.model_validate_json(left.pop(0).value or b""), pools)
        answer = Answer.model_validate_json(left.pop(0).value or b"")
        assert answer.id == order.id
        coupon = self.coupons.get(order.id)
        assert answer.granted is None or coupon is not None
        assert coupon is None or coupon.state == "released" or answer.code == coupon.code

    def _granted(self, offer: Offer, pools: Mapping[str, CouponPool]) -> None:
        assert offer.coupon is not None
        before, limits = self.coupons.get(offer.decision), pools[offer.coupon.pool]
        assert before is None or before.state == "released", "what is held is offered again"
        self.coupons[offer.decision] = Coupon(limits.pool, offer.coupon.code, offer.coupon.value)
        held = self.held(limits.pool)
        assert len(held) <= limits.count
        assert limits.budget is None or sum(found.value for found in held) <= limits.budget
        if limits.codes == "generated":
            assert offer.coupon.code not in self.made, "a code was made twice"
            self.made.add(offer.coupon.code)

    def _changed(self, order: Change) -> None:
        found = self.coupons.get(order.id)
        if found is not None:
            found.state = NEXT.get((found.state, order.kind), found.state)
