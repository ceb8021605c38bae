"""Causes: what a decision is about."""

from typing import NamedTuple

from kairos.decisions import Absence, EventReference, Verdict
from kairos.events import Event
from kairos.instants import Millis, moment
from kairos.ports import Record

__all__ = ["Cause", "Earlier"]


class Earlier(NamedTuple):
    """A decision that waited: its id, since when, and what became of the rules that are not asked again."""

    decision: str
    at: Millis
    verdicts: tuple[Verdict, ...]


class Cause(NamedTuple):
    """What a decision is about: an event, or that nothing followed one.

    `event` is what rules, gates and models are asked about; `reference` names the record in Kafka that is behind it.
    `earlier` is told where the decision came to quiet hours before, and is made again.
    """

    event: Event
    reference: EventReference
    absence: Absence | None = None
    earlier: "Earlier | None" = None

    @classmethod
    def of(cls, event: Event, source: Record) -> "Cause":
        """Make it of an event that happened."""
        reference = EventReference(
            id=event.id,
            type=event.type,
            at=moment(event.at),
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
        )
        return cls(event, reference)
