"""Changes: what became of a reservation, as the customers' stage or a till tells it. Repetition does no harm."""

from kairos.entries import What
from kairos.events import Feedback
from kairos.ports import Output
from kairos.reservations import Change, Redemption
from kairos.wire import BadRecord, headers
from streams.coupon_codes import whose
from streams.ledger_desk import Desk, count, forget_later
from streams.ledger_records import Reservation, State, read_reservation, write_reservation
from streams.ledger_written import entry, watch
from streams.pools import move
from streams.topics import FEEDBACK, LEDGER_COMMANDS

__all__ = ["LEDGER", "change", "redeem"]

LEDGER = "/kairos/ledger"
"""The source of the feedback that the ledger gives."""
_NEXT: dict[tuple[State, str], State] = {
    ("reserved", "confirm"): "confirmed",
    ("reserved", "release"): "released",
    ("reserved", "redeem"): "redeemed",
    # Accepted by the gateway, and then definitely not delivered.
    ("confirmed", "release"): "released",
    # A customer may be quicker than the gateway's receipt.
    ("confirmed", "redeem"): "redeemed",
}
_CONTRADICTORY = {("redeemed", "release"), ("released", "confirm"), ("released", "redeem")}
_SAID: dict[State, What] = {"confirmed": "confirmed", "redeemed": "redeemed", "released": "released"}


def change(desk: Desk, order: Change) -> list[Output]:
    """Move a reservation on. What it is already, or what comes too late, changes nothing."""
    programme = order.programme.encode()
    reservation = read_reservation(desk.store, programme, order.id)
    if reservation is None:
        count(desk, programme, "unknown")
        return []
    if (reservation.state, order.kind) in _CONTRADICTORY:
        count(desk, programme, "contradictory")
        return []
    to = _NEXT.get((reservation.state, order.kind))
    return [] if to is None else _moved(desk, order.programme, order.id, reservation, to)


def redeem(desk: Desk, order: Redemption) -> list[Output]:
    """Redeem a coupon by its code, and tell its customer; a code of another programme is asked for there.

    Raises
    ------
    BadRecord
        Nobody was given the code, or it was redeemed before.

    """
    programme = order.programme.encode()
    given = whose(desk.store, programme, order.pool, order.code)
    reservation = None if given is None else read_reservation(desk.store, programme, given[0])
    if given is None or reservation is None:
        return [_onward(desk, order)]
    decision, *coupon = given
    # A decision that was forgotten and is asked for again may hold another code, or none.
    if reservation.state == "released" or [reservation.pool, reservation.code] != coupon:
        raise BadRecord("not_out", "the code was given out and taken back: nobody holds it")
    if reservation.redeemed_by == order.id:
        count(desk, programme, "repeated")
        return []
    if reservation.redeemed_by:
        raise BadRecord("redeemed_before", "the code was redeemed before")
    reservation.redeemed_by = order.id
    if reservation.state == "redeemed":
        # The customer's own word came first; this is the same redemption.
        write_reservation(desk.store, programme, decision, reservation)
        return []
    made = _moved(desk, order.programme, decision, reservation, "redeemed")
    return [*made, _told(desk, order, decision, reservation)]


def _moved(desk: Desk, programme: str, decision: str, reservation: Reservation, to: State) -> list[Output]:
    was = reservation.state
    header = move(desk.store, programme.encode(), reservation, to)
    write_reservation(desk.store, programme.encode(), decision, reservation)
    if to == "released":
        forget_later(desk, programme.encode(), decision)
    pool = desk.pools.get(reservation.pool)
    alerts = watch(desk, pool, header) if pool is not None and pool.programme == programme else []
    return [*entry(desk, _SAID[to], (programme, decision, reservation), was), *alerts]


def _onward(desk: Desk, order: Redemption) -> Output:
    if not order.onward:
        raise BadRecord("unknown_code", "no programme that was asked gave this code out")
    following = order.model_copy(update={"programme": order.onward[0], "onward": order.onward[1:]})
    head = headers("kairos.ledger.command.v1", f"{order.id}:{order.onward[0]}:onward", desk.now)
    return Output(LEDGER_COMMANDS, following.programme.encode(), following.model_dump_json().encode(), head)


def _told(desk: Desk, order: Redemption, decision: str, reservation: Reservation) -> Output:
    feedback = Feedback(
        what="redeemed",
        offer=reservation.granted,
        decision=decision,
        code=reservation.code,
        amount=order.amount,
    )
    # A till's clock may be ahead of ours; what is told is not of tomorrow.
    at = min(round(order.at.timestamp() * 1000), desk.now)
    head = headers("kairos.feedback.v1", f"{decision}:redeemed", at, LEDGER)
    return Output(FEEDBACK, reservation.customer.encode(), feedback.model_dump_json(exclude_none=True).encode(), head)
