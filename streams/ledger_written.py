"""What the ledger writes beside answers: entries for the settlement, and word of pools that run low."""

from collections.abc import Mapping
from typing import Literal

from kairos.entries import Entry, Low, What
from kairos.offers import CouponPool
from kairos.ports import Output
from streams.ledger_desk import Desk
from streams.ledger_records import Pool, Reservation, State, write_pool
from streams.ours import record
from streams.pools import left
from streams.topics import ALERTS, LEDGER_ENTRIES

__all__ = ["entry", "watch"]


_BEFORE: Mapping[State, Literal["reserved", "confirmed"]] = {"reserved": "reserved", "confirmed": "confirmed"}


def entry(desk: Desk, what: What, of: tuple[str, str, Reservation], was: State = "answered") -> list[Output]:
    """Write down a step of a coupon; what an older release reserved does not say whose it was, and is left out.

    Parameters
    ----------
    desk, what
        When, and which step.
    of
        The programme, the decision and its reservation.
    was
        How the coupon stood before.

    """
    programme, decision, held = of
    if not held.merchant:
        return []
    made = Entry(
        what=what,
        was=_BEFORE.get(was),
        decision=decision,
        programme=programme,
        pool=held.pool,
        merchant=held.merchant,
        value=held.minor,
        currency=held.currency,
        subsidy=held.subsidy,
        at=desk.at,
    )
    return [record(LEDGER_ENTRIES, programme, "kairos.ledger.entry.v1", f"{decision}:{what}", made, desk.now)]


def watch(desk: Desk, pool: CouponPool | None, header: Pool) -> list[Output]:
    """Tell people once that a pool came down to the number they named; whether they were told is kept in the header."""
    if pool is None or (pool.low is None and not header.low):
        return []
    there = left(pool, header)
    is_low = pool.low is not None and there <= pool.low
    if is_low == header.low:
        return []
    header.low = is_low
    write_pool(desk.store, pool.programme.encode(), pool.pool, header)
    if not is_low or pool.low is None:
        return []
    told = Low(pool=pool.pool, programme=pool.programme, merchant=pool.merchant, left=there, low=pool.low, at=desk.at)
    name = f"{pool.programme}:{pool.pool}:{desk.now}"
    return [record(ALERTS, pool.programme, "kairos.pool.low.v1", name, told, desk.now)]
