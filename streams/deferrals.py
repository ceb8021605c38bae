"""Deferrals: a decision that came to quiet hours waits in the store for the morning, and is then made anew.

There is one record for each match all the same: it is written when the last of its rules has an end. What the other
rules came to is kept until then. A rule waits once for a customer; what happens to them meanwhile does not wait, too.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from pydantic import TypeAdapter

from kairos.decisions import Absence, EventReference, Reason, Verdict
from kairos.events import Event, EventType
from kairos.instants import Millis
from kairos.wire import data_of, json_of
from rules.candidates import Candidate
from rules.deferring import asked_again
from streams.cause import Cause, Earlier
from streams.timers import Timer, set_timer
from streams.work import Work

__all__ = ["DEFERRED", "Taken", "due_again", "forget", "keep", "taken"]

DEFERRED: Final = "q"
"""The kind of a deferred decision in the customers' store."""


class Deferred(msgspec.Struct, array_like=True):
    """A decision that waits: its event, the rules that wait, and what became of the others."""

    version: int
    event: str
    type: EventType
    category: str | None
    at: Millis
    data: bytes
    reference: bytes
    absence: bytes
    since: Millis
    rules: tuple[str, ...]
    verdicts: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Deferred).decode
_VERDICTS: TypeAdapter[tuple[Verdict, ...]] = TypeAdapter(tuple[Verdict, ...])


def due_again(work: Work, cause: Cause, candidates: Sequence[Candidate]) -> Mapping[str, Millis]:
    """Give the rules that are to wait, each with the moment at which it is asked again."""
    event, waiting = cause.event, work.customer(cause.event.customer).deferred
    standing, policy = work.standing(event.customer), work.versions.policy
    found = {
        one.rule.id: asked_again(one, event, standing, policy, work.now)
        for one in candidates
        if one.rule.in_quiet_hours == "defer" and one.rule.id not in waiting
    }
    return {rule: at for rule, at in found.items() if at is not None}


def keep(work: Work, cause: Cause, decision: str, again: Mapping[str, Millis], verdicts: Sequence[Verdict]) -> None:
    """Put a decision away until the first of its rules is asked again."""
    event, earlier = cause.event, cause.earlier
    due = min(again.values())
    work.customer(event.customer).deferred |= dict.fromkeys(again, due)
    packed = Deferred(
        version=1,
        event=event.id,
        type=event.type,
        category=event.category,
        at=event.at,
        data=json_of(event.type, event.data),
        reference=cause.reference.model_dump_json().encode(),
        absence=b"" if cause.absence is None else cause.absence.model_dump_json().encode(),
        since=work.now if earlier is None else earlier.at,
        rules=tuple(again),
        verdicts=_VERDICTS.dump_json(tuple(verdicts)),
    )
    work.store.put(event.customer.encode(), DEFERRED, bytes.fromhex(decision), _encode(packed))
    set_timer(work.store, Timer(due, "defer", decision, event.customer))


class Taken(NamedTuple):
    """A decision that waited, and the rules that are to be asked again."""

    cause: Cause
    rules: tuple[str, ...]
    earlier: Earlier

    def without(self, asked: Collection[str]) -> Earlier:
        """Give what became of the rules but those that are asked now; who waited and is not asked is gone."""
        left = [verdict for verdict in self.earlier.verdicts if verdict.rule not in asked]
        ended = tuple(_lost(verdict) if verdict.rule in self.rules else verdict for verdict in left)
        return self.earlier._replace(verdicts=ended)


def taken(work: Work, timer: Timer) -> Taken | None:
    """Take out what waited for this timer; None where it was forgotten meanwhile."""
    key, name = timer.customer.encode(), bytes.fromhex(timer.decision)
    packed = work.store.get(key, DEFERRED, name)
    if packed is None:
        return None
    work.store.delete(key, DEFERRED, name)
    found, customer = _decode(packed), work.customer(timer.customer)
    for rule in found.rules:
        customer.deferred.pop(rule, None)
    data = data_of(found.type, found.data)
    cause = Cause(
        event=Event(found.event, found.type, found.at, timer.customer, found.category, data),
        reference=EventReference.model_validate_json(found.reference),
        absence=Absence.model_validate_json(found.absence) if found.absence else None,
    )
    return Taken(cause, found.rules, Earlier(timer.decision, found.since, _VERDICTS.validate_json(found.verdicts)))


def forget(work: Work, customer: str) -> None:
    """Forget what waits for a customer; the timers find nothing."""
    for name in [name for name, _ in work.store.scan(customer.encode(), DEFERRED)]:
        work.store.delete(customer.encode(), DEFERRED, name)


def _lost(verdict: Verdict) -> Verdict:
    """Say of a rule that it is gone, or no longer speaks of the customer."""
    return verdict.model_copy(update={"verdict": Reason.NO_LONGER_MATCHES})
