"""Open decisions: what the customers' stage remembers of a decision until nothing that comes back counts any more."""

from enum import IntEnum

import msgspec

from kairos.decisions import DECIDED, Decision
from kairos.instants import Millis
from rules.recording import recorded
from streams.ours import record
from streams.topics import DECISIONS
from streams.work import DECISION, Work

__all__ = ["Held", "OpenDecision", "Wished", "find", "keep", "remove", "write_decision"]


class Held(IntEnum):
    """What the ledger holds for a decision, as far as the customers' stage told it."""

    NOTHING = 0
    RESERVED = 1
    CONFIRMED = 2
    REDEEMED = 3


class Wished(msgspec.Struct, array_like=True):
    """What is remembered of one candidate that may still win: how it would go out, and what it would teach."""

    offer: str
    rule: str
    channel: str
    pool: str
    expires: Millis
    objective: str
    wait: Millis
    reactions: tuple[str, ...]
    features: dict[str, float]
    score: float
    purpose: str = "marketing"
    treatment: str = ""


class OpenDecision(msgspec.Struct, array_like=True):
    """One decision that is not over.

    Parameters
    ----------
    version
        The layout of this record. A field is only ever added at the end.
    decided
        When it was made.
    programme
        The ledger's key.
    wishes
        The ranked candidates; once one has won, that one alone.
    draft
        The decision's record as JSON, to be completed by the ledger's answer; empty once it was written.
    held
        What the ledger holds for it, see `Held`.
    phase
        Where the label stands, `models.labels.Phase`.
    ended
        How the decision ended, empty while it has not.
    simulated
        Whether anything that came back was simulated.
    early
        What came back before the ledger's answer did, in its order: two topics keep no order between them. Behind a
        blank stands why, where one of the house's reasons was given.

    late
        Whether it ended because the ledger did not answer in time; the answer, when it comes, is only put right.
    watched, reacted
        Whether it is seen whether the customer ignores the message, and whether the customer did anything with it.
    test
        Whether the customer tests: nothing is learnt from it.
    chance
        With which chance the candidates were put into this order.

    """

    decided: Millis
    programme: str
    wishes: list[Wished]
    draft: bytes = b""
    held: int = 0
    phase: int = 0
    ended: str = ""
    simulated: bool = False
    early: list[str] = msgspec.field(default_factory=list)
    version: int = 1
    late: bool = False
    watched: bool = False
    reacted: bool = False
    test: bool = False
    chance: float = 1.0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(OpenDecision).decode


def find(work: Work, customer: str, decision: str) -> OpenDecision | None:
    """Give an open decision, or None if it is over or never was."""
    try:
        name = bytes.fromhex(decision)
    except ValueError:
        return None
    # Python reads capitals and blanks, too; what goes on from here to the ledger is the text as it came.
    if name.hex() != decision:
        return None
    packed = work.store.get(customer.encode(), DECISION, name)
    return None if packed is None else _decode(packed)


def keep(work: Work, customer: str, decision: str, opened: OpenDecision) -> None:
    """Put it back."""
    work.store.put(customer.encode(), DECISION, bytes.fromhex(decision), _encode(opened))


def remove(work: Work, customer: str, decision: str) -> None:
    """Forget it."""
    work.store.delete(customer.encode(), DECISION, bytes.fromhex(decision))


def write_decision(work: Work, decision: Decision) -> None:
    """Write a decision's one record, in as many words as the policy wants."""
    decision = recorded(decision, work.versions.policy.losers)
    work.outputs.append(record(DECISIONS, decision.customer, DECIDED, decision.id, decision, work.now))
