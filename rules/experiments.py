"""Experiments: who receives nothing, so that the effect can be measured, and who receives the offer in another form."""

from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator

from kairos.offers import Identifier, Text
from rules.asked import Written
from rules.binding import Binding, without_both
from rules.offered import Channels, Offered
from rules.problems import at_places, mistake
from rules.shapes import Shape, at_least_one
from rules.words import Share

__all__ = ["Control", "Experiment", "Treatment"]

_TAKEN: Final = frozenset({"control", "treatment"})
_FORM: Final = ("offer", "channels", "template", "text", "with_")


def _not_taken(name: str) -> str:
    if name in _TAKEN:
        raise mistake(f"{name!r} is what the house calls everybody's arm; give the treatment a name of its own")
    return name


class Treatment(Written):
    """Another form of the offer, for a share of the customers; what it does not say is as the rule's `then` has it."""

    name: Annotated[Identifier, AfterValidator(_not_taken)]
    """What decisions, examples and reports call it."""
    share: Share
    """The share of the customers that it is drawn for; what no treatment is drawn for gets `then` as it stands."""
    offer: Offered | None = None
    """What is offered instead."""
    channels: Channels | None = None
    """Where it may go instead."""
    template: Identifier | None = None
    """The text's name in the gateway instead."""
    text: Text | None = None
    """The text instead."""
    with_: Binding | None = Field(None, alias="with")
    """Where the values of the template's parameters come from instead."""

    shapes: ClassVar[tuple[Shape, ...]] = (
        at_least_one(*(name.rstrip("_") for name in _FORM)),
        {"dependencies": {"text": {"not": {"required": ["with"]}}}},
    )

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not self.form:
            raise mistake("a treatment says what is different: offer, channels, template, text or with")
        return without_both(self, self.with_, self.text)

    @property
    def form(self) -> dict[str, object]:
        """What it says otherwise, by the fields of `then`; a text drops the values of a template, and they a text."""
        form = {name: said for name in _FORM if (said := getattr(self, name)) is not None}
        return form | {name: None for name, other in (("with_", "text"), ("text", "with_")) if other in form}


class Experiment(Written):
    """The share of customers who receive nothing, so that the effect can be measured, and other forms of the offer."""

    control: Share = 0.0
    """The share of customers who receive nothing; at most 90%."""
    salt: Identifier | None = None
    """What splits the customers; rules of one programme split alike unless they say otherwise."""
    treatments: Annotated[tuple[Treatment, ...], Field(min_length=1, max_length=10)] | None = None
    """Other forms of the offer; what is added at the end takes customers of no other one."""

    @model_validator(mode="after")
    def _treatments_fit(self) -> Self:
        told: dict[tuple[str | int, ...], str] = {}
        taken, total = set[str](), 0.0
        for number, treatment in enumerate(self.treatments or ()):
            if treatment.name in taken:
                told["treatments", number, "name"] = f"the treatment {treatment.name!r} is already there"
            taken.add(treatment.name)
            total += treatment.share
            # Shares such as three times 33.3% are not exact in binary; nobody means a billionth of the customers.
            if total > 1 + 1e-9:
                told["treatments", number, "share"] = "the treatments together have more than 100% of the customers"
        if told:
            raise at_places(told)
        return self


class Control(Written):
    """Who is left alone whatever rules say: by every programme, or by one."""

    everywhere: Share = 0.0
    """The share of customers who receive nothing from any programme."""
    salt: Identifier = "everywhere"
    """What draws them, apart from every experiment; another word draws anew."""
    programmes: Annotated[dict[Identifier, Share], Field(max_length=1_000)] = Field(default_factory=dict)
    """The share of customers who receive nothing from a programme: the control group of each of its rules."""
