"""Wording: the messages of candidates whose rules name a template; who cannot be told is refused before the ranking."""

from collections.abc import Sequence

from msgspec.structs import replace

from kairos.events import Event
from kairos.offers import Message, Text
from rules.candidates import Candidate
from rules.message import About, Said, Unsaid, message_of
from streams.work import Work

__all__ = ["told", "worded"]


def worded(work: Work, event: Event, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Give the candidates with their messages; both arms alike, so that both lose the same customers."""
    if all(c.reason is not None or c.rule.then.text is not None for c in candidates):
        return candidates
    return [c if c.reason is not None or c.rule.then.text is not None else _said(work, event, c) for c in candidates]


def told(candidate: Candidate) -> tuple[Text, Message | None]:
    """Give the text of a candidate that is open, and the message where a template makes it."""
    if isinstance(candidate.said, Said):
        return candidate.said.text, candidate.said.message
    if candidate.rule.then.text is None:
        raise ValueError(f"the rule {candidate.rule.id!r} has no text, and nobody asked its template")
    return candidate.rule.then.text, None


def _said(work: Work, event: Event, candidate: Candidate) -> Candidate:
    then, versions = candidate.rule.then, work.versions
    channel = candidate.channel or then.channels[0]
    about = About(
        event,
        work.standing(event.customer).profile,
        then.offer.product,
        work.now + then.expires,
        versions.pools.get(then.offer.pool or ""),
    )
    said = message_of(versions.templates, then, channel, about)
    if isinstance(said, Unsaid):
        return replace(candidate, channel=None, reason=said.reason, said=said)
    return replace(candidate, said=said)
