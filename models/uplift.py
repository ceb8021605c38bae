"""Uplift: by how much a share is larger in one group of customers than in another, with its interval."""

import math
from typing import Final, NamedTuple

__all__ = ["Counted", "Difference", "difference", "wilson"]

_WIDE: Final = 1.959964
"""Standard errors to either side that hold 95% of a normal distribution."""


class Counted(NamedTuple):
    """How many of a group of customers did something."""

    did: int
    all: int

    @property
    def share(self) -> float:
        """Their share; none of nobody is 0."""
        return self.did / self.all if self.all else 0.0


class Difference(NamedTuple):
    """A difference of two shares, with its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether 0 is outside of the interval."""
        return self.low > 0 or self.high < 0


def wilson(counted: Counted) -> tuple[float, float]:
    """Give the 95% interval of a share, which stays within 0 and 1 however rare it is.

    References
    ----------
    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson(Counted(0, 100))]
    [0.0, 0.037]

    """
    if not counted.all:
        return 0.0, 1.0
    share, n, z = counted.share, counted.all, _WIDE**2
    middle = share + z / (2 * n)
    reach = _WIDE * math.sqrt(share * (1 - share) / n + z / (4 * n * n))
    return max(0.0, (middle - reach) / (1 + z / n)), min(1.0, (middle + reach) / (1 + z / n))


def difference(one: Counted, other: Counted) -> Difference:
    """Give by how much the first share is larger, with Newcombe's hybrid score interval: right for rare reactions, too.

    References
    ----------
    Newcombe 1998, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17, method 10.

    Examples
    --------
    >>> [round(found, 4) for found in difference(Counted(56, 70), Counted(48, 80))]
    [0.2, 0.0524, 0.3339]

    """
    value = one.share - other.share
    (low1, high1), (low2, high2) = wilson(one), wilson(other)
    down = math.hypot(one.share - low1, high2 - other.share)
    up = math.hypot(high1 - one.share, other.share - low2)
    return Difference(value, max(-1.0, value - down), min(1.0, value + up))
