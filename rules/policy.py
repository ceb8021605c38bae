"""The contact policy: when customers may be contacted and how often, whatever rules say."""

from collections.abc import Collection, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from kairos.decisions import Reason
from kairos.instants import DAY, Millis
from kairos.offers import Channel, Identifier
from rules.asked import Written
from rules.canonical import Document
from rules.check import checked
from rules.experiments import Control
from rules.moments import Hours, day_of, midnight
from rules.problems import Problem, at_places, by_place, mistake, suggest
from rules.shapes import OneOrMore, Shape, listed
from rules.words import FirstDay, Format, LastDay, Part, Window, Word, Zone

__all__ = ["GATES", "Cap", "Caps", "Class", "Closure", "Gate", "Ignored", "Policy", "Purpose", "Testers", "load_policy"]


class Cap(Written):
    """At most so many contacts in any window of this length, to the second."""

    within: Window
    """How far the window reaches back; it moves with the clock, so a day is no calendar day."""
    at_most: Annotated[int, Field(strict=True, ge=0, le=64)]
    """How many contacts; 0 closes."""


T = TypeVar("T")
Some = Annotated[tuple[T, ...], BeforeValidator(listed), Field(min_length=1, max_length=100), OneOrMore()]
Caps = Annotated[tuple[Cap, ...], BeforeValidator(listed), Field(min_length=1, max_length=10), OneOrMore()]
"""One cap or several; all of them hold."""

_UNSAID: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "hours": {"sms": "08:00-21:00", "push": "08:00-21:00", "list": "00:00-24:00"},
        "caps": {"sms": {"within": "7d", "at_most": 3}, "push": {"within": "7d", "at_most": 7}},
    }
)
"""What holds for a channel that the file does not name: forgetting one must not open it."""


def _hours(said: object) -> object:
    return {**_UNSAID["hours"], **said} if isinstance(said, dict) else said


def _caps(said: object) -> object:
    return {**_UNSAID["caps"], **said} if isinstance(said, dict) else said


class Class(Written):
    """A class of products, and its own hours."""

    products: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=1_000)]
    """Which products belong to it."""
    hours: Annotated[dict[Channel, Hours], Field(min_length=1)]
    """When they may be offered by a channel; the channel's hours hold as well."""


class Closure(Written):
    """A holiday or another time in which nothing is sent."""

    name: Word
    """What people call it."""
    on: FirstDay | None = None
    """The one day it is about, from midnight to midnight."""
    from_: FirstDay | None = Field(None, alias="from")
    """The first day, or an instant with its offset."""
    until: LastDay | None = None
    """The last day, to its end, or an instant with its offset."""
    channels: Some[Channel] | None = None
    """Which channels are closed; all of them unless it is said."""
    classes: Some[Identifier] | None = None
    """Which classes of products are not offered; everything unless it is said."""

    shapes: ClassVar[tuple[Shape, ...]] = ({"oneOf": [{"required": ["on"]}, {"required": ["from", "until"]}]},)

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if (self.on is None) == (self.from_ is None) or (self.from_ is None) != (self.until is None):
            raise mistake("say on: 2027-01-01 for one day, or from: and until: for several")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise at_places({("until",): "until must not be before from"})
        return self

    def span(self, zone: str) -> tuple[Millis, Millis]:
        """Give the instant at which it begins, and the one before which it ends."""
        if self.from_ is not None and self.until is not None:
            return self.from_, self.until
        begin = self.on or 0
        return begin, midnight(day_of(begin, zone) + 1, zone) * 1000


Gate = Literal["hours", "calendar", "caps", "gap", "ignored", "control"]
"""What a purpose may pass; consent, a customer who is not to be contacted, and stops are never passed."""
GATES: Final[Mapping[Reason, Gate]] = MappingProxyType(
    {
        Reason.QUIET_HOURS: "hours",
        Reason.BLACKOUT: "calendar",
        Reason.IGNORED: "ignored",
        Reason.GAP: "gap",
        Reason.OVERALL_CAP: "caps",
        Reason.PURPOSE_CAP: "caps",
        Reason.CONTACT_CAP: "caps",
        Reason.CONTROL: "control",
    }
)
"""Which gate gives which reason."""


