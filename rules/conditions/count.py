"""Count: how many of some events lie in a window that ends with the trigger, which counts itself."""

from bisect import bisect_right
from collections.abc import Iterator

from rules import rings
from rules.conditions.past import Counted, events
from rules.features import Feature, Ring
from rules.judged import Judged, Seen
from rules.saying import Language, denied
from rules.scope import Scope
from rules.selectors import Selector
from rules.source import all_of, constant

__all__ = ["Count"]


class Count(Counted):
    """At least so many of these events in the window, at most so many, or both."""

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember one instant more than the number that must not be passed."""
        yield Ring(self.watched(on), self._kept)

    @property
    def _kept(self) -> int:
        return max(rings.KEPT, self.most)

    def reached(self, scope: Scope, number: int) -> str:
        """Write that the event of this number, from the newest, lies in the window."""
        first, again = self._ring(scope)
        return f"(len({first}) >= {number} and {again}[-{number}] > {self.begin(scope)[0]})"

    def missed(self, scope: Scope, number: int) -> str:
        """Write that it does not, and that none was forgotten."""
        key, first, begin = self.watched(scope.on).key, self._ring(scope)[0], self.begin(scope)[0]
        few = f"fewer({first}, {number}, {begin}, past.get({constant(key)}, b''), {self._kept})"
        return all_of((few, scope.warm(key, begin)))

    def _ring(self, scope: Scope) -> tuple[str, str]:
        return scope.readings.of(f"until(past.get({constant(self.watched(scope.on).key)}, b''), at)")

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Count what is remembered."""
        key, begin = self.watched(scope.on).key, self.begins(seen, scope)
        ring = seen.customer.remembered.get(key, b"")
        seconds = rings.until(ring, seen.at)
        number = len(seconds) - bisect_right(seconds, begin)
        known = scope.is_warm(seen.since[key], begin) and not rings.forgot(ring, begin, self._kept)
        return self.judged_of(number, number if known else None)

    def said(self, language: Language) -> str:
        """Say it."""
        event, window, numbers = events(self, language), self.window(language), self.numbers(language, "次")
        return f"{window}内{numbers}{event}" if language == "zh" else f"{numbers} × {event} in {window}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
