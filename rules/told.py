"""The tests inside a rule, as they are told: a customer, what happens to them, and when the rule must fire."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo

from kairos.decisions import Reason
from kairos.events import Event
from kairos.instants import Millis
from kairos.offers import Identifier
from rules.asked import Written
from rules.conditions.when import When
from rules.fields import CATEGORY, RECORDS, EventName
from rules.problems import at_places, mistake, shown, suggest
from rules.shapes import union
from rules.words import Amount, Instant, Probability, Scalar, Word

__all__ = ["Case", "Told"]

_amount: TypeAdapter[Amount] = TypeAdapter(Amount)
_UNTOLD: dict[EventName, dict[str, object]] = {
    "app_usage": {"app": "an app"},
    "transaction": {"amount": 0, "direction": "debit"},
    "page_view": {"page": "a page"},
}
"""What an event of a test has when the test does not say it."""
_REASONS: Final = frozenset(
    {
        "event",
        "where",
        "tag",
        "attr",
        Reason.NOT_VALID,
        Reason.STALE,
        Reason.COOLDOWN,
        Reason.CUSTOMER_LIMIT,
        Reason.SCORE_TOO_LOW,
    }
) | (When.model_fields.keys() - {"all", "any", "none"})
"""What can silence a rule in a test: clauses by their kind, and the gates that are not open in every test."""


def _reason(said: str) -> str:
    kind = said.partition(":")[0]
    if kind not in _REASONS:
        raise mistake(f"{shown(kind)} is nothing that silences a rule in a test{suggest(kind, map(str, _REASONS))}")
    return said


Why = Annotated[
    Word,
    AfterValidator(_reason),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({'|'.join(sorted(_REASONS))})(:|$)",
            "description": "What is the first in the way: a clause by its kind, or a gate.",
            "examples": ["count", "attr:age", "cooldown"],
        }
    ),
]
"""A clause by its kind, such as `count` or `attr:age`, or a gate by its reason, such as `cooldown`."""


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
        raise at_places({(name,): what for name, what in unknown.items()})
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
        raise at_places({("amount",): error.errors()[0]["msg"]}) from None
    return {"amount": amount.minor, "currency": amount.currency}


def _only_text(said: dict[str, Any], name: str) -> dict[str, str]:
    return {name: said[name]} if isinstance(said.get(name), str) else {}


def _no_field(event: EventName, name: str, known: Iterable[str]) -> str:
    return f"event {event} has no field {shown(name)}{suggest(name, known)}"


# Any: the type is put together from what pydantic knows of a field.
def _plain(field: FieldInfo) -> Any:
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _told(event: EventName) -> type[BaseModel]:
    """Make the model of what is written of an event: what it must have, a test need not say."""
    fields: dict[str, Any] = {
        name: (Amount if name == "amount" else _plain(field), Field(None, description=f"The event's {name}."))
        for name, field in RECORDS[event].model_fields.items()
    }
    fields |= {"event": (Literal[event], Field(description="The kind of event.")), "at": Instant}
    return create_model(f"{event}_told", __base__=Written, **fields)


_Event = Annotated[Event, PlainValidator(_event, json_schema_input_type=union(map(_told, RECORDS)))]


class Told(Written):
    """The customer of a test."""

    attrs: dict[Word, Scalar] = Field(default_factory=dict)
    """What the bank knows of the customer."""
    tags: frozenset[Word] = frozenset()
    """The customer's tags."""
    scores: dict[Identifier, Probability] = Field(default_factory=dict)
    """What each model says of the customer."""


class Case(Written):
    """One test: what happens, and the instants at which the rule fires; the cooldown counts, consent is given.

    `why_not` says of events that do not make the rule fire which clause or gate must be the first in the way; of a rule
    that waits also at the time when a wait would be over, where `absent` says that what was waited for came.
    """

    name: Word
    """What the test shows."""
    customer: Told = Field(default_factory=Told)
    """Whom it happens to."""
    events: Annotated[tuple[_Event, ...], Field(max_length=1000)]
    """What happens; what an event must have, a test need not say."""
    fires: tuple[Instant, ...]
    """When the rule fires; never is []."""
    why_not: Annotated[dict[Instant, Why], Field(max_length=1000)] = Field(default_factory=dict)
    """By the times of events, or of the ends of waits, that do not make the rule fire: what is the first in the way."""

    @model_validator(mode="after")
    def _asks_why_of_silent_events(self) -> Self:
        if any(at in self.fires for at in self.why_not):
            raise at_places({("why_not",): "the rule fires at this time, so nothing is in the way"})
        return self

    def unasked(self, wait: Millis) -> bool:
        """Whether `why_not` speaks of a time at which nothing happens, nor a wait of this length would be over."""
        happened = {event.at for event in self.events}
        return any(at not in happened and at - wait not in happened for at in self.why_not)

    @property
    def story(self) -> list[tuple[Millis, Event]]:
        """The events in the order they happened."""
        return sorted(((event.at, event) for event in self.events), key=lambda told: told[0])