class Purpose(Written):
    """What holds for the rules of one purpose."""

    caps: Caps | None = None
    """How often customers may be contacted for this purpose, by all channels together."""
    bypass: Annotated[tuple[Gate, ...], Field(min_length=1)] | None = None
    """Which gates do not hold for it, such as for messages that the bank owes the customer."""
    because: Word | None = None
    """Why it may pass them; this is written into each decision that did."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if (self.bypass is None) != (self.because is None):
            raise mistake("bypass and because stand together: each decision that passes a gate says why")
        return self

    shapes: ClassVar[tuple[Shape, ...]] = ({"dependencies": {"bypass": ["because"], "because": ["bypass"]}},)


def _not_for_ever(within: Millis) -> Millis:
    if within > 29 * DAY:
        raise mistake("a message is waited for 29d at most; what comes later is no answer to it")
    return within


class Ignored(Written):
    """When a channel rests because its messages were delivered and nobody opened, clicked or redeemed."""

    after: Annotated[int, Field(strict=True, ge=1, le=64)]
    """How many such messages in a row."""
    within: Annotated[Window, AfterValidator(_not_for_ever)]
    """How long after its delivery a message is waited for."""
    rest: Window
    """How long the channel then rests for this customer."""


class Testers(Written):
    """Whose decisions are marked as tests, and left out of reports and learning."""

    customers: Annotated[tuple[Word, ...], Field(max_length=1_000)] = ()
    """Customers by their keys."""
    tag: Word | None = None
    """Or everybody to whom the bank gave this tag."""


class Policy(Document):
    """When and how often customers may be contacted, over all rules and programmes."""

    format: Format
    """The format of this file: 1."""
    zone: Zone
    """In which time zone hours and days of this file are meant."""
    customer_zone: Word | None = None
    """The attribute that names a customer's own time zone; without it everybody lives in the file's."""
    hours: Annotated[dict[Channel, Hours], BeforeValidator(_hours), Field(default={}, validate_default=True)]
    """When a channel may be used; one that is not named keeps 08:00-21:00, a list the whole day."""
    classes: Annotated[dict[Identifier, Class], Field(max_length=100)] = Field(default_factory=dict)
    """Classes of products with hours of their own."""
    calendar: Annotated[tuple[Closure, ...], Field(max_length=1_000)] = ()
    """Holidays and other times in which nothing is sent."""
    caps: Annotated[dict[Channel, Caps], BeforeValidator(_caps), Field(default={}, validate_default=True)]
    """How often a channel may be used; SMS and push keep 3 and 7 in 7 days where they are not named."""
    overall: Caps | None = None
    """How often customers may be contacted at all, by all channels and for all purposes."""
    gap: Window | None = None
    """How long after a contact by any channel there is no other one."""
    purposes: Annotated[dict[Identifier, Purpose], Field(max_length=100)] = Field(default_factory=dict)
    """What holds for a purpose beside the rest."""
    ignored: Ignored | None = None
    """When a channel rests because its messages are ignored."""
    testers: Testers | None = None
    """Who tests, and is left out of statistics."""
    control: Control | None = None
    """Who is left alone whatever rules say, so that the effect of a programme, or of all of them, can be measured."""
    losers: Part | None = None
    """In which share of the decisions the record tells what losing candidates read; in all unless it is said."""

    @model_validator(mode="after")
    def _names_classes_that_are_there(self) -> Self:
        told: dict[tuple[str | int, ...], str] = {
            ("calendar", number, "classes"): f"there is no class {name!r}{suggest(name, self.classes)}"
            for number, closure in enumerate(self.calendar)
            for name in closure.classes or ()
            if name not in self.classes
        }
        if told:
            raise at_places(told)
        return self

    @classmethod
    def default(cls) -> Self:
        """Give the policy of a house that has not written one.

        Examples
        --------
        >>> Policy.default().caps[Channel.SMS][0].at_most
        3

        """
        return cls.model_validate({"format": 1, "zone": "Asia/Shanghai"})

    @cached_property
    def classes_of(self) -> Mapping[str, tuple[str, ...]]:
        """The classes of each product."""
        products = {product for found in self.classes.values() for product in found.products}
        return {p: tuple(name for name, found in self.classes.items() if p in found.products) for p in products}

    def caps_of(self, purpose: str) -> Caps:
        """Give the caps of a purpose."""
        found = self.purposes.get(purpose)
        return () if found is None or found.caps is None else found.caps

    def passes(self, purpose: str) -> Collection[Reason]:
        """Give the reasons that do not refuse an offer of this purpose."""
        return self._passes.get(purpose, ())

    @cached_property
    def _passes(self) -> Mapping[str, frozenset[Reason]]:
        return {
            name: frozenset(reason for reason, gate in GATES.items() if gate in purpose.bypass)
            for name, purpose in self.purposes.items()
            if purpose.bypass is not None
        }

    @cached_property
    def uncontrolled(self) -> frozenset[str]:
        """The purposes that pass the control groups of this policy."""
        return frozenset(name for name, reasons in self._passes.items() if Reason.CONTROL in reasons)

    @cached_property
    def _tests(self) -> frozenset[str]:
        return frozenset(self.testers.customers if self.testers else ())

    @cached_property
    def spans(self) -> tuple[tuple[Millis, Millis, Closure], ...]:
        """The calendar as instants: from which one until before which one something is closed."""
        return tuple((*closure.span(self.zone), closure) for closure in self.calendar)

    def is_test(self, customer: str, tags: Collection[str]) -> bool:
        """Whether a customer with these tags is a tester."""
        found = self.testers
        return found is not None and (customer in self._tests or (found.tag is not None and found.tag in tags))


def load_policy(text: str | bytes, file: str = "policy.yaml") -> Policy | tuple[Problem, ...]:
    """Read the policy, or say what is wrong with it."""
    policy, _, problems = checked(file, text, Policy)
    return by_place(problems) if policy is None or problems else policy
