"""Rule format 1: what a rule says, read from a file or from the published form, which is a file in one normal form.

Lengths of time are milliseconds, amounts are minor units with their currency, days are instants. What is
written back (`model_dump(mode="json")`) reads the same again in any zone and with any default currency.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from kairos.events import Reaction
from kairos.instants import DAY, MINUTE, Millis
from kairos.money import Currency
from kairos.offers import Identifier, Text
from rules.asked import Written
from rules.binding import Binding, no_fields, without_both
from rules.bounds import Limits, Valid
from rules.clause_names import Clause, named_clauses
from rules.conditions.absent import Absent
from rules.conditions.aggregate import Aggregate
from rules.conditions.distinct import Distinct
from rules.conditions.sequence import Sequence
from rules.conditions.when import When
from rules.experiments import Experiment
from rules.fields import texts
from rules.gated import FOR_EVER, Gated, place_of
from rules.offered import SOME, Channels, Offered, each_once
from rules.persons import Who, in_order
from rules.priorities import Priority
from rules.problems import at_places, mistake, suggest
from rules.scope import Scope
from rules.selectors import Trigger, by_themselves
from rules.shapes import Shape, exactly_one
from rules.source import Readings
from rules.told import Case
from rules.words import Duration, Flag, Format, Window, Word, Zone

__all__ = ["MOST_RULES", "Published", "Rule", "RuleFile", "Scenario", "Status", "Then"]


MOST_RULES = 10_000
"""The largest book."""


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


def _not_for_ever(wait: Millis) -> Millis:
    if wait > 29 * DAY:
        raise mistake("a reaction is waited for 29d at most; what comes later is no answer to the offer")
    return wait


Wait = Annotated[Window, AfterValidator(_not_for_ever)]


class Then(Written):
    """What happens: the offer, its channels in the order of preference, its text, and what counts as a reaction.

    `wait` is how long a reaction is waited for before the engine learns that there was none.
    """

    offer: Offered
    channels: Channels
    """Where it may go; the first one that may be used is used."""
    template: Identifier
    """The text's name: of one of the templates, or where the rule has its own text, in the gateway."""
    text: Text | None = None
    """The rule's own text; without one the template says it."""
    with_: Binding | None = Field(None, alias="with")
    """Where the values of the template's parameters come from."""
    expires: Window
    """How long the offer may be delivered."""
    objective: Identifier = "reaction"
    """The model that learns from the reactions."""
    wait: Wait = 3 * DAY
    """How long a reaction is waited for before the engine learns that there was none."""
    reactions: Annotated[tuple[Reaction, ...], SOME, AfterValidator(each_once)] = (
        "clicked",
        "redeemed",
        "converted",
    )
    """What counts as a reaction."""

    shapes: ClassVar[tuple[Shape, ...]] = (exactly_one("text", "with"),)

    @model_validator(mode="after")
    def _says_one_text(self) -> Self:
        if self.text is None and self.with_ is None:
            raise mistake("say text:, or with: and where a template's values come from")
        return without_both(self, self.with_, self.text)


