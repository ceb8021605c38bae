"""Coupon pools: whether one more coupon may be given, which code it gets, and where it stands afterwards.

Reserved, confirmed and redeemed together stay within the pool's count and budget. Each coupon counts with the value
it had when it was reserved, so a definition may change at any time. Limits lowered below what is held grant nothing
new.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kairos.decisions import Reason
from kairos.offers import Coupon, CouponPool
from kairos.ports import Store
from streams.ledger_records import (
    CODE,
    FREE,
    VERSION,
    Amount,
    Pool,
    Reservation,
    State,
    number,
    read_pool,
    within,
    write_pool,
)

__all__ = ["Totals", "add_codes", "generated_code", "move", "refusal", "take", "totals"]

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which people mistake."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How a pool stands: coupons and money (minor units) by state, and what is left.

    `left` is how many more coupons the limits and the codes allow; a pool's dates are not looked at.
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
        left=_left(pool, header),
    )


def refusal(pool: CouponPool, header: Pool, at: datetime) -> Reason | None:
    """Why the pool cannot give one more coupon at this moment, or None if it can."""
    if (pool.valid_from and at < pool.valid_from) or (pool.valid_until and at >= pool.valid_until):
        return Reason.POOL_NOT_VALID
    held = header.held
    # Money in two currencies cannot be held against one budget.
    if held.count and header.currency != pool.currency:
        return Reason.POOL_NOT_VALID
    if held.count >= pool.count or (pool.codes == "imported" and header.head == header.tail):
        return Reason.OUT_OF_STOCK
    if pool.budget is not None and held.minor + pool.value > pool.budget:
        return Reason.OVER_BUDGET
    return None


def take(store: Store, pool: CouponPool, header: Pool, decision: str) -> Coupon:
    """Reserve one coupon for a decision; to be asked only where `refusal` gives None."""
    programme = pool.programme.encode()
    if pool.codes == "imported":
        place = within(pool.pool, number(header.head))
        code = (store.get(programme, FREE, place) or b"").decode()
        store.delete(programme, FREE, place)
        header.head += 1
    else:
        code = generated_code(pool, header.serial, decision)
        header.serial += 1
    header.currency = pool.currency
    _add(header.reserved, 1, pool.value)
    write_pool(store, programme, pool.pool, header)
    return Coupon(pool=pool.pool, code=code, merchant=pool.merchant, value=pool.value, currency=pool.currency)


def move(store: Store, programme: bytes, reservation: Reservation, to: State) -> None:
    """Count a coupon in its next state; a released imported code is free again, behind those that wait already."""
    header = read_pool(store, programme, reservation.pool)
    _add(_of(header, reservation.state), -1, -reservation.minor)
    _add(_of(header, to), 1, reservation.minor)
    if to == "released" and reservation.imported and reservation.code is not None:
        _free(store, programme, reservation.pool, header, reservation.code)
    write_pool(store, programme, reservation.pool, header)


def add_codes(store: Store, programme: bytes, pool: str, codes: Iterable[str]) -> int:
    """Take imported codes into a pool, and give how many were refused because it had them already."""
    header = read_pool(store, programme, pool)
    refused = 0
    for code in codes:
        name = within(pool, code.encode())
        if store.get(programme, CODE, name) is not None:
            refused += 1
            continue
        store.put(programme, CODE, name, VERSION)
        _free(store, programme, pool, header, code)
    header.duplicates += refused
    write_pool(store, programme, pool, header)
    return refused


def generated_code(pool: CouponPool, serial: int, decision: str) -> str:
    """Make a code: the prefix, the serial, which is never used twice, and six letters that nobody can count on to.

    The same decision makes the same code in every replay. The letters are a hash of the decision's name and hold
    no secret: a till must look a code up, not calculate it. Two pools of one merchant need different prefixes.

    Examples
    --------
    >>> pool = CouponPool(pool="cafe-30", programme="takeaway", merchant="cafe", value=3000, count=500)
    >>> generated_code(pool, 31, "d1"), generated_code(pool, 32, "d2")
    ('K00000Z9F4FAV', 'K000010A0Q6ZE')

    """
    digest = hashlib.blake2b(
        f"{pool.pool}:{serial}:{decision}".encode(), digest_size=4, person=b"kairos.coupon"
    ).digest()
    return pool.prefix + _base32(serial) + _base32(int.from_bytes(digest) >> 2)


def _base32(value: int) -> str:
    letters = ""
    while value or len(letters) < 6:
        value, last = divmod(value, 32)
        letters = _LETTERS[last] + letters
    return letters


def _left(pool: CouponPool, header: Pool) -> int:
    held = header.held
    limits = [pool.count - held.count]
    if pool.budget is not None and (pool.value or held.minor > pool.budget):
        limits.append((pool.budget - held.minor) // max(pool.value, 1))
    if pool.codes == "imported":
        limits.append(header.tail - header.head)
    return max(0, min(limits))


def _free(store: Store, programme: bytes, pool: str, header: Pool, code: str) -> None:
    store.put(programme, FREE, within(pool, number(header.tail)), code.encode())
    header.tail += 1


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
