"""Priorities: what the business adds to a model's chance when offers compete, and how far the engine tries others.

A file of its own, beside the contact policy: it says nothing about who may be contacted.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from kairos.instants import Millis
from kairos.offers import Channel, Identifier
from rules import spelled
from rules.asked import Written
from rules.canonical import Document
from rules.check import checked
from rules.problems import Problem, at_places, by_place, mistake
from rules.selectors import Selector, Trigger
from rules.shapes import Shape, at_least_one
from rules.words import FirstDay, Format, LastDay, Share, Word, Zone

__all__ = [
    "LEAST",
    "MOST",
    "Explore",
    "Fit",
    "InForce",
    "Level",
    "Lever",
    "Priorities",
    "Priority",
    "Pulled",
    "Smoothing",
    "bounded",
    "load_priorities",
]

LEAST: Final = 0.1
MOST: Final = 10.0
"""Levers together, and the fits of a moment together, count for no less and no more."""


def bounded(factors: Sequence[float]) -> float:
    """Multiply factors, in their bounds."""
    return min(max(prod(factors), LEAST), MOST) if factors else 1.0


Level = Literal["mandatory", "usual", "default"]
"""A mandatory offer wins over all others, a default one is made where no other is open."""


def _times(number: float) -> float:
    if not LEAST <= number <= MOST:
        raise mistake(f"a factor lies between {LEAST:g} and {MOST:g}")
    return float(number)


def _worth(number: float) -> float:
    if not 0.001 <= number <= 1_000_000:
        raise mistake("a value lies between 0.001 and 1000000")
    return float(number)


def _number(about: str, least: float, most: float) -> Any:
    return {"type": "number", "minimum": least, "maximum": most, "description": about}


Times = Annotated[float, PlainValidator(spelled.number), AfterValidator(_times)]
"""By how much something counts more (above 1) or less (below 1)."""
Worth = Annotated[float, PlainValidator(spelled.number), AfterValidator(_worth)]


class Fit(Trigger):
    """How well an offer fits the moment: events that make it count more, or less."""

    times: Times = Field(json_schema_extra=_number("By how much it then counts more or less.", LEAST, MOST))
    """By how much it then counts more, or less."""


class Priority(Written):
    """What a rule says about the competition with others: priority = propensity x context x value x levers."""

    level: Level = "usual"
    """Whether it wins over all others, or is offered only where no other is open."""
    value: Worth = Field(1.0, json_schema_extra=_number("What a reaction is worth.", 0.001, 1_000_000))
    """What a reaction is worth, in the measure that the house uses for all of its rules, such as yuan of margin."""
    context: Annotated[tuple[Fit, ...], Field(min_length=1, max_length=20)] | None = None
    """How well the offer fits the moment; all that the event meets are multiplied."""

    @cached_property
    def fits(self) -> tuple[tuple[Selector, float], ...]:
        """The events of the context, each with its factor."""
        return tuple((fit.selector, fit.times) for fit in self.context or ())


class Lever(Written):
    """What somebody adds to or takes from some offers for a time, and why."""

    name: Word
    """What people call it; decisions name it so."""
    times: Times = Field(json_schema_extra=_number("By how much these offers count more or less.", LEAST, MOST))
    """By how much these offers count more, or less."""
    rule: Identifier | None = None
    """The offers of one rule."""
    programme: Identifier | None = None
    """Those of one programme."""
    merchant: Identifier | None = None
    """Those with a coupon of one merchant."""
    channel: Channel | None = None
    """Those that would go by one channel."""
    owner: Word
    """Who answers for it."""
    because: Word
    """Why."""
    from_: FirstDay | None = Field(None, alias="from")
    """The first day; at once unless it is said."""
    until: LastDay
    """The last day, to its end; after it the lever counts as 1."""

    shapes: ClassVar[tuple[Shape, ...]] = (at_least_one("rule", "programme", "merchant", "channel"),)

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if not self.named:
            raise mistake("say which offers: rule, programme, merchant or channel; all that is said must fit")
        if self.from_ is not None and self.until <= self.from_:
            raise at_places({("until",): "until must not be before from"})
        return self

    @property
    def named(self) -> list[tuple[str, str]]:
        """What the offers must have in common, as kind and name."""
        asked = (self.rule, self.programme, self.merchant, self.channel)
        return [(kind, str(name)) for kind, name in zip(_KINDS, asked, strict=True) if name is not None]


_KINDS: Final = ("rule", "programme", "merchant", "channel")
_EVER: Final[Millis] = 2**63
_MOST_KEPT: Final = 10_000
Pulled = tuple[float, tuple[str, ...]]
"""The product of some levers, in its bounds, and their names."""


class InForce:
    """The levers in force between two moments at which one begins or ends, asked once for all offers that are alike.

    Parameters
    ----------
    levers
        All levers, in the order of the file.
    now
        A moment between the two.

    """

    __slots__ = ("_found", "_levers", "_rules", "begin", "end")

    def __init__(self, levers: Sequence[Lever], now: Millis) -> None:
        begins = [(-_EVER if lever.from_ is None else lever.from_, lever) for lever in levers]
        edges = [-_EVER, *(begin for begin, _ in begins), *(lever.until for lever in levers), _EVER]
        self.begin, self.end = max(edge for edge in edges if edge <= now), min(edge for edge in edges if edge > now)
        self._levers = [(dict(lever.named), lever) for begin, lever in begins if begin <= now < lever.until]
        self._rules = frozenset(asked["rule"] for asked, _ in self._levers if "rule" in asked)
        self._found: dict[tuple[str, ...], Pulled] = {}

    def pulled(self, rule: str, programme: str, merchant: str, channel: str) -> Pulled:
        """Give the levers that reach an offer, `""` where it has no merchant."""
        # Rules that no lever names are alike.
        offer = rule if rule in self._rules else "", programme, merchant, channel
        found = self._found.get(offer)
        if found is None:
            if len(self._found) == _MOST_KEPT:
                self._found.clear()
            named = dict(zip(_KINDS, offer, strict=True)).items()
            levers = [lever for asked, lever in self._levers if asked.items() <= named]
            found = bounded([lever.times for lever in levers]), tuple(lever.name for lever in levers)
            self._found[offer] = found
        return found


def _gamma(number: float) -> float:
    if not 0 <= number <= 1_000_000:
        raise mistake("gamma lies between 0 and 1000000")
    return float(number)


class Explore(Written):
    """How far offers are tried that are not the best, so that something is learnt of them."""

    gamma: Annotated[float, PlainValidator(spelled.number), AfterValidator(_gamma)] = Field(
        json_schema_extra=_number("How seldom an offer behind the best is tried.", 0, 1_000_000)
    )
    """How seldom an offer behind the best is tried: about 200 for rare reactions; 0 tries all alike."""
    evenly: Share = 0.0
    """The share of decisions that is spread evenly over all offers besides."""


def _chance(share: float) -> float:
    if share <= 0:
        raise mistake("an offer that nobody would react to is not made; give a prior above 0%")
    return share


class Smoothing(Written):
    """What the chance of an offer is taken to be until it was made often enough."""

    prior: Annotated[Share, AfterValidator(_chance)]
    """The chance of a reaction that a new offer is given."""
    impressions: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    """After how many offers whose outcome is known the model's word counts as much as the prior."""

    def of(self, score: float, shown: int) -> float:
        """Give the smoothed chance: the mean of prior and score, weighted by impressions and by what was shown.

        Examples
        --------
        >>> new = Smoothing(prior=0.05, impressions=200)
        >>> [round(new.of(0.01, shown), 3) for shown in (0, 200, 1800)]
        [0.05, 0.03, 0.014]

        """
        return (self.prior * self.impressions + score * shown) / (self.impressions + shown)


