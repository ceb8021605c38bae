"""What all conditions on the past have in common."""

from collections.abc import Iterator
from typing import Any, Protocol, Self

from pydantic import model_validator

from rules.features import Feature
from rules.fields import EventName
from rules.judged import Seen
from rules.logic import Condition
from rules.moments import OwnZone, first_second
from rules.problems import mistake
from rules.rings import second
from rules.saying import WORDS, Language, days, length
from rules.scope import Scope
from rules.selectors import Selector, Watched
from rules.source import constant
from rules.words import Days, Window

__all__ = ["Past", "Windowed", "events"]


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


class Windowed(Watched):
    """Events in a window that ends with the trigger: a length of time, or calendar days in a zone."""

    within: Window | None = None
    days: Days | None = None
    zone: OwnZone

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if (self.within is None) == (self.days is None):
            raise mistake("give either within (a length of time) or days (calendar days, today included)")
        return self

    def begin(self, scope: Scope) -> tuple[str, str]:
        """Write the last second before the window, where it may not have been read yet and after that."""
        if self.within is not None:
            said = f"at - {second(self.within)}"
            return said, said
        return scope.readings.of(f"first_second(event.at, {constant(self.zone)}, {self.days}) - 1")

    def begins(self, seen: Seen) -> int:
        """Give the last second before the window."""
        if self.within is not None:
            return seen.at - second(self.within)
        return first_second(seen.event.at, self.zone, self.days or 1) - 1

    def window(self, language: Language) -> str:
        """Say the window."""
        return length(self.within, language) if self.within is not None else days(self.days or 1, language)
