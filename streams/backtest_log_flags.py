"""What came twice in a log, and of whom its columns do not tell all: asked of all records at once."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from kairos.recent import remember
from rules.met import Flags, Numbers

__all__ = ["MOVES", "NOTHING", "OTHER", "PROFILE", "Flagged", "Noted", "came_twice", "flagged"]

NOTHING: Final = 0
"""The door refuses it, or a customer is forgotten: it is no event."""
MOVES: Final = 1
"""An event that rules may look at."""
PROFILE: Final = 2
OTHER: Final = 3


class Noted(NamedTuple):
    """What was noted of each record: whose it is, what it is, when it happened, the clock, its name in a number."""

    customer: Numbers
    kind: Numbers
    at: Numbers
    clock: Numbers
    name: Numbers


class Flagged(NamedTuple):
    """By customer: of whom the columns do not tell all, whose profile was the same and whose events came in order."""

    odd: Flags
    steady: Flags
    ordered: Flags


def came_twice(log: Noted) -> Flags:
    """Tell which events came again while their names were remembered, as `kairos.recent` remembers them.

    A name's number is the same for the same customer and name. Of most customers every number is another one; of the
    others the memory is kept as the stage keeps it.
    """
    found = np.zeros(len(log.kind), np.bool_)
    places = np.flatnonzero(log.kind != NOTHING)
    names = np.sort(log.name[places])
    again = names[1:][names[1:] == names[:-1]]
    if not len(again):
        return found
    whose = np.unique(log.customer[places][np.isin(log.name[places], again)])
    memory: dict[int, bytes] = {}
    for place in places[np.isin(log.customer[places], whose)].tolist():
        customer, name = int(log.customer[place]), f"{int(log.name[place]) % 2**64:016x}"
        known = remember(memory.get(customer, b""), name, int(log.clock[place]))
        if known is None:
            found[place] = True
        else:
            memory[customer] = known
    return found


def flagged(log: Noted, twice: Flags, customers: int, odd: Iterable[int]) -> Flagged:
    """Tell what is odd about customers.

    Parameters
    ----------
    log, twice
        The records, and which of them came twice.
    customers
        How many there are.
    odd
        The customers who were forgotten, or whose clock ran ahead.

    """
    strange = np.zeros(customers, np.bool_)
    strange[sorted(odd)] = True
    moves = np.flatnonzero((log.kind == MOVES) & ~twice)
    # With the first event of all, all memories begin.
    strange[log.customer[moves[:1]]] = True
    return Flagged(strange, _steady(log, twice, moves, customers), _ordered(log, moves, customers))


def _steady(log: Noted, twice: Flags, moves: Numbers, customers: int) -> Flags:
    """Tell whose profile is the same at each event: it was told once and before anything happened, or never."""
    told = np.flatnonzero((log.kind == PROFILE) & ~twice)
    began, known = np.full(customers, len(log.kind)), np.full(customers, -1)
    # The last one that is written stays, so backwards the first.
    began[log.customer[moves[::-1]]] = moves[::-1]
    known[log.customer[told[::-1]]] = told[::-1]
    found: Flags = (np.bincount(log.customer[told], minlength=customers) < 2) & (known < began)
    return found


def _ordered(log: Noted, moves: Numbers, customers: int) -> Flags:
    """Tell whose events arrived in the order of their times: of those none is before the one that came before it."""
    found = np.ones(customers, np.bool_)
    order = moves[np.argsort(log.customer[moves], kind="stable")]
    customer, at = log.customer[order], log.at[order]
    found[customer[1:][(customer[1:] == customer[:-1]) & (at[1:] < at[:-1])]] = False
    return found
