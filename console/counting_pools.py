"""The pools, recounted: every reservation from the ledger's commands and answers, in whatever order these are read."""

from collections.abc import Container
from dataclasses import dataclass, field

from console.counting_records import AnswerRow, CommandRow, PoolRow, pools_content

__all__ = ["PoolCount", "Pools"]

_OF_RESERVATIONS = frozenset({"reserve", "confirm", "release", "redeem"})
_NEXT = {
    ("reserved", "confirm"): "confirmed",
    ("reserved", "release"): "released",
    ("reserved", "redeem"): "redeemed",
    ("confirmed", "release"): "released",
    ("confirmed", "redeem"): "redeemed",
}


@dataclass(slots=True)
class PoolCount:
    """How a pool stands, in coupons; the limit is its count, or less where its budget buys fewer.

    Examples
    --------
    >>> PoolCount(limit=10, reserved=1, confirmed=2, redeemed=3).left
    4

    """

    limit: int = 0
    reserved: int = 0
    confirmed: int = 0
    redeemed: int = 0

    @property
    def held(self) -> int:
        """The coupons that count against the limit."""
        return self.reserved + self.confirmed + self.redeemed

    @property
    def left(self) -> int:
        """The coupons that can still be given."""
        return self.limit - self.held


@dataclass(slots=True)
class _Reservation:
    # Commands of one programme come in their order; the answer comes by another topic, before or after.
    pools: dict[str, str | None] = field(default_factory=dict)
    granted: str | None = None
    state: str = "reserved"
    is_asked: bool = False
    is_answered: bool = False

    @property
    def pool(self) -> str | None:
        return self.pools.get(self.granted) if self.granted else None


class Pools:
    """Takes commands, answers and definitions, and says how each pool stands."""

    def __init__(self) -> None:
        self._defined: list[PoolRow] = []
        self._reservations: dict[str, _Reservation] = {}

    def define(self, content: bytes) -> None:
        """Take the definitions in force."""
        self._defined = pools_content(content)

    def command(self, order: CommandRow) -> None:
        """Take one command; codes that come, tills' words and moves of budgets change nothing here.

        What a till redeemed comes back from its customer's stage as any redemption does.
        """
        if order.kind not in _OF_RESERVATIONS:
            return
        found = self._reservations.setdefault(order.id, _Reservation())
        if order.kind == "reserve":
            found.pools, found.is_asked = {wish.offer.id: wish.pool for wish in order.wishes}, True
        else:
            found.state = _NEXT.get((found.state, order.kind), found.state)

    def answer(self, word: AnswerRow) -> None:
        """Take one answer; the control group's takes nothing."""
        found = self._reservations.setdefault(word.id, _Reservation())
        found.granted, found.is_answered = None if word.virtual else word.granted, True

    def standing(self) -> dict[str, PoolCount]:
        """Count every pool anew, by its name."""
        counts = {row.pool: PoolCount(limit=_limit(row)) for row in self._defined}
        for found in self._reservations.values():
            if found.pool is None or found.state == "released":
                continue
            count = counts.setdefault(found.pool, PoolCount())
            match found.state:
                case "reserved":
                    count.reserved += 1
                case "confirmed":
                    count.confirmed += 1
                case _:
                    count.redeemed += 1
        return counts

    def waiting(self, decided: Container[str]) -> int:
        """Count the decisions that asked the ledger and are not written yet."""
        return sum(found.is_asked and name not in decided for name, found in self._reservations.items())


def _limit(row: PoolRow) -> int:
    return row.count if row.budget is None or not row.value else min(row.count, row.budget // row.value)