class Rule(Written):
    """One trigger of a programme, as marketing wrote it."""

    id: Identifier
    """The rule's name for ever: reports and cooldowns know it by this."""
    name: Word
    """What people call the rule."""
    scenario: Scenario
    programme: Identifier
    """Who pays: a pool must belong to it."""
    status: Status = Status.ACTIVE
    valid: Valid = Field(default_factory=Valid)
    purpose: Identifier = "marketing"
    """The consent that is asked for."""
    on: Trigger
    """The event that makes the rule look at a customer."""
    who: Who = Field(default_factory=lambda: Who(all=()))
    """Which customers; all of them unless it is said."""
    when: When = Field(default_factory=lambda: When(all=()))
    """What must have happened before, or must not happen after."""
    warm: Literal["wait", "accept", "replay"] = "wait"
    """Whether what is not remembered long enough is waited for, taken as never, or filled from the events kept."""
    consume: Flag = False
    """Whether events before the rule's last firing no longer count for it."""
    then: Then
    """What is offered."""
    limits: Limits = Field(default_factory=Limits)
    fresh: Duration = 10 * MINUTE
    """How late an event may come and still lead to an offer."""
    in_quiet_hours: Literal["drop", "defer"] = "drop"
    """Whether what comes to quiet hours or a closed day is dropped, or waits for their end while the event is fresh."""
    experiment: Experiment = Field(default_factory=Experiment)
    priority: Priority | None = None
    """What it counts for where several offers compete; its chance of a reaction alone unless it is said."""
    tests: Annotated[tuple[Case, ...], Field(max_length=100)] = Field((), exclude=True)
    """What must happen to some customers; `kairos rules test` plays them."""

    @field_validator("tests")
    @classmethod
    def _ask_why_of_what_happens(cls, tests: tuple[Case, ...], info: ValidationInfo) -> tuple[Case, ...]:
        when: When | None = info.data.get("when")
        if when is None:
            return tests
        wait = next((absent.for_ for _, absent in when.absents()), 0)
        what = "no event of this test happens at this time" + (", and no wait would be over" if wait else "")
        told: dict[tuple[str | int, ...], str] = {
            (number, "why_not"): what for number, case in enumerate(tests) if case.unasked(wait)
        }
        if told:
            raise at_places(told)
        return tests

    @cached_property
    def treated(self) -> Mapping[str, "Rule"]:
        """The rule as each treatment of its experiment has it, by the treatment's name."""
        forms = {one.name: one.form for one in self.experiment.treatments or ()}
        return {n: self.model_copy(update={"then": self.then.model_copy(update=form)}) for n, form in forms.items()}

    # Each decision asks.
    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses whose values a decision tells, by the names by which it does."""
        return tuple(named_clauses(self.on, self.who, self.when))

    @cached_property
    def gated(self) -> Gated:
        """What gates, draws and ranks ask of it."""
        return Gated(
            id=self.id,
            programme=self.programme,
            purpose=self.purpose,
            product=self.then.offer.product or "",
            channels=self.then.channels,
            begin=-FOR_EVER if self.valid.from_ is None else self.valid.from_,
            end=FOR_EVER if self.valid.until is None else self.valid.until,
            is_active=self.status is Status.ACTIVE,
            fresh=self.fresh,
            cooldown=self.limits.cooldown,
            group=self.limits.group,
            per_customer=self.limits.per_customer,
            level=place_of(self.priority),
            control=self.experiment.control,
            salt=self.salt,
            treatments=self.experiment.treatments,
        )

    @property
    def salt(self) -> str:
        """What splits the customers into arms: rules of one programme split alike unless they say otherwise."""
        return self.experiment.salt or self.programme

    def scope(self, readings: Readings | None = None) -> Scope:
        """Give what the conditions need to know of the rule."""
        return self._scope if readings is None else replace(self._scope, readings=readings)

    @cached_property
    def _scope(self) -> Scope:
        return Scope(self.on.selector, self.warm == "accept", self.id if self.consume else None)

    @model_validator(mode="after")
    def _fits_the_trigger(self) -> Self:
        told = no_fields(self.on.event, ("then",), self.then.with_)
        for number, one in enumerate(self.experiment.treatments or ()):
            told |= no_fields(self.on.event, ("experiment", "treatments", number), one.with_)
        for place, leaf in self.when.placed():
            if isinstance(leaf, Aggregate | Distinct) and leaf.same_as and (what := leaf.unfit(self.on.event)):
                told["when", *place, "field"] = what
            if isinstance(leaf, Sequence) and (what := leaf.unfit(self.on.event)):
                told["when", *place, "same"] = what
            if isinstance(leaf, Aggregate) and self.consume:
                what = "what was summed up cannot be taken apart again: a rule with consume has no sum, avg, min or max"
                told["when", *place] = what
        if told:
            raise at_places(told)
        return self

    @property
    def absent(self) -> Absent | None:
        """What must not follow the trigger, if the rule waits for that."""
        # It stands at the top, as was checked; asked at every match, the whole of `when` would be walked for nothing.
        parts = (self.when,) if self.when.all is None else self.when.all
        return next((part.absent for part in parts if part.absent is not None), None)

    @model_validator(mode="after")
    def _waits_for_one_thing(self) -> Self:
        told: dict[tuple[str | int, ...], str] = {}
        for number, (place, absent) in enumerate(self.when.absents(("when",))):
            if place not in {("when", "absent"), ("when", "all", place[-2], "absent")}:
                told[place] = "absent stands at the top of when, in its all; what comes later is no part of any or not"
            elif number:
                told[place] = "a rule waits for one absence; a second one is a second rule"
            known = texts(self.on.event)
            for name in {*absent.same} - known:
                what = f"event {self.on.event} has no text {name!r} to be the same{suggest(name, known)}"
                told[*place, "where", name] = what
        if told:
            raise at_places(told)
        return self

    @model_validator(mode="after")
    def _scores_are_asked_last(self) -> Self:
        outside = enumerate(self.who.all) if self.who.all is not None else ((-1, self.who),)
        what = "a score is asked after all gates; it cannot stand inside any or not"
        told = {
            ("who", *(() if place < 0 else ("all", place))): what
            for place, part in outside
            if part.score is None and part.scores()
        }
        if told:
            raise at_places(told)
        return self


class Published(Written):
    """Rules in their normal form: every default written out, every amount and day complete in itself."""

    format: Format
    """The format of this file: 1."""
    rules: Annotated[tuple[Rule, ...], Field(max_length=MOST_RULES)]
    """The rules, each with an id of its own."""


class RuleFile(Published):
    """A file of rules; the zone gives days and times their meaning, the currency plain amounts.

    What several rules speak of is written once: events under `selectors`, customers under `segments`.
    """

    zone: Zone
    """In which time zone days and times of this file are meant."""
    currency: Currency
    """The currency of amounts that name none."""
    selectors: Annotated[dict[Identifier, Trigger], Field(max_length=200), BeforeValidator(by_themselves)] = Field(
        default_factory=dict
    )
    """Events that several rules speak of, by their names."""
    segments: Annotated[dict[Identifier, Who], Field(max_length=200), BeforeValidator(in_order)] = Field(
        default_factory=dict
    )
    """Customers that several rules speak of, by their names; one may name those above it."""
