"""Changes: what became of a reservation, as the customers' stage tells it. Repetition and delay do no harm."""

from kairos.reservations import Change
from streams.ledger_desk import Desk, count, forget_later
from streams.ledger_records import State, read_reservation, write_reservation
from streams.pools import move

__all__ = ["change"]

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


def change(desk: Desk, order: Change) -> None:
    """Move a reservation on. What it is already, or what comes too late, changes nothing."""
    programme = order.programme.encode()
    reservation = read_reservation(desk.store, programme, order.id)
    if reservation is None:
        return count(desk, programme, "unknown")
    if (reservation.state, order.kind) in _CONTRADICTORY:
        return count(desk, programme, "contradictory")
    to = _NEXT.get((reservation.state, order.kind))
    if to is None:
        return None
    move(desk.store, programme, reservation, to)
    reservation.state = to
    write_reservation(desk.store, programme, order.id, reservation)
    if to == "released":
        forget_later(desk, programme, order.id)
    return None
