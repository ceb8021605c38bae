"""Count: how many of some events lie in a window that ends with the trigger, which counts itself."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from rules import rings
from rules.conditions.past import Windowed, events
from rules.features import Feature, Ring
from rules.judged import Judged, Seen
from rules.problems import mistake
from rules.saying import Language, denied
from rules.scope import Scope
from rules.selectors import Selector
from rules.source import all_of, any_of, constant

__all__ = ["Count"]

Few = Annotated[int, Field(strict=True, ge=0, le=63)]
Many = Annotated[int, Field(strict=True, ge=1, le=64)]


class Count(Windowed):
    """At least so many of these events in the window, at most so many, or both."""

    at_least: Many | None = None
    at_most: Few | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise mistake("give at_least, at_most, or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise mistake(f"no number is at least {self.at_least} and at most {self.at_most}")
        return self

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember one instant more than the number that must not be passed."""
        yield Ring(self.watched(on), max(rings.KEPT, self.at_least or 0, (self.at_most or 0) + 1))

    def holds(self, scope: Scope) -> str:
        """Write that there are enough, and not too many."""
        parts = [] if self.at_least is None else [self._reached(scope, self.at_least)]
        parts += [] if self.at_most is None else [self._missed(scope, self.at_most + 1)]
        return all_of(parts)

    def fails(self, scope: Scope) -> str:
        """Write that there are too few, or too many."""
        parts = [] if self.at_least is None else [self._missed(scope, self.at_least)]
        parts += [] if self.at_most is None else [self._reached(scope, self.at_most + 1)]
        return any_of(parts)

    def _reached(self, scope: Scope, number: int) -> str:
        first, again = self._ring(scope)
        return f"(len({first}) >= {number} and {again}[-{number}] > {self.begin(scope)[0]})"

    def _missed(self, scope: Scope, number: int) -> str:
        key, (first, again) = self.watched(scope.on).key, self._ring(scope)
        few = f"(len({first}) < {number} or {again}[-{number}] <= {self.begin(scope)[0]})"
        return few if scope.cold else all_of((few, f"since[{constant(key)}] <= {self.begin(scope)[0]}"))

    def _ring(self, scope: Scope) -> tuple[str, str]:
        return scope.readings.of(f"until(past.get({constant(self.watched(scope.on).key)}, b''), at)")

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Count what is remembered."""
        key, begin = self.watched(scope.on).key, self.begins(seen)
        seconds = rings.until(seen.customer.remembered.get(key, b""), seen.at)
        number = sum(at > begin for at in seconds)
        warm = scope.is_warm(seen.since[key], begin)
        enough = True if self.at_least is None or number >= self.at_least else False if warm else None
        if enough is True and self.at_most is not None:
            enough = False if number > self.at_most else True if warm else None
        return Judged(enough, number)

    def said(self, language: Language) -> str:
        """Say it."""
        event, window = events(self, language), self.window(language)
        if language == "zh":
            parts = [f"至少{self.at_least}次"] if self.at_least is not None else []
            parts += [f"至多{self.at_most}次"] if self.at_most is not None else []
            return f"{window}内{'、'.join(parts)}{event}"
        said = [f"at least {self.at_least}"] if self.at_least is not None else []
        said += [f"at most {self.at_most}"] if self.at_most is not None else []
        return f"{' and '.join(said)} × {event} in {window}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
