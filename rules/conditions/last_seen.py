"""Last seen: how long ago the newest of some events was, before the trigger."""

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import model_validator

from rules import rings
from rules.conditions.past import begins, events
from rules.features import Feature, Ring
from rules.judged import Judged, Seen
from rules.problems import mistake
from rules.saying import Language, denied, length
from rules.scope import Scope
from rules.selectors import Selector, Watched
from rules.shapes import Shape, exactly_one
from rules.source import all_of, constant
from rules.words import Window

__all__ = ["LastSeen"]


class LastSeen(Watched):
    """How long ago the newest of these events before the trigger was; one never seen was long ago."""

    at_least: Window | None = None
    """So long ago, or never."""
    within: Window | None = None
    """Not longer ago."""

    shapes: ClassVar[tuple[Shape, ...]] = (exactly_one("at_least", "within"),)

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.within is None):
            raise mistake("give either at_least (so long ago, or never) or within (not longer ago)")
        return self

    @property
    def _seconds(self) -> int:
        return rings.second(self.at_least or self.within or 0)

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember the newest instants."""
        yield Ring(self.watched(on))

    def holds(self, scope: Scope) -> str:
        """Write that it was not longer ago, or that it was."""
        return self._recent(scope) if self.at_least is None else self._long_ago(scope)

    def fails(self, scope: Scope) -> str:
        """Write the opposite."""
        return self._long_ago(scope) if self.at_least is None else self._recent(scope)

    def _recent(self, scope: Scope) -> str:
        return f"recent({self._ring(scope)}, at, {self._begin(scope)})"

    def _long_ago(self, scope: Scope) -> str:
        key, begin = self.watched(scope.on).key, self._begin(scope)
        return all_of((f"long_ago({self._ring(scope)}, at, {begin})", scope.warm(key, begin)))

    def _ring(self, scope: Scope) -> str:
        return f"past.get({constant(self.watched(scope.on).key)}, b'')"

    def _begin(self, scope: Scope) -> str:
        said = f"at - {self._seconds}"
        return scope.after_firing(said, said)[0]

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Look for the newest one."""
        key, begin = self.watched(scope.on).key, begins(scope, seen, seen.at - self._seconds)
        ring = seen.customer.remembered.get(key, b"")
        last = rings.before(ring, seen.at)
        ago = None if last is None else seen.at - last
        if last is not None and last > begin:
            return Judged(self.within is not None, ago)
        known = (last is not None or not rings.forgot(ring, begin, rings.KEPT)) and scope.is_warm(
            seen.since[key], begin
        )
        return Judged((self.at_least is not None) if known else None, ago)

    def said(self, language: Language) -> str:
        """Say it."""
        event = events(self, language)
        if self.within is not None:
            window = length(self.within, language)
            return f"{window}内有过{event}" if language == "zh" else f"an earlier {event} within {window}"
        window = length(self.at_least or 0, language)
        return f"已有{window}没有{event}" if language == "zh" else f"no {event} for {window}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
