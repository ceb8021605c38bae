"""Redeeming what tills report: each line is told to the ledger with a mark, and its deeds are found by that mark."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kairos.instants import Millis
from kairos.ports import Headers, Record
from kairos.reservations import Redemption
from kairos.wire import headers
from rules.problems import many
from streams.dead_letters import Letter, read_letter
from streams.ledger_told import Telling, telling
from streams.topics import DEAD_LETTERS, FEEDBACK, LEDGER_COMMANDS

__all__ = ["Outcome", "line_of", "marked", "outcome_lines", "redeemed"]

Tell = Callable[[str, int], None]
"""Hears what is being done, and with how many lines."""

_SHOWN = 20
_BEFORE = "redeemed_before"


@dataclass(slots=True)
class Outcome:
    """What became of a file's lines.

    Parameters
    ----------
    told, done
        How many were told, and how many were redeemed by that.
    before
        How many had been redeemed already: by this word, by another one, or by the customer's own.
    refused
        The others, by their lines in the file, with the reason.
    is_answered
        Whether the ledger has carried out all of them; where it has not, only `told` is known.

    """

    told: int = 0
    done: int = 0
    before: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    is_answered: bool = False


def marked(trace: str, line: int) -> bytes:
    """Give a trace's header that names a line; whatever the ledger writes because of the line carries it, too.

    Examples
    --------
    >>> mark = marked("0af7651916cd43dd8448eb211c80319c", 42)
    >>> mark
    b'00-0af7651916cd43dd8448eb211c80319c-000000000000002a-00'
    >>> line_of((("traceparent", mark),), "0af7651916cd43dd8448eb211c80319c")
    42

    """
    return f"00-{trace}-{line:016x}-00".encode()


def line_of(head: Headers, trace: str) -> int | None:
    """Give the line because of which a record was written, or None where it is not of this trace."""
    found = next((value for name, value in head if name == "traceparent"), b"")
    beginning = f"00-{trace}-".encode()
    return int(found[len(beginning) : -3], 16) if found.startswith(beginning) else None


async def redeemed(
    client: Mapping[str, object],
    orders: Iterable[tuple[int, Redemption]],
    trace: str,
    asked: tuple[Millis, float],
    tell: Tell,
) -> Outcome:
    """Tell redemptions with their lines, and wait until every programme that is asked has answered, or in vain.

    Parameters
    ----------
    client, orders
        Servers and security; the file's lines.
    trace
        32 letters of 0 to 9 and a to f that no other run has.
    asked
        When, and how many seconds the answer is waited for.
    tell
        Whom to tell how far it is.

    """
    outcome = Outcome()
    now, patience = asked
    async with telling(client, FEEDBACK) as told:
        for line, order in orders:
            # People send these, and no stage: the id ends with its kind.
            head = headers("kairos.ledger.command.v1", f"{order.id}:{order.kind}", now, "/kairos/pools")
            mark = ("traceparent", marked(trace, line))
            await told.tell(order.programme.encode(), order.model_dump_json().encode(), (*head, mark))
            outcome.told += 1
            tell("telling the ledger", outcome.told)
        await told.sent()
        try:
            async with asyncio.timeout(patience):
                await _carried_out(told, trace, tell)
                await _heard(told, trace, outcome)
        except TimeoutError:
            return Outcome(outcome.told)
    outcome.is_answered = True
    return outcome


async def _carried_out(told: Telling, trace: str, tell: Tell) -> None:
    """Wait for the programmes that were asked, and for those that they asked in their turn."""
    while True:
        await told.carried_out(lambda done: tell("the ledger redeems them", done))
        onward = [record async for record in told.written(LEDGER_COMMANDS) if _is_onward(record, trace)]
        if not onward:
            return
        for record in onward:
            told.also(record)


def _is_onward(record: Record, trace: str) -> bool:
    # The customers' stage may tell the ledger of it, too, and nobody waits for that.
    return line_of(record.headers, trace) is not None and dict(record.headers).get("ce_id", b"").endswith(b":onward")


async def _heard(told: Telling, trace: str, outcome: Outcome) -> None:
    async for record in told.written(FEEDBACK, DEAD_LETTERS):
        line = line_of(record.headers, trace)
        if line is None:
            continue
        letter = read_letter(record)
        if letter is None:
            outcome.done += record.topic == FEEDBACK
        elif letter.kind.topic == LEDGER_COMMANDS and letter.kind.code != _BEFORE:
            outcome.refused[line] = _why(letter)
    # What the ledger carried out and wrote nothing about was told before, or the customer's own word came first.
    outcome.before = outcome.told - outcome.done - len(outcome.refused)


def _why(letter: Letter) -> str:
    return f"{letter.message} ({letter.kind.code})"


def outcome_lines(name: str, outcome: Outcome, patience: float) -> tuple[str, list[str]]:
    """Say what became of a file, in one sentence, and where codes were refused, line by line.

    Examples
    --------
    >>> for line in outcome_lines("tills.csv", Outcome(9, 7, 1, {4: "nobody knows it (unknown_code)"}, True), 60):
    ...     print(line)
    9 redemptions told: 7 redeemed; 1 redeemed before; 1 refused (1 unknown_code)
    ['tills.csv:4: nobody knows it (unknown_code)']
    >>> print(outcome_lines("tills.csv", Outcome(9), 60)[0][:74])
    9 redemptions told, and not all are answered within 60 s: is a worker with

    """
    said = f"{many(outcome.told, 'redemption')} told"
    if not outcome.is_answered:
        late = (
            "is a worker with the ledger's stage running? They stay and are redeemed when one is; the same file again "
            "tells what came of them, and redeems nothing twice"
        )
        return f"{said}, and not all are answered within {patience:g} s: {late}", []
    parts = [f"{outcome.done:,} redeemed"]
    if outcome.before:
        parts.append(f"{outcome.before:,} redeemed before")
    if outcome.refused:
        kinds = Counter(why.rpartition("(")[2][:-1] for why in outcome.refused.values())
        told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        parts.append(f"{len(outcome.refused):,} refused ({told})")
    shown = [f"{name}:{line}: {outcome.refused[line]}" for line in sorted(outcome.refused)[:_SHOWN]]
    more = len(outcome.refused) - len(shown)
    return f"{said}: {'; '.join(parts)}", [
        *shown,
        *([f"... and {more:,} more, all of them among the dead letters"] if more else []),
    ]
