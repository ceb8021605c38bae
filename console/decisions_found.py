"""Decisions found: the records of single decisions, looked for in their topic piece by piece and kept as bytes."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from kairos.decisions import Decision, DecisionEnded
from kairos.instants import Millis, rfc3339
from kairos.ports import Record
from streams.topic_reader import Tell, nobody, read_piecewise
from streams.topics import DECISIONS

__all__ = ["Found", "NotFound", "decision_found", "decisions_of"]

_MOST: Final = 5
_ENDED: Final = ("ce_type", b"kairos.decision_ended.v1")


class NotFound(Exception):
    """There is no such decision, or more than one; the message says what to do."""


@dataclass(slots=True)
class Found:
    """A decision's records as they lie in the topic.

    Parameters
    ----------
    made
        The decision's one record.
    ended
        Its end, if it came to one of its own.

    """

    made: Record
    ended: Record | None = None

    @property
    def decision(self) -> Decision:
        """Read the decision."""
        return Decision.model_validate_json(self.made.value or b"")

    @property
    def end(self) -> DecisionEnded | None:
        """Read its end."""
        return None if self.ended is None else DecisionEnded.model_validate_json(self.ended.value or b"")


async def decision_found(
    client: Mapping[str, object],
    beginning: str,
    customer: str | None,
    tell: Tell,
    topic: str = DECISIONS,
) -> Found:
    """Look for the one decision whose id begins so.

    Parameters
    ----------
    client
        Servers and security.
    beginning
        The id or its beginning.
    customer
        Whose decision it is: then one partition is read, and not all of them.
    tell
        Whom to tell how far it is.
    topic
        Where decisions lie.

    Raises
    ------
    NotFound
        None begins so, or several do.

    """
    wanted, found = b'{"id":"%s' % beginning.encode(), dict[bytes, Found]()
    oldest: Millis | None = None
    async with aclosing(read_piecewise(client, topic, tell=tell, only=customer)) as pieces:
        async for _, rows in pieces:
            for row in rows:
                oldest = row.at if oldest is None else min(oldest, row.at)
                if (row.value or b"").startswith(wanted):
                    _keep(found, row)
    if len(found) == 1:
        return next(iter(found.values()))
    raise NotFound(_several(beginning, list(found)) if found else _none(beginning, customer, oldest))


async def decisions_of(client: Mapping[str, object], customer: str, since: Millis, tell: Tell = nobody) -> list[Found]:
    """Give a customer's decisions that were written since, the oldest first; one partition is read."""
    found = dict[bytes, Found]()
    async with aclosing(read_piecewise(client, DECISIONS, since, tell, customer)) as pieces:
        async for _, rows in pieces:
            for row in rows:
                if row.key == customer.encode():
                    _keep(found, row)
    return list(found.values())


def _keep(found: dict[bytes, Found], row: Record) -> None:
    # An end lies behind its decision in the same partition.
    name = (row.value or b"")[len(b'{"id":"') :].partition(b'"')[0]
    if _ENDED not in row.headers:
        found[name] = Found(row)
    elif name in found:
        found[name].ended = row


def _several(beginning: str, names: list[bytes]) -> str:
    shown = ", ".join(name.decode() for name in names[:_MOST])
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{len(names)} decisions begin with {beginning}: {shown}{more}; write more of the id"


def _none(beginning: str, customer: str | None, oldest: Millis | None) -> str:
    if oldest is None:
        return "the topic of decisions is empty" + ("" if customer is None else ", where those of this customer lie")
    where = " of this customer's partition" if customer is not None else ""
    since = f"the oldest record{where} that is still kept is of {rfc3339(oldest)}"
    return f"no decision begins with {beginning}; {since}, and what was older is gone"
