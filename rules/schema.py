"""Rule format 1: what a rule says, read from a file or from the published form, which is a file in one normal form.

Lengths of time are milliseconds, amounts are minor units with their currency, days are instants. What is
written back (`model_dump(mode="json")`) reads the same again in any zone and with any default currency.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, ValidationInfo, model_validator

from kairos.events import Reaction
from kairos.instants import DAY, MINUTE, Millis
from kairos.money import Currency
from kairos.offers import Channel, Identifier, Text
from rules.asked import Test, Written, spread, test_of, written
from rules.fields import EventName, where
from rules.problems import mistake
from rules.told import Case
from rules.words import Duration, FirstDay, LastDay, Share, Window, Word, Zone

__all__ = ["Count", "LastSeen", "Plain", "Published", "Rule", "RuleFile", "Scenario", "Status", "Then", "Watched"]


class Scenario(StrEnum):
    """The business purpose a rule serves."""

    ACQUISITION = "acquisition"
    ACTIVATION = "activation"
    AUM_UPLIFT = "aum_uplift"
    DEBIT_TO_CREDIT = "debit_to_credit"


class Status(StrEnum):
    """A draft is watched but never matches; a paused rule matches, and each match says that it is paused."""

    ACTIVE = "active"
    PAUSED = "paused"
    DRAFT = "draft"


def _where(value: object, info: ValidationInfo) -> dict[str, Test]:
    if info.data.get("same_as") and value:
        raise mistake("same_as: on takes the trigger's own conditions; leave where out")
    event = info.data.get("event")
    # Without a valid event there is nothing to hold the fields against; the event's own problem is told.
    return {} if event is None else where(event, value, info.context)


def _written(tests: dict[str, Test]) -> dict[str, object]:
    return {name: written(test) for name, test in tests.items()}


Where = Annotated[dict[str, Test], PlainValidator(_where), PlainSerializer(_written)]


class Trigger(Written):
    """The event that makes a rule look at a customer."""

    event: EventName
    where: Where = Field(default_factory=dict)


class Watched(Written):
    """Events that a condition looks back on: its own, or the trigger's by `same_as: on`."""

    event: EventName | None = None
    same_as: Literal["on"] | None = None
    where: Where = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.event is None) == (self.same_as is None):
            raise mistake("give either event or same_as: on")
        return self


class Count(Watched):
    """At least so many of these events in the window that ends with the trigger, which counts itself."""

    within: Window
    at_least: Annotated[int, Field(strict=True, ge=1, le=64)]


class LastSeen(Watched):
    """How long ago the newest of these events before the trigger was; one never seen was long ago."""

    at_least: Window | None = None
    within: Window | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.within is None):
            raise mistake("give either at_least (so long ago, or never) or within (not longer ago)")
        return self


class _OneOf(Written):
    """Exactly one of the keys."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        keys = [field.alias or name for name, field in type(self).model_fields.items()]
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise mistake(f"give one of {', '.join(keys)}; a second condition is a second item of the list")
        return self


class WhenClause(_OneOf):
    """One condition on the past."""

    count: Count | None = None
    last_seen: LastSeen | None = None


class When(Written):
    """The conditions on the past; all must hold."""

    all: Annotated[tuple[WhenClause, ...], Field(max_length=10)] = ()


def _not_consent(name: str) -> str:
    if name.casefold().startswith("consent"):
        raise mistake(
            f"{name!r} looks like consent, which no rule may decide: it is a gate that every offer passes, "
            "by the rule's purpose and channels"
        )
    return name


Name = Annotated[Word, AfterValidator(_not_consent)]


def _asked(value: object, info: ValidationInfo) -> Test:
    return test_of(value).model_validate(spread(value), context=info.context)


Attributes = Annotated[
    dict[Name, Annotated[Test, PlainValidator(_asked), PlainSerializer(written)]], Field(min_length=1, max_length=20)
]


class Plain(_OneOf):
    """One condition on the customer: a tag, or attributes that all fit."""

    tag: Name | None = None
    attr: Attributes | None = None


class WhoClause(Plain):
    """A condition on the customer, or the opposite of one; an attribute the bank does not know meets neither."""

    none: Plain | None = Field(None, alias="not")


class Who(Written):
    """The conditions on the customer; all must hold."""

    all: Annotated[tuple[WhoClause, ...], Field(max_length=20)] = ()


class Offered(Written):
    """What is offered: a product of the bank, a coupon from a pool, or both."""

    product: Identifier | None = None
    pool: Identifier | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.product is None and self.pool is None:
            raise mistake("give a product, a pool, or both")
        return self


def _not_for_ever(wait: Millis) -> Millis:
    if wait > 29 * DAY:
        raise mistake("a reaction is waited for 29d at most; what comes later is no answer to the offer")
    return wait


Wait = Annotated[Window, AfterValidator(_not_for_ever)]


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise mistake("each is named once")
    return values


class Then(Written):
    """What happens: the offer, its channels in the order of preference, its text, and what counts as a reaction.

    `wait` is how long a reaction is waited for before the engine learns that there was none.
    """

    offer: Offered
    channels: Annotated[tuple[Channel, ...], Field(min_length=1), AfterValidator(_each_once)]
    template: Identifier
    text: Text
    expires: Window
    objective: Identifier = "reaction"
    wait: Wait = 3 * DAY
    reactions: Annotated[tuple[Reaction, ...], Field(min_length=1), AfterValidator(_each_once)] = (
        "clicked",
        "redeemed",
        "converted",
    )


class Valid(Written):
    """From which day to which, both included; None is open."""

    from_: FirstDay | None = Field(None, alias="from")
    until: LastDay | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise mistake("until must not be before from")
        return self

    def at(self, now: Millis) -> bool:
        """Whether `now` lies inside."""
        return (self.from_ is None or now >= self.from_) and (self.until is None or now < self.until)


class Limits(Written):
    """How often: a decision for a customer silences the rule for the cooldown, in both arms alike."""

    cooldown: Duration = 0


class Experiment(Written):
    """The share of customers who receive nothing, so that the effect can be measured."""

    control: Share = 0.0
    salt: Identifier | None = None


class Rule(Written):
    """One trigger of a programme, as marketing wrote it."""

    id: Identifier
    name: Word
    scenario: Scenario
    programme: Identifier
    status: Status = Status.ACTIVE
    valid: Valid = Field(default_factory=Valid)
    purpose: Identifier = "marketing"
    on: Trigger
    who: Who = Field(default_factory=Who)
    when: When = Field(default_factory=When)
    then: Then
    limits: Limits = Field(default_factory=Limits)
    fresh: Duration = 10 * MINUTE
    experiment: Experiment = Field(default_factory=Experiment)
    tests: Annotated[tuple[Case, ...], Field(max_length=100)] = Field((), exclude=True)

    @property
    def salt(self) -> str:
        """What splits the customers into arms: rules of one programme split alike unless they say otherwise."""
        return self.experiment.salt or self.programme


class Published(Written):
    """Rules in their normal form: every default written out, every amount and day complete in itself."""

    format: Literal[1]
    rules: Annotated[tuple[Rule, ...], Field(max_length=10_000)]


class RuleFile(Published):
    """A file of rules; the zone gives days and times their meaning, the currency plain amounts."""

    zone: Zone
    currency: Currency
