"""Slices: parts of a budget that programmes share, moved in two steps that never exceed the whole.

First what is moved leaves its programme, which refuses where it holds too much; the command that brings it to the other
one is part of the same commit. Until that is carried out it belongs to nobody. Each step is done once by the move's id.
"""

from kairos.money import Money
from kairos.ports import Output
from kairos.reservations import Move, Moved
from kairos.wire import BadRecord, headers
from streams.ledger_desk import Desk, count
from streams.ledger_limits import standing_of
from streams.ledger_records import MOVE, VERSION, Standing, write_standing
from streams.topics import LEDGER_COMMANDS

__all__ = ["arrive", "leave"]


def leave(desk: Desk, order: Move) -> list[Output]:
    """Take a part of a slice away from its programme, and send it on.

    Raises
    ------
    BadRecord
        The programmes do not share the budget, or less than this is free.

    """
    programme = order.programme.encode()
    if _is_done(desk, programme, order.id):
        return []
    limits, other = desk.programmes.get(order.programme), desk.programmes.get(order.to)
    here, there = (() if limits is None else limits.slices), (() if other is None else other.slices)
    slice_ = next((found for found in here if found.budget == order.budget), None)
    if slice_ is None or order.to == order.programme or slice_.name not in [found.name for found in there]:
        raise BadRecord("unknown_slice", f"{order.programme} and {order.to} share no budget {order.budget}")
    standing = _standing(desk, programme)
    free = slice_.minor + standing.moved.get(slice_.name, 0) - standing.held.minor
    if order.minor > free:
        said = f"{Money(max(0, free), slice_.currency)} of {order.budget} are free in {order.programme}"
        raise BadRecord("not_free", f"{said}, {Money(order.minor, slice_.currency)} were to be moved")
    _book(desk, programme, standing, slice_.name, -order.minor, order.id)
    moved = Moved(id=order.id, programme=order.to, name=slice_.name, minor=order.minor, at=order.at)
    head = headers("kairos.ledger.command.v1", f"{order.id}:moved", desk.now)
    return [Output(LEDGER_COMMANDS, order.to.encode(), moved.model_dump_json().encode(), head)]


def arrive(desk: Desk, order: Moved) -> list[Output]:
    """Add to a programme's slice what left another one, whatever is defined by now: it must not be lost."""
    programme = order.programme.encode()
    if not _is_done(desk, programme, order.id):
        _book(desk, programme, _standing(desk, programme), order.name, order.minor, order.id)
    return []


def _is_done(desk: Desk, programme: bytes, move: str) -> bool:
    if desk.store.get(programme, MOVE, move.encode()) is None:
        return False
    count(desk, programme, "repeated")
    return True


def _standing(desk: Desk, programme: bytes) -> Standing:
    return standing_of(desk.store, programme, limited=True) or Standing()


def _book(desk: Desk, programme: bytes, standing: Standing, name: str, minor: int, move: str) -> None:
    standing.moved[name] = standing.moved.get(name, 0) + minor
    write_standing(desk.store, programme, standing)
    desk.store.put(programme, MOVE, move.encode(), VERSION)
