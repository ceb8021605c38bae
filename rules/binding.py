"""Bindings: where a rule takes the value of a template's parameter from, and which kinds of parameters take it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from rules.asked import Written
from rules.fields import RECORDS, EventName
from rules.problems import at_places, mistake, shown, suggest
from rules.saying import Language
from rules.saying import shown as told
from rules.shapes import Shape, exactly_one
from rules.template_values import Kind
from rules.templates import ParameterName, Path
from rules.words import Scalar, Word

__all__ = ["TAKES", "Binding", "Bound", "Source", "bindings_said", "no_fields", "source_of", "without_both"]

T = TypeVar("T")
Source = Literal["text", "number", "amount", "moment", "coupon code", "flag"]
"""What kind of value a place holds."""
TAKES: Final[Mapping[Source, frozenset[Kind]]] = {
    "text": frozenset({"text", "word", "code"}),
    "number": frozenset({"number"}),
    "amount": frozenset({"money"}),
    "moment": frozenset({"date", "time"}),
    "coupon code": frozenset({"code"}),
    "flag": frozenset(),
}
"""Which parameters take a value of which kind."""

OfCoupon = Literal["code", "merchant", "value", "until"]
OfOffer = Literal["product", "expires"]
_KEYS: Final = ("event", "attr", "coupon", "offer", "value")


class Bound(Written):
    """Where a parameter's value comes from: one place, or a value that stands in the rule."""

    event: Word | None = None
    """A field of the event, or `at`, its time."""
    attr: Word | None = None
    """An attribute of the customer."""
    coupon: OfCoupon | None = None
    """What the coupon says: its code, its merchant, what it is worth, its last day."""
    offer: OfOffer | None = None
    """The product that is offered, or the time at which the offer ends."""
    value: Scalar | None = None
    """A value; it may also be written as it is."""

    shapes: ClassVar[tuple[Shape, ...]] = (exactly_one(*_KEYS),)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(getattr(self, key) is not None for key in _KEYS) != 1:
            raise mistake(f"say one place that the value comes from: {', '.join(_KEYS)}")
        return self


def _spread(said: object) -> object:
    return said if isinstance(said, dict | Bound) else {"value": said}


Binding = Annotated[
    dict[ParameterName, Annotated[Bound, BeforeValidator(_spread, json_schema_input_type=Scalar | Bound)]],
    Field(max_length=20),
]
"""The values of a template's parameters, by the parameters' names."""


def without_both(model: T, binding: Binding | None, text: object) -> T:
    """Refuse a text of the rule's own beside values for a template's."""
    if binding is not None and text is not None:
        raise at_places({("with",): "a text of the rule's own takes no values; leave text or with out"})
    return model


def no_fields(event: EventName, above: Path, binding: Binding | None) -> dict[Path, str]:
    """Say of which fields an event has none, and where that stands."""
    known = [*RECORDS[event].model_fields, "at"]
    return {
        (*above, "with", name, "event"): f"event {event} has no field {shown(bound.event)}{suggest(bound.event, known)}"
        for name, bound in (binding or {}).items()
        if bound.event is not None and bound.event not in known
    }


def source_of(event: EventName, bound: Bound) -> Source | None:
    """Give the kind of value that a place holds; None where only the value itself can tell."""
    if bound.coupon is not None:
        kinds: Mapping[OfCoupon, Source] = {
            "code": "coupon code",
            "value": "amount",
            "until": "moment",
            "merchant": "text",
        }
        return kinds[bound.coupon]
    if bound.offer is not None:
        return "moment" if bound.offer == "expires" else "text"
    if bound.event == "at":
        return "moment"
    if bound.event == "amount":
        return "amount"
    if bound.event is not None:
        numbers = {"seconds", "lat", "lon"}
        return "number" if bound.event in numbers else "text"
    return None


def bindings_said(binding: Mapping[str, Bound], language: Language) -> str:
    """Say where the values come from.

    Examples
    --------
    >>> bindings_said({"code": Bound(coupon="code"), "shop": Bound(value="cafe")}, "en")
    "code from the coupon's code, shop is cafe"

    """
    zh = language == "zh"
    return ("，" if zh else ", ").join(_said(name, bound, zh=zh) for name, bound in binding.items())


def _said(name: str, bound: Bound, *, zh: bool) -> str:
    if bound.value is not None:
        return f"{name}为{told(bound.value)}" if zh else f"{name} is {told(bound.value)}"
    if bound.attr is not None:
        return f"{name}取客户属性{told(bound.attr)}" if zh else f"{name} from the attribute {told(bound.attr)}"
    if bound.event is not None:
        return f"{name}取事件的{bound.event}" if zh else f"{name} from the event's {bound.event}"
    owner, what = ("coupon", bound.coupon) if bound.coupon is not None else ("offer", bound.offer)
    owner_zh = "券" if owner == "coupon" else "权益"
    return f"{name}取{owner_zh}的{what}" if zh else f"{name} from the {owner}'s {what}"
