"""Moving a part of a shared budget: the order is told, the two ledgers carry it out, and their deeds are read."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kairos.instants import Millis
from kairos.money import Money
from kairos.reservations import Move
from kairos.wire import headers
from streams.ledger_told import Telling, telling
from streams.topics import LEDGER_COMMANDS

__all__ = ["Answer", "Fate", "moved", "said"]


class Fate(StrEnum):
    """What became of a move."""

    ARRIVED = "arrived"
    LEFT = "left"
    REPEATED = "repeated"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ledger answered, and why where it refused."""

    fate: Fate
    why: str = ""


async def moved(client: Mapping[str, object], order: Move, now: Millis, patience: float) -> Answer:
    """Tell a move, and wait until both ledgers have carried out their step, or for some seconds."""
    head = headers("kairos.ledger.command.v1", f"{order.id}:{order.kind}", now, "/kairos/pools")
    answer = Answer(Fate.UNANSWERED)
    async with telling(client) as told:
        await told.tell(order.programme.encode(), order.model_dump_json().encode(), head)
        await told.sent()
        try:
            async with asyncio.timeout(patience):
                await told.carried_out()
                answer = await _first_step(told, order)
                if answer.fate is Fate.LEFT:
                    await told.carried_out()
                    return Answer(Fate.ARRIVED)
        except TimeoutError:
            return answer
    return answer


async def _first_step(told: Telling, order: Move) -> Answer:
    async for letter in told.letters():
        return Answer(Fate.REFUSED, f"{letter.message} ({letter.kind.code})")
    onward = f"{order.id}:moved".encode()
    async for record in told.written(LEDGER_COMMANDS):
        if ("ce_id", onward) in record.headers:
            told.also(record)
            return Answer(Fate.LEFT)
    # It was carried out and wrote nothing: a move of this name was done before.
    return Answer(Fate.REPEATED)


def said(order: Move, currency: str, answer: Answer, patience: float) -> str:
    """Say in one sentence what became of a move.

    Examples
    --------
    >>> from kairos.instants import moment
    >>> order = Move(id="m1", programme="lunch", to="travel", budget="spring", minor=500, at=moment(0))
    >>> print(said(order, "CNY", Answer(Fate.ARRIVED), 10))
    5.00 CNY of spring went from lunch to travel; the move is m1
    >>> print(said(order, "CNY", Answer(Fate.REFUSED, "3.00 CNY of spring are free in lunch"), 10))
    refused, nothing was moved: 3.00 CNY of spring are free in lunch

    """
    amount = f"{Money(order.minor, currency)} of {order.budget}"
    match answer.fate:
        case Fate.ARRIVED:
            return f"{amount} went from {order.programme} to {order.to}; the move is {order.id}"
        case Fate.LEFT:
            late = f"the ledger of {order.to} has not taken it within {patience:g} s, and will when it runs"
            return f"{amount} left {order.programme}; {late}; the move is {order.id}"
        case Fate.REPEATED:
            return f"nothing was moved now: the move {order.id} was done before, and a move is done once"
        case Fate.REFUSED:
            return f"refused, nothing was moved: {answer.why}"
        case Fate.UNANSWERED:
            return (
                f"no answer within {patience:g} s: is a worker with the ledger's stage running? The order stays and is "
                f"carried out when one is; the same again with --name {order.id} tells what came of it"
            )
