"""What all conditions on the past have in common."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Protocol, Self

from pydantic import Field, model_validator

from rules.features import Feature
from rules.fields import EventName
from rules.firings import last_fired
from rules.judged import Judged, Seen
from rules.logic import Condition
from rules.moments import OwnZone, first_second
from rules.problems import mistake
from rules.rings import second
from rules.saying import WORDS, Language, days, length
from rules.scope import Scope
from rules.selectors import Selector, Watched
from rules.shapes import Shape, at_least_one, exactly_one
from rules.source import all_of, any_of, constant
from rules.words import Days, Window

__all__ = ["Counted", "Past", "Windowed", "begins", "events", "said_events"]


class Past(Condition, Protocol):
    """A condition on the past, which needs some of it remembered."""

    def features(self, on: Selector) -> Iterator[Feature]:
        """Give what must be remembered; `on` are the trigger's events."""
        ...


def events(watched: Watched, language: Language) -> str:
    """Say which events are looked back on."""
    if watched.event is None:
        return "该事件" if language == "zh" else "the same"
    return said_events(watched.event, watched.where, language)


def said_events(event: EventName, where: Any, language: Language) -> str:
    """Say which events."""
    words = WORDS[language]
    tests = words["and"].join(test.said(name, language) for name, test in where.items())
    return f"{words[event]}{words['(']}{tests}{words[')']}" if tests else words[event]


def begins(scope: Scope, seen: Seen, begin: int) -> int:
    """Give the later of the last second before a window and that of the last firing, if it is asked for."""
    return begin if scope.consumes is None else max(begin, last_fired(seen.customer, scope.consumes))


class Windowed(Watched):
    """Events in a window that ends with the trigger: a length of time, or calendar days in a zone."""

    within: Window | None = None
    """How far back the window reaches from the trigger."""
    days: Days | None = None
    """How many calendar days the window has; today is the last of them."""
    zone: OwnZone

    shapes: ClassVar[tuple[Shape, ...]] = (exactly_one("within", "days"),)

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if (self.within is None) == (self.days is None):
            raise mistake("give either within (a length of time) or days (calendar days, today included)")
        return self

    def begin(self, scope: Scope) -> tuple[str, str]:
        """Write the last second before the window, where it may not have been read yet and after that."""
        if self.within is not None:
            said = f"at - {second(self.within)}"
            return scope.after_firing(said, said)
        first, again = scope.readings.of(f"first_second(event.at, {constant(self.zone)}, {self.days}) - 1")
        return scope.after_firing(first, again)

    def begins(self, seen: Seen, scope: Scope) -> int:
        """Give the last second before the window."""
        if self.within is not None:
            return begins(scope, seen, seen.at - second(self.within))
        return begins(scope, seen, first_second(seen.event.at, self.zone, self.days or 1) - 1)

    def window(self, language: Language) -> str:
        """Say the window; which days these are, the zone tells."""
        if self.within is not None:
            return length(self.within, language)
        said = days(self.days or 1, language)
        return f"{said}（{self.zone}）" if language == "zh" else f"{said} ({self.zone})"


Few = Annotated[int, Field(strict=True, ge=0, le=63)]
Many = Annotated[int, Field(strict=True, ge=1, le=64)]


class Counted(Windowed):
    """At least so many in the window, at most so many, or both."""

    at_least: Many | None = None
    """So many, or more."""
    at_most: Few | None = None
    """So many, or fewer."""

    shapes: ClassVar[tuple[Shape, ...]] = (at_least_one("at_least", "at_most"),)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise mistake("give at_least, at_most, or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise mistake(f"no number is at least {self.at_least} and at most {self.at_most}")
        return self

    @property
    def most(self) -> int:
        """The largest number that must be told from all larger ones."""
        return max(self.at_least or 0, (self.at_most or 0) + 1)

    def holds(self, scope: Scope) -> str:
        """Write that there are enough, and not too many."""
        parts = [] if self.at_least is None else [self.reached(scope, self.at_least)]
        parts += [] if self.at_most is None else [self.missed(scope, self.at_most + 1)]
        return all_of(parts)

    def fails(self, scope: Scope) -> str:
        """Write that there are too few, or too many."""
        parts = [] if self.at_least is None else [self.missed(scope, self.at_least)]
        parts += [] if self.at_most is None else [self.reached(scope, self.at_most + 1)]
        return any_of(parts)

    def reached(self, scope: Scope, number: int) -> str:
        """Write that there are so many."""
        raise NotImplementedError

    def missed(self, scope: Scope, number: int) -> str:
        """Write that there are surely fewer."""
        raise NotImplementedError

    def judged_of(self, least: int, most: int | None) -> Judged:
        """Judge a number of which the bounds are known; `most` is None where nothing bounds it."""
        enough: bool | None = True
        if self.at_least is not None and least < self.at_least:
            enough = False if most is not None and most < self.at_least else None
        if self.at_most is not None and enough is not False:
            if least > self.at_most:
                enough = False
            elif most is None or most > self.at_most:
                enough = None
        return Judged(enough, least)

    def numbers(self, language: Language, unit: str) -> str:
        """Say how many; Chinese counts in units."""
        zh = language == "zh"
        said = (
            [f"至少{self.at_least}{unit}" if zh else f"at least {self.at_least}"] if self.at_least is not None else []
        )
        said += [f"至多{self.at_most}{unit}" if zh else f"at most {self.at_most}"] if self.at_most is not None else []
        return ("、" if zh else " and ").join(said)
