"""What a rule can ask of an event: the fields of the records in `kairos.events`, its moment and its place."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, cast, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, create_model

from kairos.events import AppUsage, Event, Login, PageView, Transaction
from kairos.money import Money
from rules.asked import Amounts, Asked, Numbers, Words, Written, spread
from rules.moments import Clock
from rules.places import Near
from rules.problems import mistake, shown, suggest
from rules.shapes import some
from rules.words import Amount, Number, Word

__all__ = [
    "CATEGORY",
    "RECORDS",
    "WHERE",
    "EventName",
    "numbers",
    "one_of",
    "options",
    "texts",
    "value_of",
    "variables",
    "where",
]

EventName = Literal["app_usage", "transaction", "page_view", "login"]
RECORDS: Final[Mapping[EventName, type[AppUsage | Transaction | PageView | Login]]] = MappingProxyType(
    {"app_usage": AppUsage, "transaction": Transaction, "page_view": PageView, "login": Login}
)
CATEGORY: Final[Mapping[str, str]] = MappingProxyType(
    {"app_usage": "app_class", "transaction": "merchant_category", "page_view": "page"}
)
"""The field that the event carries as its `category`: what rules are indexed by."""


_PLACE = {"lat", "lon"}


def where(event: EventName, value: object, context: object) -> dict[str, Asked]:
    """Read the conditions on an event's fields, by the fields' names in alphabetical order.

    Raises
    ------
    ValidationError
        Unknown fields and values that do not fit; pydantic puts the places together.

    """
    asked = WHERE[event].model_validate(value, context=context)
    return {name: getattr(asked, name) for name in sorted(asked.model_fields_set)}


def _one_of(options: tuple[str, ...]) -> Callable[[Words], Words]:
    def check(test: Words) -> Words:
        for word in (*(test.any_of or ()), *(test.none_of or ())):
            if word not in options:
                raise mistake(f"{shown(word)} is not known here{suggest(word, options)}")
        return test

    return check


# Any: the type of a test is made here from the type of the field, which no type checker can follow.
def _test(name: str, annotation: object) -> Any:
    if name == "amount":
        return Annotated[Amounts, BeforeValidator(spread, json_schema_input_type=some(Amount) | Amounts)]
    parts = _parts(annotation)
    if int in parts:
        return Annotated[Numbers, BeforeValidator(spread, json_schema_input_type=some(Number) | Numbers)]
    known = tuple(part for part in parts if isinstance(part, str))
    said: Any = Literal[known] if known else Word
    plain = BeforeValidator(spread, json_schema_input_type=some(said) | Words)
    return Annotated[Words, plain, AfterValidator(_one_of(known) if known else _as_it_is)]


def _as_it_is(test: Words) -> Words:
    return test


def _parts(annotation: object) -> tuple[object, ...]:
    """Take a type apart: Optional and Annotated into their types, a Literal into its values."""
    if get_origin(annotation) is None:
        return (annotation,)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(found for part in get_args(annotation) if part is not type(None) for found in _parts(part))


def _model(event: EventName) -> type[Written]:
    known = RECORDS[event].model_fields
    fields: dict[str, Any] = {
        name: (_test(name, field.annotation), Field(None, description=f"What is asked of the event's {name}."))
        for name, field in known.items()
        if name not in _PLACE
    }
    fields["at"] = (Clock, Field(None, description="When it happened."))
    if known.keys() >= _PLACE:
        fields["near"] = (Near, Field(None, description="Where it happened."))
    return create_model(f"{event}_where", __base__=Written, **fields)


WHERE: Final[Mapping[EventName, type[Written]]] = MappingProxyType({event: _model(event) for event in RECORDS})
"""One model for the conditions on each event's fields."""


def texts(event: EventName) -> frozenset[str]:
    """Give the fields of an event that hold a text.

    Examples
    --------
    >>> sorted(texts("page_view"))
    ['coupon', 'page']

    """
    known = {name: _parts(field.annotation) for name, field in RECORDS[event].model_fields.items() if name != "amount"}
    return frozenset(name for name, parts in known.items() if not {int, float} & {*parts})


def options(event: EventName, name: str) -> tuple[str, ...]:
    """Give the values that a field can have, where there are only some.

    Examples
    --------
    >>> options("transaction", "card"), options("transaction", "merchant")
    (('debit', 'credit'), ())

    """
    return tuple(part for part in _parts(RECORDS[event].model_fields[name].annotation) if isinstance(part, str))


def numbers(event: EventName) -> frozenset[str]:
    """Give the fields of an event that hold a whole number: what can be added up.

    Examples
    --------
    >>> sorted(numbers("app_usage")), sorted(numbers("transaction"))
    (['seconds'], ['amount'])

    """
    fields = RECORDS[event].model_fields
    return frozenset(name for name, field in fields.items() if int in _parts(field.annotation))


def one_of(known: Callable[[EventName], frozenset[str]]) -> WithJsonSchema:
    """Give the shape of the name of a field that some kind of event has."""
    return WithJsonSchema({"enum": sorted({name for event in RECORDS for name in known(event)})})


def value_of(event: Event, name: str, test: Asked) -> object:
    """Give what a test on a field compares."""
    if isinstance(test, Clock):
        return event.at
    if isinstance(test, Near):
        return getattr(event.data, "lat", None), getattr(event.data, "lon", None)
    if isinstance(test, Amounts) and event.type == "transaction":
        data = cast(Transaction, event.data)
        return Money(data.amount, data.currency)
    return event.category if name == CATEGORY.get(event.type) else getattr(event.data, name)


def variables(event: EventName, name: str, test: Asked) -> dict[str, str]:
    """Give the variables that the source of a test reads, and where each comes from."""
    if isinstance(test, Clock):
        return {f"f_{name}": "event.at"}
    if isinstance(test, Near):
        return {"f_lat": "event.data.lat", "f_lon": "event.data.lon"}
    found = {f"f_{name}": "event.category" if name == CATEGORY.get(event) else f"event.data.{name}"}
    return found | ({"f_currency": "event.data.currency"} if isinstance(test, Amounts) else {})