class Priorities(Document):
    """What the business adds when offers compete."""

    format: Format
    """The format of this file: 1."""
    zone: Zone
    """In which time zone days of this file are meant."""
    levers: Annotated[tuple[Lever, ...], Field(max_length=1_000)] = ()
    """What counts more or less for a time; all that reach an offer are multiplied."""
    smoothing: Smoothing | None = None
    """What the chance of a new offer is taken to be; the model's word alone counts unless it is said."""
    explore: Explore | None = None
    """How far offers are tried that are not the best; not at all unless it is said."""

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        taken, told = set[str](), dict[tuple[str | int, ...], str]()
        for number, lever in enumerate(self.levers):
            if lever.name in taken:
                told["levers", number, "name"] = f"the name {lever.name!r} is already taken"
            taken.add(lever.name)
        if told:
            raise at_places(told)
        return self

    @classmethod
    def default(cls) -> Self:
        """Give what holds for a house that says nothing: every offer by its chance alone."""
        return cls.model_validate({"format": 1, "zone": "UTC"})

    def in_force(self, now: Millis) -> "InForce":
        """Give the levers that count at a moment of processing time: one that has ended counts no more."""
        newest = self._newest
        if not newest[0].begin <= now < newest[0].end:
            newest[0] = InForce(self.levers, now)
        return newest[0]

    @cached_property
    def _newest(self) -> list["InForce"]:
        return [InForce(self.levers, 0)]

    def warnings(self, now: Millis) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Say what is odd, and where: levers that have ended, and those that do nothing."""
        for number, lever in enumerate(self.levers):
            if lever.until <= now:
                yield ("levers", number, "until"), f"the lever {lever.name!r} has ended and counts as 1"
            elif lever.times == 1:
                yield ("levers", number, "times"), f"the lever {lever.name!r} changes nothing"


def load_priorities(text: str | bytes, file: str = "priorities.yaml") -> Priorities | tuple[Problem, ...]:
    """Read the priorities, or say what is wrong with them."""
    found, _, problems = checked(file, text, Priorities)
    return by_place(problems) if found is None or problems else found
