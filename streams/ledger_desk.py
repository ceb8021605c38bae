"""The ledger's desk: what a command is worked on with, and what the desk remembers and forgets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile
from typing import Literal

from kairos.instants import DAY, Millis
from kairos.offers import CouponPool, Programme
from kairos.ports import Store
from rules.stops import NOTHING, Stops
from streams.ledger_limits import Turn, turn_at
from streams.ledger_records import FORGET, VERSION, forget_reservation, number, read_oddities, write_oddities

__all__ = ["KEPT", "Desk", "count", "forget_later", "forget_old"]

KEPT: Millis = 31 * DAY
"""How long an answer that holds no coupon is remembered: a dead letter that could be replayed lives 30 days."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command is worked on with: the state, the moment and the definitions in force."""

    store: Store
    now: Millis
    at: datetime
    pools: Mapping[str, CouponPool]
    stops: Stops = NOTHING
    programmes: Mapping[str, Programme] = field(default_factory=dict)
    key: bytes = b""
    _turns: dict[str, Turn] = field(default_factory=dict)

    def turn(self, zone: str) -> Turn:
        """Give the day and the month that it is in a zone."""
        found = self._turns.get(zone)
        if found is None:
            found = self._turns[zone] = turn_at(self.at, zone)
        return found


def count(desk: Desk, programme: bytes, oddity: Literal["repeated", "unknown", "contradictory"]) -> None:
    """Count a command that changes nothing."""
    oddities = read_oddities(desk.store, programme)
    match oddity:
        case "repeated":
            oddities.repeated += 1
        case "unknown":
            oddities.unknown += 1
        case "contradictory":
            oddities.contradictory += 1
    write_oddities(desk.store, programme, oddities)


def forget_later(desk: Desk, programme: bytes, decision: str) -> None:
    """Note that a reservation holds nothing any more, and from when on it may be forgotten."""
    desk.store.put(programme, FORGET, number(desk.now + KEPT) + decision.encode(), VERSION)


def forget_old(desk: Desk, programme: bytes, most: int) -> None:
    """Forget up to so many reservations whose time has come."""
    due = takewhile(lambda found: found[0] < number(desk.now), desk.store.scan(programme, FORGET))
    for id_, _ in list(islice(due, most)):
        desk.store.delete(programme, FORGET, id_)
        forget_reservation(desk.store, programme, id_[8:])
