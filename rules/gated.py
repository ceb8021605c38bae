"""Gated: what gates, draws and ranks ask of a rule, laid side by side once.

A rule is made of parts that people write, and asking a part of a part takes longer than to answer most gates.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from kairos.instants import Millis
from kairos.offers import Channel
from rules.experiments import Treatment
from rules.priorities import Level, Priority

__all__ = ["FOR_EVER", "MANDATORY", "Gated", "place_of"]

FOR_EVER: Final[Millis] = 2**63 - 1
"""Later than every instant; less than nothing of it is earlier."""
MANDATORY: Final = 0
"""The place of the level that wins over all others."""
_PLACES: Final[Mapping[Level, int]] = {"mandatory": MANDATORY, "usual": 1, "default": 2}


def place_of(priority: Priority | None) -> int:
    """Give the place of a level among the others: the lower, the sooner it wins."""
    return _PLACES["usual" if priority is None else priority.level]


class Gated(msgspec.Struct, frozen=True, gc=False):
    """A rule as the gates see it.

    Parameters
    ----------
    begin, end
        From when until before when it is valid.
    is_active
        Whether nobody has paused it.
    level
        The place of its level, see `place_of`.
    control, salt, treatments
        The share of its control group, what splits the customers into arms, and the other forms of its offer.

    """

    id: str
    programme: str
    purpose: str
    product: str
    channels: tuple[Channel, ...]
    begin: Millis
    end: Millis
    is_active: bool
    fresh: Millis
    cooldown: Millis
    group: str | None
    per_customer: int | None
    level: int
    control: float
    salt: str
    treatments: tuple[Treatment, ...] | None
