"""When: the conditions on the past, one kind each, or several of them joined."""

from collections.abc import Iterator

from rules.conditions.absent import Absent
from rules.conditions.amounts import Average, Largest, Smallest, Sum
from rules.conditions.count import Count
from rules.conditions.distinct import Distinct
from rules.conditions.first import First
from rules.conditions.last_seen import LastSeen
from rules.conditions.past import Past
from rules.conditions.sequence import Sequence
from rules.features import Feature
from rules.logic import Tree
from rules.selectors import Selector

__all__ = ["When"]

Place = tuple[str | int, ...]


class When(Tree):
    """A condition on the past, or several joined."""

    count: Count | None = None
    last_seen: LastSeen | None = None
    first: First | None = None
    sum: Sum | None = None
    avg: Average | None = None
    min: Smallest | None = None
    max: Largest | None = None
    distinct: Distinct | None = None
    sequence: Sequence | None = None
    absent: Absent | None = None

    @property
    def kind(self) -> str:
        """The key under which the condition stands, or under which several are joined."""
        return next(
            field.alias or name for name, field in type(self).model_fields.items() if getattr(self, name) is not None
        )

    @property
    def leaf(self) -> Past:
        """The condition."""
        found: Past = getattr(self, self.kind)
        return found

    def placed(self) -> Iterator[tuple[Place, Past]]:
        """Give every condition with its place in the file, from here."""
        parts = self.parts
        if parts is None:
            yield (self.kind,), self.leaf
        for number, part in enumerate(parts or ()):
            for place, leaf in part.placed():
                yield (self.kind, *(() if self.kind == "not" else (number,)), *place), leaf

    def features(self, on: Selector) -> Iterator[Feature]:
        """Give what must be remembered for all of them."""
        parts = self.parts
        if parts is None:
            yield from self.leaf.features(on)
        for part in parts or ():
            yield from part.features(on)

    def absents(self, place: Place = ()) -> Iterator[tuple[Place, Absent]]:
        """Give every absence below with its place."""
        yield from (((*place, *below), leaf) for below, leaf in self.placed() if isinstance(leaf, Absent))
