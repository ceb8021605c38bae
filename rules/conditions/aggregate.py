"""Aggregates: what an amount or a number of some events comes to in a window that ends with the trigger.

The window begins with an hour where it is up to seven days long, and with a calendar day where it is longer or counted
in days: the hour or day in which its far end lies belongs to it as a whole, so that what is remembered is exact. So
does the hour or day of the trigger, as far as it is known. An event without the field is not one of them, nor is an
amount in another currency.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationInfo, model_validator

from kairos.instants import DAY, HOUR, Millis
from kairos.money import Money
from rules import panes
from rules.conditions.past import Windowed, events
from rules.features import Feature
from rules.fields import EventName, numbers, one_of
from rules.judged import Judged, Seen, all_hold
from rules.moments import day_of, midnight
from rules.panes import Of, Panes
from rules.problems import at_places, mistake, suggest
from rules.saying import WORDS, Language, denied, length
from rules.scope import Scope
from rules.selectors import Selector
from rules.shapes import Shape, at_least_one
from rules.source import all_of, any_of, constant
from rules.words import Amount, Number

__all__ = ["Aggregate", "Names"]

Names = Mapping[Language, str]
"""What a kind is called in each language."""

_LONGEST_IN_HOURS: Millis = 7 * DAY
_LONGEST = 90
"""How many days can be looked back on."""
_SIGNS = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<"}
_OPPOSITE = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}
_SHOWN = {">=": "≥", "<=": "≤"}

_amount: TypeAdapter[Money] = TypeAdapter(Amount)
_number: TypeAdapter[int | float] = TypeAdapter(Number)


def _bound(value: object, info: ValidationInfo) -> Money | int:
    if info.data.get("field") == "amount":
        return _amount.validate_python(value, context=info.context)
    found = _number.validate_python(value)
    if not isinstance(found, int) or found < 0:
        raise mistake(f"expected a whole number, got {value}")
    return found


def _written(bound: Money | int | None) -> str | int | None:
    return str(bound) if isinstance(bound, Money) else bound


Bound = Annotated[
    Money | int, PlainValidator(_bound, json_schema_input_type=Amount), PlainSerializer(_written, when_used="json")
]


class Span(NamedTuple):
    """Which panes a window is made of, and what must have been remembered since when."""

    first: int
    last: int
    begin: int


class Aggregate(Windowed):
    """What a field of these events comes to, within bounds."""

    field: Annotated[str, one_of(numbers)]
    """The field that holds an amount or a number."""
    at_least: Bound | None = None
    """It comes to this or more."""
    at_most: Bound | None = None
    """It comes to this or less."""
    above: Bound | None = None
    """It comes to more than this."""
    below: Bound | None = None
    """It comes to less than this."""

    shapes: ClassVar[tuple[Shape, ...]] = (at_least_one(*_SIGNS),)

    memories: ClassVar[tuple[Of, ...]]
    """What must be remembered."""
    final: ClassVar[tuple[str, ...]]
    """The comparisons that no event that is not remembered could undo."""
    names: ClassVar[Names]

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self._bounds:
            raise mistake("give at_least, at_most, above or below")
        said = sorted({bound.currency for _, bound in self._bounds if isinstance(bound, Money)})
        if len(said) > 1:
            raise mistake(f"one condition speaks of one currency, here of {' and '.join(said)}")
        if (self.within or 0) > _LONGEST * DAY or (self.days or 0) > _LONGEST:
            raise mistake(f"amounts are remembered for {_LONGEST} days at most")
        if self.event is not None and (what := self.unfit(self.event)):
            raise at_places({("field",): what})
        return self

    def unfit(self, event: EventName) -> str | None:
        """Say why these events have no such field, or None."""
        known = numbers(event)
        return (
            None if self.field in known else f"event {event} has no number {self.field!r}{suggest(self.field, known)}"
        )

    @property
    def _bounds(self) -> list[tuple[str, Money | int]]:
        found = ((sign, getattr(self, name)) for name, sign in _SIGNS.items())
        return [(sign, bound) for sign, bound in found if bound is not None]

    @property
    def _currency(self) -> str | None:
        return next((bound.currency for _, bound in self._bounds if isinstance(bound, Money)), None)

    @property
    def bounds(self) -> list[tuple[str, int]]:
        """Each comparison with its bound, amounts in minor units."""
        return [(sign, bound.minor if isinstance(bound, Money) else bound) for sign, bound in self._bounds]

    def minor(self, value: object) -> int | None:
        """Give what a value of the field counts, or None if it is not seen: nothing, or in another currency."""
        if isinstance(value, Money):
            return value.minor if value.currency == self._currency else None
        return value if isinstance(value, int) else None

    @property
    def in_hours(self) -> bool:
        """Whether the window begins with a full hour, and not with a day."""
        return self.within is not None and self.within <= _LONGEST_IN_HOURS

    @property
    def _kept(self) -> int:
        # One pane for the far end that a window cuts, and one for a trigger that comes a little late.
        return (self.days or 0) + 1 if self.within is None else -(-self.within // (HOUR if self.in_hours else DAY)) + 2

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember pane by pane what is asked for."""
        yield from (self._panes(on, of) for of in self.memories)

    def _panes(self, on: Selector, of: Of) -> Panes:
        zone = None if self.in_hours else self.zone
        return Panes(self.watched(on), of, self.field, self._currency, zone, self._kept)

    def _span(self, at: Millis) -> Span:
        """Give the window of a trigger that happened `at`."""
        if self.in_hours:
            first = (at - (self.within or 0)) // HOUR
            return Span(first, at // HOUR, first * HOUR // 1000 - 1)
        last = day_of(at, self.zone)
        first = last - (self.days or 1) + 1 if self.within is None else day_of(at - self.within, self.zone)
        return Span(first, last, midnight(first, self.zone) - 1)

    def holds(self, scope: Scope) -> str:
        """Write that every bound is kept."""
        return all_of(self._compared(scope, sign, bound) for sign, bound in self._bounds)

    def fails(self, scope: Scope) -> str:
        """Write that one is not."""
        return any_of(self._compared(scope, _OPPOSITE[sign], bound) for sign, bound in self._bounds)

    def _compared(self, scope: Scope, sign: str, bound: Money | int) -> str:
        return all_of((self.compared(scope, sign, constant(bound)), *self._known(scope, sign)))

    def compared(self, scope: Scope, sign: str, bound: str) -> str:
        """Write a comparison of what is remembered."""
        raise NotImplementedError

    def read(self, scope: Scope, of: Of, function: str) -> tuple[str, str]:
        """Write how a memory is read, where it may not have been read yet and after that."""
        first, last = self._edges()
        key = constant(self._panes(scope.on, of).key)
        return scope.readings.of(f"{function}(past.get({key}, b''), {first}, {last})")

    def _edges(self) -> tuple[str, str]:
        if self.in_hours:
            return f"((event.at - {self.within}) // {HOUR})", f"event.at // {HOUR}"
        zone = constant(self.zone)
        last = f"day_of(event.at, {zone})"
        if self.within is None:
            return f"{last} - {(self.days or 1) - 1}", last
        return f"day_of(event.at - {self.within}, {zone})", last

    def _known(self, scope: Scope, sign: str) -> Iterator[str]:
        """Write that everything of the window is remembered, where a comparison needs it."""
        if sign in self.final:
            return
        first = self._edges()[0]
        begin = f"{first} * {HOUR // 1000} - 1" if self.in_hours else f"midnight({first}, {constant(self.zone)}) - 1"
        for of in self.memories:
            key = self._panes(scope.on, of).key
            yield f"reaches(past.get({constant(key)}, b''), {first}, {self._kept})"
            yield scope.warm(key, begin)

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Go through the panes."""
        found, span = self._found(seen, scope), self._span(seen.event.at)
        keys = [self._panes(scope.on, of).key for of in self.memories]
        known = all(
            scope.is_warm(seen.since[key], span.begin)
            and panes.reaches(seen.customer.remembered.get(key, b""), span.first, self._kept)
            for key in keys
        )
        verdicts = [self._verdict(found, sign, bound, known=known) for sign, bound in self._bounds]
        return Judged(all_hold(verdicts), self.told(found))

    def _found(self, seen: Seen, scope: Scope) -> list[list[int]]:
        """Give what lies in the window, for each memory."""
        span, past = self._span(seen.event.at), seen.customer.remembered
        rows = (panes.rows(past.get(self._panes(scope.on, of).key, b"")) for of in self.memories)
        return [[value for pane, value in row.items() if span.first <= pane <= span.last] for row in rows]

    def _verdict(self, found: list[list[int]], sign: str, bound: Money | int, *, known: bool) -> bool | None:
        holds = self.kept(found, sign, bound.minor if isinstance(bound, Money) else bound)
        decisive = sign if holds else _OPPOSITE[sign]
        return holds if known or decisive in self.final else None

    def kept(self, found: list[list[int]], sign: str, bound: int) -> bool | None:
        """Whether a bound is kept; None where there is nothing to be compared."""
        raise NotImplementedError

    def told(self, found: list[list[int]]) -> object:
        """Give what was read."""
        raise NotImplementedError

    def money(self, value: int) -> object:
        """Give a value as it is written in a file."""
        return value if self._currency is None else str(Money(value, self._currency))

    def said(self, language: Language) -> str:
        """Say it."""
        zh, words, bounds = language == "zh", WORDS[language], self._bounds
        asked = words["and"].join(f"{_SHOWN.get(sign, sign)} {bound}" for sign, bound in bounds)
        what, event, name = self.names[language], events(self, language), self.field
        if zh:
            return f"{self._window(language)}内{event}的{name}{what} {asked}"
        return f"{what} {name} of {event} in {self._window(language)} {asked}"

    def _window(self, language: Language) -> str:
        if self.within is None:
            return self.window(language)
        said, zh = length(self.within, language), language == "zh"
        if self.in_hours:
            return f"{said}（从整点起算）" if zh else f"{said} (to the hour)"
        return f"{said}（从{self.zone}的零点起算）" if zh else f"{said} (to the day in {self.zone})"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
