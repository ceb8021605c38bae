"""Cost: how many bytes a book can make the engine keep for one customer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.absences import MOST, MOST_BYTES
from rules.book import Book
from rules.chains import Chain
from rules.features import Feature, Ring
from rules.panes import Panes
from rules.ties import Ties
from rules.values import Values

__all__ = ["Cost", "cost"]

_KINDS: Mapping[type, str] = {
    Ring: "instants",
    Panes: "sums by the pane",
    Values: "different values",
    Chain: "steps",
    Ties: "steps by a value",
}
_NAME = 12
"""The bytes of a feature's name and of the length of what follows it, in a packed record."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind comes to for a customer: features or timers, and their bytes at the most."""

    kind: str
    features: int
    most_bytes: int
    timers: int = 0

    def __str__(self) -> str:
        """Write it as one line."""
        what = f"at most {self.timers} timers" if self.timers else f"{self.features} features"
        return f"{self.kind}: {what}, at most {self.most_bytes} bytes a customer"


def cost(book: Book) -> tuple[Cost, ...]:
    """Give what each kind of memory costs, and in the last place all of them together.

    Examples
    --------
    >>> [str(one) for one in cost(Book.empty())]
    ['in all: 0 features, at most 0 bytes a customer']

    """
    kinds: dict[str, list[Feature]] = defaultdict(list)
    for feature in book.features.values():
        kinds[_KINDS[type(feature)]].append(feature)
    found = [_cost(kind, kinds[kind]) for kind in _KINDS.values() if kind in kinds]
    if any(rule.absent is not None for rule in book.rules.values()):
        found.append(Cost("waits", 0, MOST_BYTES, MOST))
    most = sum(one.most_bytes for one in found)
    return (*found, Cost("in all", len(book.features), most))


def _cost(kind: str, features: Iterable[Feature]) -> Cost:
    known = list(features)
    return Cost(kind, len(known), sum(feature.most_bytes + _NAME for feature in known))
