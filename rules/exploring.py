"""Exploring: which of the offers that compete is put first, so that something is learnt of the others.

Inverse-gap weighting: the further an offer lies behind the best, the seldomer it is tried, and a share is spread evenly
besides. The draw is a hash of the decision's id, so that a replay draws the same; each chance is exact and recorded.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kairos.ids import share
from rules.priorities import Explore

__all__ = ["Exploring", "chances", "drawn_first"]


class Exploring(NamedTuple):
    """How far to explore, and the decision whose id is drawn from."""

    how: Explore
    decision: str


def chances(priorities: Sequence[float], how: Explore) -> tuple[float, ...]:
    """Give each offer's chance of being put first.

    Parameters
    ----------
    priorities
        What they count for, the best first.
    how
        Gamma and the even share.

    Examples
    --------
    >>> how = Explore(gamma=200, evenly=0.04)
    >>> [round(chance, 4) for chance in chances([0.050, 0.045, 0.010], how)]
    [0.9257, 0.0551, 0.0192]
    >>> chances([0.05, 0.05], how)
    (0.5, 0.5)

    References
    ----------
    Foster and Rakhlin 2020, "Beyond UCB", ICML, algorithm 1, with gamma as a multiple of 1 / the best priority.

    """
    number, best, gamma = len(priorities), priorities[0], how.gamma
    # A gap is a part of the best priority: values and base rates cancel out, and one gamma serves all decisions.
    others = [1 / (number + gamma * (1 - one / best if best > 0 else 0.0)) for one in priorities[1:]]
    left, each = 1 - how.evenly, how.evenly / number
    return tuple([left * weight + each for weight in (1 - sum(others), *others)])


def drawn_first(found: Sequence[float], decision: str) -> int:
    """Give the place of the offer that this decision puts first."""
    place, reached = share("explore/", decision), 0.0
    for number, chance in enumerate(found):
        reached += chance
        if place < reached:
            return number
    # The chances may add up to a little less than 1 in binary.
    return 0
