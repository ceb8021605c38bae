"""Features: what a customer's record remembers of the events that rules look back on.

A feature belongs to the events, not to the rule: rules that look back on the same events share it, and it
outlives a change of their thresholds. Every kind of memory is one class: it names itself by `key`, folds an
event into the packed bytes, and joins with another of the same key so that both are served.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from kairos.events import Event
from rules import rings
from rules.selectors import Selector

__all__ = ["Feature", "Ring", "together"]


class Feature(Protocol):
    """One kind of memory."""

    @property
    def key(self) -> str:
        """The name in the customer's record."""
        ...

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The events it remembers; an event may be several of them and is remembered once."""
        ...

    @property
    def capacity(self) -> int:
        """How much it keeps, in its own measure; what grows beyond it begins to be remembered anew."""
        ...

    @property
    def most_bytes(self) -> int:
        """How large it can grow for one customer."""
        ...

    def fold(self, packed: bytes, event: Event) -> bytes:
        """Remember one more event; empty bytes are nothing yet."""
        ...

    def merged(self, packed: bytes, other: bytes) -> bytes:
        """Give what two memories of the same events know together; an event that both hold counts once."""
        ...

    def joined(self, other: Self) -> Self:
        """Give the feature that serves this one and another of the same key."""
        ...


@dataclass(frozen=True, slots=True)
class Ring:
    """The newest instants, see `rules.rings`: for counts, recency and sequences."""

    selector: Selector
    kept: int = rings.KEPT

    @property
    def key(self) -> str:
        """The selector's own name."""
        return self.selector.key

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The one."""
        return (self.selector,)

    @property
    def capacity(self) -> int:
        """The instants."""
        return self.kept

    @property
    def most_bytes(self) -> int:
        """Four bytes an instant."""
        return 4 * self.kept

    def fold(self, packed: bytes, event: Event) -> bytes:
        """Put the event's second in its place."""
        return rings.add(packed, event.at // 1000, self.kept)

    def merged(self, packed: bytes, other: bytes) -> bytes:
        """Keep each second as often as the one that holds it more often."""
        return rings.merged(packed, other, self.kept)

    def joined(self, other: "Ring") -> "Ring":
        """Give the one that keeps more; else they are the same."""
        return self if self.kept >= other.kept else other


def together(features: Iterable[Feature]) -> dict[str, Feature]:
    """Give every feature once, by its key, large enough for all who asked."""
    found: dict[str, Feature] = {}
    for feature in features:
        known = found.get(feature.key)
        found[feature.key] = feature if known is None else known.joined(feature)
    return found
