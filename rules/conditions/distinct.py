"""Distinct: how many different values a field of some events had in a window that ends with the trigger."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import model_validator

from rules import rings, values
from rules.conditions.past import Counted, events
from rules.features import Feature
from rules.fields import EventName, one_of, texts
from rules.judged import Judged, Seen
from rules.problems import at_places, suggest
from rules.saying import Language, denied
from rules.scope import Scope
from rules.selectors import Selector
from rules.source import all_of, constant
from rules.values import Values

__all__ = ["Distinct"]


class Distinct(Counted):
    """So many different values; an event without the field has none."""

    field: Annotated[str, one_of(texts)]
    """The field whose different values are counted."""

    @model_validator(mode="after")
    def _known_field(self) -> Self:
        if self.event is not None and (what := self.unfit(self.event)):
            raise at_places({("field",): what})
        return self

    def unfit(self, event: EventName) -> str | None:
        """Say why these events have no such field, or None."""
        known = texts(event)
        return None if self.field in known else f"event {event} has no text {self.field!r}{suggest(self.field, known)}"

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember one value more than the number that must not be passed."""
        yield self._values(on)

    def _values(self, on: Selector) -> Values:
        return Values(self.watched(on), self.field, max(rings.KEPT, self.most))

    def reached(self, scope: Scope, number: int) -> str:
        """Write that the value of this number, from the newest, was seen in the window."""
        first, again = scope.readings.of(f"until({self._ring(scope)}, at)")
        return f"(len({first}) >= {number} and {again}[-{number}] > {self.begin(scope)[0]})"

    def missed(self, scope: Scope, number: int) -> str:
        """Write that fewer were seen in the window or after it: such a one may have been seen in it, too."""
        # The newest of so many is kept for ever, so nothing that could count was forgotten.
        first, again = scope.readings.of(f"until({self._ring(scope)}, {2**32})")
        begin = self.begin(scope)[0]
        few = f"(len({first}) < {number} or {again}[-{number}] <= {begin})"
        return all_of((few, scope.warm(self._values(scope.on).key, begin)))

    def _ring(self, scope: Scope) -> str:
        return f"ring(past.get({constant(self._values(scope.on).key)}, b''))"

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Count what is remembered."""
        key, begin = self._values(scope.on).key, self.begins(seen, scope)
        last = [at for at, _ in values.seen(seen.customer.remembered.get(key, b"")) if at > begin]
        number = sum(at <= seen.at for at in last)
        return self.judged_of(number, len(last) if scope.is_warm(seen.since[key], begin) else None)

    def said(self, language: Language) -> str:
        """Say it."""
        event, window, numbers = events(self, language), self.window(language), self.numbers(language, "个")
        if language == "zh":
            return f"{window}内{event}有{numbers}不同的{self.field}"
        return f"{numbers} different values of {self.field} in {event} in {window}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
