"""Explaining: a decision's own record, as people read it."""

from collections.abc import Mapping

from pydantic import ValidationError

from kairos.decisions import Absence, Decision, DecisionEnded, Verdict
from streams.topic_reader import read_topic
from streams.topics import DECISIONS

__all__ = ["explained", "lines_of", "masked"]


async def explained(client: Mapping[str, object], beginning: str) -> list[str]:
    """Give the lines that explain the decision whose id begins so; none if there is none."""
    decision: Decision | None = None
    ended: DecisionEnded | None = None
    wanted = f'"id":"{beginning}'.encode()
    for rows in (await read_topic(client, DECISIONS)).values():
        for row in rows:
            value = row.value or b""
            if not value.startswith(b"{" + wanted):
                continue
            try:
                decision = Decision.model_validate_json(value)
            except ValidationError:
                ended = DecisionEnded.model_validate_json(value)
    return [] if decision is None else lines_of(decision, ended)


def lines_of(decision: Decision, ended: DecisionEnded | None) -> list[str]:
    """Write a decision for people: customer masked, every candidate with its reason, the versions that decided."""
    event = decision.event
    lines = [
        f"decision  {decision.id}",
        f"customer  {masked(decision.customer)}",
        f"event     {event.type} at {event.at.isoformat()} ({event.topic}/{event.partition}@{event.offset})",
        *_absence(decision.absence),
        *(
            []
            if decision.deferred_at is None
            else [f"waited    since {decision.deferred_at.isoformat()} for quiet hours"]
        ),
        *(["test      the customer tests; left out of statistics"] if decision.test else []),
        f"decided   {decision.decided_at.isoformat()}: {decision.state}"
        + (f" ({decision.reason})" if decision.reason else ""),
        f"ended     {ended.state} at {ended.ended_at.isoformat()}"
        if ended
        else "ended     not yet, or with the decision",
        "candidates",
    ]
    lines += [_candidate(verdict) for verdict in decision.verdicts]
    lines += ["facts", *(f"  {name} = {value}" for name, value in decision.facts.items())]
    return [*lines, "versions", *(f"  {kind} {name}" for kind, name in sorted(decision.versions.items()))]


def _absence(absence: Absence | None) -> list[str]:
    if absence is None:
        return []
    return [f"absence   nothing followed until {absence.deadline.isoformat()} (rules {absence.rules})"]


def masked(customer: str) -> str:
    """Hide a customer's key but its beginning.

    Examples
    --------
    >>> masked("C00012345")
    'C0***'

    """
    return f"{customer[:2]}***"


def _candidate(verdict: Verdict) -> str:
    control = f" ({verdict.control})" if verdict.control not in (None, "rule") else ""
    form = f", form {verdict.treatment}" if verdict.treatment else ""
    said = [f"  {verdict.rule} ({verdict.programme}, {verdict.arm}{control}{form}): {verdict.verdict}"]
    if verdict.channel:
        said.append(f"by {verdict.channel}")
    if verdict.pool:
        said.append(f"from {verdict.pool}")
    if verdict.score is not None:
        said.append(f"chance of a reaction {verdict.score:.1%}")
    if verdict.passed is not None:
        said.append(f"passed {', '.join(verdict.passed.gates)} because: {verdict.passed.because}")
    return ", ".join(said)
