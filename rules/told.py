"""The tests inside a rule, as they are told: a customer, what happens to them, and when the rule must fire."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainValidator, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails

from kairos.events import Event
from kairos.instants import Millis
from kairos.offers import Identifier
from rules.asked import Written
from rules.fields import CATEGORY, RECORDS, EventName
from rules.problems import mistake, suggest
from rules.words import Amount, Instant, Probability, Scalar, Word

__all__ = ["Case", "Told"]

_amount: TypeAdapter[Amount] = TypeAdapter(Amount)
_UNTOLD: dict[EventName, dict[str, object]] = {
    "app_usage": {"app": "an app"},
    "transaction": {"amount": 0, "direction": "debit"},
    "page_view": {"page": "a page"},
}
"""What an event of a test has when the test does not say it."""


class _Happened(BaseModel):
    event: EventName
    at: Instant


def _event(value: object, info: ValidationInfo) -> Event:
    if not isinstance(value, dict):
        raise mistake("expected an event such as {at: 2026-12-01 12:05, event: login}")
    happened = _Happened.model_validate(value, context=info.context)
    known = RECORDS[happened.event].model_fields
    said = {name: item for name, item in value.items() if name not in ("event", "at")}
    unknown = {name: _no_field(happened.event, name, known) for name in said if name not in known}
    if unknown:
        raise _mistakes(unknown)
    fields = _UNTOLD.get(happened.event, {}) | said | _money(said, info)
    data = RECORDS[happened.event].model_validate(fields)
    category = getattr(data, CATEGORY[happened.event]) if happened.event in CATEGORY else None
    return Event("", happened.event, happened.at, "", category, data)


def _money(said: dict[str, Any], info: ValidationInfo) -> dict[str, object]:
    if "amount" not in said:
        return {}
    context = info.context or {}
    try:
        amount = _amount.validate_python(said["amount"], context=context | _only_text(said, "currency"))
    except ValidationError as error:
        raise _mistakes({"amount": error.errors()[0]["msg"]}) from None
    return {"amount": amount.minor, "currency": amount.currency}


def _only_text(said: dict[str, Any], name: str) -> dict[str, str]:
    return {name: said[name]} if isinstance(said.get(name), str) else {}


def _no_field(event: EventName, name: str, known: Iterable[str]) -> str:
    return f"event {event} has no field {name!r}{suggest(name, known)}"


def _mistakes(told: Mapping[str, str]) -> ValidationError:
    """Put finished sentences at the places of the fields they speak of."""
    errors = [InitErrorDetails(type=mistake(what), loc=(name,), input=None) for name, what in told.items()]
    return ValidationError.from_exception_data("event", errors)


class Told(Written):
    """The customer of a test."""

    attrs: dict[Word, Scalar] = Field(default_factory=dict)
    tags: frozenset[Word] = frozenset()
    scores: dict[Identifier, Probability] = Field(default_factory=dict)


class Case(Written):
    """One test: what happens, and the instants at which the rule fires; the cooldown counts, consent is given."""

    name: Word
    customer: Told = Field(default_factory=Told)
    events: Annotated[tuple[Annotated[Event, PlainValidator(_event)], ...], Field(max_length=1000)]
    fires: tuple[Instant, ...]

    @property
    def story(self) -> list[tuple[Millis, Event]]:
        """The events in the order they happened."""
        return sorted(((event.at, event) for event in self.events), key=lambda told: told[0])
