"""First: that there was none of some events before the trigger, in a time or ever; the opposite of having seen one."""

from collections.abc import Iterator

from pydantic import Field

from rules.conditions.last_seen import LastSeen
from rules.conditions.past import events
from rules.features import Feature
from rules.judged import Judged, Seen
from rules.saying import Language, denied, length
from rules.scope import Scope
from rules.selectors import Selector, Watched
from rules.words import Window

__all__ = ["First"]

_EVER = 2**61
"""Longer than anything was remembered: whether there ever was one is unknown, unless the rule says `warm: accept`."""


class First(Watched):
    """None of these events before the trigger: in the time `in`, or ever."""

    in_: Window | None = Field(None, alias="in")
    """How far back; ever unless it is said."""

    @property
    def silence(self) -> LastSeen:
        """The same, said by `last_seen`: it was so long ago."""
        said = {name: getattr(self, name) for name in ("event", "same_as", "where")}
        return LastSeen.model_construct(**said, at_least=self.in_ or _EVER)

    def features(self, on: Selector) -> Iterator[Feature]:
        """Remember the newest instants."""
        yield from self.silence.features(on)

    def holds(self, scope: Scope) -> str:
        """Write that there was none."""
        return self.silence.holds(scope)

    def fails(self, scope: Scope) -> str:
        """Write that there was one."""
        return self.silence.fails(scope)

    def judged(self, seen: Seen, scope: Scope) -> Judged:
        """Look for the newest one."""
        return self.silence.judged(seen, scope)

    def said(self, language: Language) -> str:
        """Say it."""
        event = events(self, language)
        if language == "zh":
            return f"此前{'从未' if self.in_ is None else length(self.in_, language) + '内没'}有过{event}"
        return f"{event} for the first time{'' if self.in_ is None else ' in ' + length(self.in_, language)}"

    def denied(self, language: Language) -> str:
        """Say that it fails."""
        return denied(self.said(language), language)
