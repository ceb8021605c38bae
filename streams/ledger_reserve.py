"""Reserving: the first wish that a pool can fulfil is granted, and the customer gets exactly one answer."""

from kairos.decisions import Arm, Reason
from kairos.offers import Channel, CouponPool, Offer
from kairos.ports import Output
from kairos.reservations import Answer, Reserve, Wish
from kairos.wire import headers
from streams.ledger_desk import Desk, count, forget_later
from streams.ledger_records import Pool, Reservation, read_pool, read_reservation, write_reservation
from streams.pools import refusal, take
from streams.topics import LEDGER_ANSWERS, OFFERS_LIST, OFFERS_PUSH, OFFERS_SMS

__all__ = ["reserve"]

_OFFERS = {Channel.SMS: OFFERS_SMS, Channel.PUSH: OFFERS_PUSH, Channel.LIST: OFFERS_LIST}


def reserve(desk: Desk, order: Reserve) -> list[Output]:
    """Answer a reservation; the answer comes last, behind the offer of a treatment that was granted.

    An offer goes out from here whether its wish names a pool or not. The control arm is answered from the same
    counts, takes nothing from them and is never offered.
    """
    programme = order.programme.encode()
    known = read_reservation(desk.store, programme, order.id)
    if known is not None:
        count(desk, programme, "repeated")
        return [_answer(desk, order.id, order.programme, known)]
    reservation = Reservation(customer=order.customer)
    outputs: list[Output] = []
    for wish in order.wishes:
        pool, header, reason = _ask(desk, wish)
        if reason is None:
            outputs = _grant(desk, wish, pool, header, reservation)
            break
        reservation.refused[wish.offer.id] = reason
    write_reservation(desk.store, programme, order.id, reservation)
    if reservation.state == "answered":
        forget_later(desk, programme, order.id)
    return [*outputs, _answer(desk, order.id, order.programme, reservation)]


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
    return pool, header, refusal(pool, header, desk.at)


def _grant(desk: Desk, wish: Wish, pool: CouponPool | None, header: Pool, reservation: Reservation) -> list[Output]:
    """Note the granted wish in the reservation; a treatment's offer goes out, with a coupon taken from its pool."""
    offer = wish.offer
    reservation.granted = offer.id
    if wish.arm is Arm.CONTROL:
        reservation.virtual = True
        return []
    if pool is not None:
        coupon = take(desk.store, pool, header, offer.decision)
        offer = offer.model_copy(update={"coupon": coupon})
        reservation.state, reservation.pool, reservation.minor = "reserved", coupon.pool, coupon.value
        reservation.code, reservation.imported = coupon.code, pool.codes == "imported"
    return [_offer(desk, offer)]


def _offer(desk: Desk, offer: Offer) -> Output:
    head = headers("kairos.offer.v1", offer.id, desk.now)
    return Output(_OFFERS[offer.channel], offer.customer.encode(), offer.model_dump_json().encode(), head)


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
    head = headers("kairos.ledger.answer.v1", decision, desk.now)
    return Output(LEDGER_ANSWERS, answer.customer.encode(), answer.model_dump_json().encode(), head)
