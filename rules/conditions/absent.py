"""Absent: none of some events in a length of time after the trigger.

It is the one condition on what comes after: the rule fires when that time is over, not at the trigger. So it never
speaks for or against a match; the match begins the wait.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, PlainSerializer, PlainValidator, ValidationInfo, create_model, model_validator

from kairos.events import Event
from kairos.instants import Millis
from rules.asked import Asked, written
from rules.conditions.past import said_events
from rules.features import Feature
from rules.fields import WHERE, EventName, texts, value_of, where
from rules.judged import Judged, Seen
from rules.problems import at_places, shown, suggest
from rules.saying import Language, denied, length
from rules.scope import Scope
from rules.selectors import Selector, Trigger
from rules.shapes import union
from rules.source import ALWAYS, NEVER, Readings
from rules.words import Window

__all__ = ["Absent", "Ending", "SameAs"]


class SameAs(Asked):
    """That a field has the value it had in the trigger: by this, one event belongs to another."""

    same_as: Literal["on"]
    """It is what the trigger has there."""

    def fits(self, value: Any) -> bool | None:
        """Whether there is a value; which one it must be is no matter of one event alone."""
        return None if value is None else True

    def of_field(self, name: str, readings: Readings, *, indexed: bool = False) -> list[str]:
        """Write that there is a value."""
        return [f"f_{name} is not None"]

    def said(self, name: str, language: Language) -> str:
        """Say it."""
        return f"{name}与之相同" if language == "zh" else f"the same {name}"


def _correlated(value: object, info: ValidationInfo) -> dict[str, Asked]:
    event: EventName | None = info.data.get("event")
    if event is None or not isinstance(value, dict):
        return {} if event is None else where(event, value, info.context)
    same = {name: test for name, test in value.items() if isinstance(test, dict) and "same_as" in test}
    known = texts(event)
    wrong = {name: "write {same_as: on}, and nothing else" for name in same if same[name] != {"same_as": "on"}}
    none = {name for name in same if name not in known}
    wrong |= {name: f"event {event} has no text {shown(name)} to be the same{suggest(name, known)}" for name in none}
    if wrong:
        raise at_places({(name,): what for name, what in wrong.items()})
    asked = {name: {"exists": True} if name in same else test for name, test in value.items()}
    plain = where(event, asked, info.context)
    return {name: SameAs(same_as="on") if name in same else test for name, test in plain.items()}


def _written(tests: dict[str, Asked]) -> dict[str, object]:
    return {name: written(test) for name, test in tests.items()}


def _with_same_as(event: EventName) -> type[BaseModel]:
    """Make the model of what is written here: a text may also be said to be the trigger's own."""
    known = WHERE[event].model_fields
    fields: dict[str, Any] = {
        name: (
            SameAs | Annotated[known[name].annotation, *known[name].metadata] | None,
            Field(None, description=known[name].description),
        )
        for name in sorted(texts(event))
    }
    return create_model(f"{event}_absent", __base__=WHERE[event], **fields)


class Ending(Trigger):
    """Events that end a wait: by what they say, or by saying what the trigger says."""

    where: Annotated[
        dict[str, Asked],
        PlainValidator(_correlated, json_schema_input_type=union(map(_with_same_as, WHERE))),
        PlainSerializer(_written),
    ] = Field(default_factory=dict)

    @property
    def same(self) -> tuple[str, ...]:
        """The fields by which an event belongs to the trigger, in the order of their names."""
        return tuple(name for name, test in self.where.items() if isinstance(test, SameAs))

    def values(self, event: Event) -> tuple[str, ...] | None:
        """Give what an event, the trigger or another, says in these fields; None where it lacks one."""
        found = [value_of(event, name, self.where[name]) for name in self.same]
        return None if None in found else tuple(map(str, found))


class Absent(Ending):
    """None of these events in the time after the trigger, `(t, t + for]`.

    `rearm` says what a further trigger does in that time: `keep` leaves the deadline as it is, `restart` moves it.
    """

    or_: Annotated[tuple[Ending, ...], Field(min_length=1, max_length=5)] | None = Field(None, alias="or")
    """Others of which none must come either; each of them ends the wait."""
    for_: Window = Field(alias="for")
    """How long none of these events must come."""
    rearm: Literal["keep", "restart"] = "keep"
    """What a further trigger does to the deadline: nothing, or move it."""

    @model_validator(mode="after")
    def _belong_alike(self) -> Self:
        by = " and ".join(self.same) or "nothing but the customer"
        what = f"what ends a wait belongs to the trigger by the same fields, here by {by}"
        told: dict[tuple[str | int, ...], str] = {
            ("or", number): what for number, one in enumerate(self.or_ or ()) if one.same != self.same
        }
        if told:
            raise at_places(told)
        return self

    @property
    def endings(self) -> tuple[Ending, ...]:
        """All that ends the wait."""
        return (self, *(self.or_ or ()))

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember nothing of the past."""
        return iter(())

    def holds(self, scope: Scope) -> str:
        """Write that it may yet hold."""
        return ALWAYS

    def fails(self, scope: Scope) -> str:
        """Write that nobody can say so at the trigger."""
        return NEVER

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Leave it to the deadline."""
        return Judged(holds=True)

    def deadline(self, armed: Millis) -> Millis:
        """Give when the time after a trigger is over."""
        return armed + self.for_

    def said(self, language: Language) -> str:
        """Say it."""
        words = "、也没有" if language == "zh" else " and no "
        event = words.join(said_events(one.event, one.where, language) for one in self.endings)
        window = length(self.for_, language)
        said = f"此后{window}内没有{event}" if language == "zh" else f"no {event} in the {window} after it"
        if self.rearm == "keep":
            return said
        return f"{said}（再次触发则重新计时）" if language == "zh" else f"{said} (a further one starts the wait again)"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
