"""Amounts: the sum, the average, the smallest and the largest value of a field of some events in a window."""

from typing import ClassVar

from rules.conditions.aggregate import Aggregate, Names
from rules.panes import Of
from rules.scope import Scope

__all__ = ["Average", "Largest", "Smallest", "Sum"]

_MORE, _LESS = (">=", ">"), ("<=", "<")
_OPERATORS = {
    ">=": int.__ge__,
    "<=": int.__le__,
    ">": int.__gt__,
    "<": int.__lt__,
}


class Sum(Aggregate):
    """The sum; that of no events is 0. What is not remembered could only make it larger."""

    memories: ClassVar[tuple[Of, ...]] = ("sum",)
    final: ClassVar[tuple[str, ...]] = _MORE
    names: ClassVar[Names] = {"zh": "合计", "en": "sum of"}

    def compared(self, scope: Scope, sign: str, bound: str) -> str:
        """Write a comparison of the sum."""
        return f"{self.read(scope, 'sum', 'total')[0]} {sign} {bound}"

    def kept(self, found: list[list[int]], sign: str, bound: int) -> bool | None:
        """Compare the sum."""
        return _OPERATORS[sign](sum(found[0]), bound)

    def told(self, found: list[list[int]]) -> object:
        """Give the sum."""
        return self.money(sum(found[0]))


class Average(Aggregate):
    """The average, compared without being divided; that of no events is unknown, and so is one not all remembered."""

    memories: ClassVar[tuple[Of, ...]] = ("sum", "count")
    final: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[Names] = {"zh": "平均", "en": "average"}

    def compared(self, scope: Scope, sign: str, bound: str) -> str:
        """Write a comparison of the sum with as many times the bound."""
        count, again = self.read(scope, "count", "total")
        return f"({count} and {self.read(scope, 'sum', 'total')[0]} {sign} {bound} * {again})"

    def kept(self, found: list[list[int]], sign: str, bound: int) -> bool | None:
        """Compare the sum with as many times the bound."""
        values, counts = found
        return _OPERATORS[sign](sum(values), bound * sum(counts)) if counts else None

    def told(self, found: list[list[int]]) -> object:
        """Give the sum and the number."""
        return f"{self.money(sum(found[0]))} / {sum(found[1])}"


class Smallest(Aggregate):
    """The smallest value; that of no events is unknown. What is not remembered could only make it smaller."""

    memories: ClassVar[tuple[Of, ...]] = ("min",)
    final: ClassVar[tuple[str, ...]] = _LESS
    names: ClassVar[Names] = {"zh": "最小值", "en": "smallest"}

    def compared(self, scope: Scope, sign: str, bound: str) -> str:
        """Write a comparison of the smallest."""
        first, again = self.read(scope, "min", "smallest")
        return f"({first} is not None and {again} {sign} {bound})"

    def kept(self, found: list[list[int]], sign: str, bound: int) -> bool | None:
        """Compare the smallest."""
        return _OPERATORS[sign](min(found[0]), bound) if found[0] else None

    def told(self, found: list[list[int]]) -> object:
        """Give the smallest."""
        return self.money(min(found[0])) if found[0] else None


class Largest(Aggregate):
    """The largest value; that of no events is unknown. What is not remembered could only make it larger."""

    memories: ClassVar[tuple[Of, ...]] = ("max",)
    final: ClassVar[tuple[str, ...]] = _MORE
    names: ClassVar[Names] = {"zh": "最大值", "en": "largest"}

    def compared(self, scope: Scope, sign: str, bound: str) -> str:
        """Write a comparison of the largest."""
        first, again = self.read(scope, "max", "largest")
        return f"({first} is not None and {again} {sign} {bound})"

    def kept(self, found: list[list[int]], sign: str, bound: int) -> bool | None:
        """Compare the largest."""
        return _OPERATORS[sign](max(found[0]), bound) if found[0] else None

    def told(self, found: list[list[int]]) -> object:
        """Give the largest."""
        return self.money(max(found[0])) if found[0] else None
