"""Coupon pools: how one coupon is taken and given back, and where a pool stands.

Reserved, confirmed and redeemed together stay within every limit. Each coupon counts with the value it had when it was
reserved, so a definition may change at any time. Limits lowered below what is held grant nothing new.
"""

from dataclasses import dataclass

from kairos.offers import Coupon, CouponPool
from kairos.ports import Store
from streams.coupon_codes import free_code, generated_code, note_code
from streams.ledger_limits import Turn, add, month_of, standing_of
from streams.ledger_records import (
    FREE,
    Amount,
    Pool,
    Reservation,
    State,
    coupons_of,
    number,
    read_pool,
    within,
    write_coupons,
    write_pool,
    write_standing,
)

__all__ = ["Totals", "left", "move", "next_code", "take", "totals"]


@dataclass(frozen=True, slots=True)
class Totals:
    """How a pool stands: coupons and money (minor units) by state, and what is left.

    `left` is how many more coupons the limits and the codes allow; a pool's dates, and what is limited by day, month,
    customer and programme, are not looked at.
    """

    reserved: int
    confirmed: int
    redeemed: int
    released: int
    reserved_minor: int
    confirmed_minor: int
    redeemed_minor: int
    codes: int
    duplicates: int
    left: int

    @property
    def held(self) -> int:
        """How many coupons count against the limit."""
        return self.reserved + self.confirmed + self.redeemed

    @property
    def held_minor(self) -> int:
        """How much money counts against the budget."""
        return self.reserved_minor + self.confirmed_minor + self.redeemed_minor


def totals(store: Store, pool: CouponPool) -> Totals:
    """Sum up a pool, for views, reports and tests; `codes` are the free imported ones."""
    header = read_pool(store, pool.programme.encode(), pool.pool)
    return Totals(
        reserved=header.reserved.count,
        confirmed=header.confirmed.count,
        redeemed=header.redeemed.count,
        released=header.released.count,
        reserved_minor=header.reserved.minor,
        confirmed_minor=header.confirmed.minor,
        redeemed_minor=header.redeemed.minor,
        codes=header.tail - header.head,
        duplicates=header.duplicates,
        left=left(pool, header),
    )


def left(pool: CouponPool, header: Pool) -> int:
    """Count how many more coupons the pool's total limits and its codes allow."""
    held = header.held
    limits = [pool.count - held.count]
    if pool.budget is not None and (pool.value or held.minor > pool.budget):
        limits.append((pool.budget - held.minor) // max(pool.value, 1))
    if pool.codes == "imported":
        limits.append(header.tail - header.head)
    return max(0, min(limits))


def take(
    store: Store, pool: CouponPool, header: Pool, reservation: Reservation, asked: tuple[str, Turn, bytes]
) -> Coupon:
    """Reserve one coupon; to be asked only where no limit is in the way.

    Parameters
    ----------
    store, pool, header
        Of what; the header is written.
    reservation
        Is told what it holds; to be written by who asks.
    asked
        The decision, the day, and the key that codes are made with.

    """
    programme, (decision, turn, key) = pool.programme.encode(), asked
    code = next_code(store, pool, header, (decision, key))
    if pool.codes == "imported":
        store.delete(programme, FREE, within(pool.pool, number(header.head)))
        header.head += 1
    else:
        header.serial += 1
    note_code(store, programme, pool.pool, code, decision)
    header.currency = pool.currency
    _add(header.reserved, 1, pool.value)
    add(header, turn, 1, pool.value)
    write_pool(store, programme, pool.pool, header)
    reservation.state, reservation.pool, reservation.minor = "reserved", pool.pool, pool.value
    reservation.code, reservation.imported = code, pool.codes == "imported"
    reservation.merchant, reservation.currency, reservation.subsidy = pool.merchant, pool.currency, dict(pool.subsidy)
    reservation.day = header.day.number
    return Coupon(pool=pool.pool, code=code, merchant=pool.merchant, value=pool.value, currency=pool.currency)


def next_code(store: Store, pool: CouponPool, header: Pool, asked: tuple[str, bytes]) -> str:
    """Give the code that the next coupon of a pool gets; nothing is taken. Asked is for a decision, with a key."""
    if pool.codes == "imported":
        return (store.get(pool.programme.encode(), FREE, within(pool.pool, number(header.head))) or b"").decode()
    return generated_code(pool, header.serial, *asked)


def move(store: Store, programme: bytes, reservation: Reservation, to: State) -> Pool:
    """Count a coupon in its next state; a released imported code is free again, behind those that wait already."""
    header = read_pool(store, programme, reservation.pool)
    _add(_of(header, reservation.state), -1, -reservation.minor)
    _add(_of(header, to), 1, reservation.minor)
    if to == "released":
        _give_back(store, programme, header, reservation)
    write_pool(store, programme, reservation.pool, header)
    reservation.state = to
    return header


def _give_back(store: Store, programme: bytes, header: Pool, reservation: Reservation) -> None:
    if reservation.imported and reservation.code is not None:
        free_code(store, programme, reservation.pool, header, reservation.code)
    # What an older release reserved has no day; it counted in none.
    turn = Turn(reservation.day, month_of(reservation.day)) if reservation.day else Turn(-1, -1)
    add(header, turn, -1, -reservation.minor)
    standing = standing_of(store, programme, limited=False)
    if standing is not None:
        _add(standing.held, -1, -reservation.minor)
        add(standing, turn, -1, -reservation.minor)
        write_standing(store, programme, standing)
    for bit, pool in ((1, reservation.pool), (2, "")):
        if reservation.counted & bit:
            had = coupons_of(store, programme, pool, reservation.customer)
            write_coupons(store, programme, pool, reservation.customer, max(0, had - 1))


def _add(amount: Amount, count: int, minor: int) -> None:
    amount.count += count
    amount.minor += minor


def _of(header: Pool, state: State) -> Amount:
    match state:
        case "reserved":
            return header.reserved
        case "confirmed":
            return header.confirmed
        case "redeemed":
            return header.redeemed
        case "released":
            return header.released
        case "answered":
            raise ValueError("an answer without a coupon is in no pool")
