"""When: the conditions on the past, one kind each, or several of them joined."""

from collections.abc import Iterator

from rules.conditions.absent import Absent
from rules.conditions.count import Count
from rules.conditions.last_seen import LastSeen
from rules.conditions.past import Past
from rules.features import Feature
from rules.logic import Tree
from rules.selectors import Selector

__all__ = ["When"]


class When(Tree):
    """A condition on the past, or several joined."""

    count: Count | None = None
    last_seen: LastSeen | None = None
    absent: Absent | None = None

    @property
    def leaf(self) -> Past:
        """The condition."""
        found = self.count or self.last_seen or self.absent
        if found is None:
            raise ValueError("a condition on the past without content")
        return found

    def features(self, on: Selector) -> Iterator[Feature]:
        """Give what must be remembered for all of them."""
        parts = self.parts
        if parts is None:
            yield from self.leaf.features(on)
        for part in parts or ():
            yield from part.features(on)

    def absents(self, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Absent]]:
        """Give every absence below with its place."""
        if self.absent is not None:
            yield (*place, "absent"), self.absent
        for key, parts in (("all", self.all), ("any", self.any)):
            for number, part in enumerate(parts or ()):
                yield from part.absents((*place, key, number))
        if self.none is not None:
            yield from self.none.absents((*place, "not"))
