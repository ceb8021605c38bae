"""Reserving: the first wish that a pool can fulfil is granted, and the customer gets exactly one answer."""

from kairos.decisions import Arm, Reason
from kairos.offers import CouponPool, Offer
from kairos.ports import Output
from kairos.reservations import Answer, Reserve, Wish
from rules.message import finished, keeps_promise
from streams.ledger_desk import Desk, count, forget_later
from streams.ledger_limits import add, of_pool, of_programme, standing_of
from streams.ledger_records import (
    Pool,
    Reservation,
    coupons_of,
    read_pool,
    read_reservation,
    write_coupons,
    write_reservation,
    write_standing,
)
from streams.ledger_written import entry, watch
from streams.ours import record
from streams.pools import next_code, take
from streams.topics import LEDGER_ANSWERS, OFFERS

__all__ = ["reserve"]

_Counted = tuple[int, str, int, int]


def reserve(desk: Desk, order: Reserve) -> list[Output]:
    """Answer a reservation; the answer comes behind the offer of a treatment that was granted and its coupon's entry.

    An offer goes out from here whether its wish names a pool or not. The control arm is answered from the same
    counts, takes nothing from them and is never offered. Word of pools that run low comes last.
    """
    programme = order.programme.encode()
    known = read_reservation(desk.store, programme, order.id)
    if known is not None:
        count(desk, programme, "repeated")
        return [_answer(desk, order.id, order.programme, known)]
    reservation = Reservation(customer=order.customer)
    outputs: list[Output] = []
    alerts: list[Output] = []
    for wish in order.wishes:
        pool, header, reason = _ask(desk, wish)
        counts = [] if pool is None or reason else _counted(desk, pool, wish.offer.customer)
        if any(had >= most for _, _, had, most in counts):
            reason = Reason.COUPON_LIMIT
        if reason is None:
            _count(desk, wish, counts, reservation)
            outputs = _grant(desk, wish, pool, header, reservation)
            alerts += watch(desk, pool, header)
            break
        # Lowered limits may have emptied it, though nobody took the last coupon.
        alerts += watch(desk, pool, header)
        reservation.refused[wish.offer.id] = reason
    write_reservation(desk.store, programme, order.id, reservation)
    if reservation.state == "answered":
        forget_later(desk, programme, order.id)
    return [*outputs, _answer(desk, order.id, order.programme, reservation), *alerts]


def _ask(desk: Desk, wish: Wish) -> tuple[CouponPool | None, Pool, Reason | None]:
    """Give the pool a wish is about, its header, and why it cannot be fulfilled, if so."""
    # Asked when the customer was decided on; a stop since then must not hand out a coupon any more.
    if (stopped := desk.stops.of_offer(wish.offer, wish.pool)) is not None:
        return None, Pool(), stopped
    if wish.pool is None:
        return None, Pool(), None
    pool = desk.pools.get(wish.pool)
    # A budget is only looked after by its own programme: to another one the pool does not exist.
    if pool is None or pool.programme != wish.offer.programme:
        return None, Pool(), Reason.UNKNOWN_POOL
    header = read_pool(desk.store, pool.programme.encode(), pool.pool)
    reason = of_pool(pool, header, desk.at, desk.turn(pool.zone))
    reason = reason or _of_programme(desk, pool)
    return pool, header, reason or _unsaid(desk, wish.offer, pool, header)


def _unsaid(desk: Desk, offer: Offer, pool: CouponPool, header: Pool) -> Reason | None:
    """Say that the text cannot be made with the next coupon, which then stays where it is."""
    if offer.message is None:
        return None
    code = next_code(desk.store, pool, header, (offer.decision, desk.key))
    return None if keeps_promise(offer.message, pool) and finished(offer, code) else Reason.NO_VALUE


def _of_programme(desk: Desk, pool: CouponPool) -> Reason | None:
    limits = desk.programmes.get(pool.programme)
    standing = None if limits is None else standing_of(desk.store, pool.programme.encode(), limited=True)
    if limits is None or standing is None:
        return None
    return of_programme(limits, standing, pool, desk.turn(limits.zone))


def _counted(desk: Desk, pool: CouponPool, customer: str) -> list[_Counted]:
    """Give what of one customer is counted: how that is noted, for which pool, how many there are and may be."""
    programme = desk.programmes.get(pool.programme)
    most = None if programme is None else programme.per_customer
    key = pool.programme.encode()
    return [
        (bit, name, coupons_of(desk.store, key, name, customer), limit)
        for bit, name, limit in ((1, pool.pool, pool.per_customer), (2, "", most))
        if limit is not None
    ]


def _count(desk: Desk, wish: Wish, counts: list[_Counted], reservation: Reservation) -> None:
    # Among a customer's own coupons the virtual one counts, or the control arm would be tried more often.
    for bit, name, had, _ in counts:
        write_coupons(desk.store, wish.offer.programme.encode(), name, wish.offer.customer, had + 1)
        reservation.counted |= bit


def _grant(desk: Desk, wish: Wish, pool: CouponPool | None, header: Pool, reservation: Reservation) -> list[Output]:
    """Note the granted wish in the reservation; a treatment's offer goes out, with a coupon taken from its pool."""
    offer = wish.offer
    reservation.granted = offer.id
    if wish.arm is Arm.CONTROL:
        reservation.virtual = True
        return []
    if pool is None:
        return [_offer(desk, offer)]
    _take_from_programme(desk, pool)
    asked = (offer.decision, desk.turn(pool.zone), desk.key)
    coupon = take(desk.store, pool, header, reservation, asked)
    issued = entry(desk, "issued", (pool.programme, offer.decision, reservation))
    done = finished(offer, coupon.code)
    if done is None:
        raise RuntimeError("a code was taken for a text that it does not fit")
    return [_offer(desk, done.model_copy(update={"coupon": coupon})), *issued]


def _take_from_programme(desk: Desk, pool: CouponPool) -> None:
    # Before the pool's own count: where the first limit is new, what the pools hold is summed up here.
    programme = pool.programme.encode()
    standing = standing_of(desk.store, programme, limited=pool.programme in desk.programmes)
    if standing is None:
        return
    same = not standing.held.count or standing.currency == pool.currency
    standing.currency = pool.currency if same else "?"
    standing.held.count += 1
    standing.held.minor += pool.value
    add(standing, desk.turn(pool.zone), 1, pool.value)
    write_standing(desk.store, programme, standing)


def _offer(desk: Desk, offer: Offer) -> Output:
    return record(OFFERS[offer.channel], offer.customer, "kairos.offer.v1", offer.id, offer, desk.now)


def _answer(desk: Desk, decision: str, programme: str, reservation: Reservation) -> Output:
    answer = Answer(
        id=decision,
        customer=reservation.customer,
        programme=programme,
        granted=reservation.granted,
        virtual=reservation.virtual,
        code=reservation.code,
        refused=reservation.refused,
    )
    return record(LEDGER_ANSWERS, answer.customer, "kairos.ledger.answer.v1", decision, answer, desk.now)
