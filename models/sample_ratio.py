"""Sample ratio: whether arms and forms have the shares of customers that the salt should give, whenever one looks.

Where they have not, records of one arm were lost or doubled on the way, and no difference between arms means anything.
"""

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["SampleRatio"]

_WEIGHT: Final = 100.0
"""How many customers the expected shares count for when the next one is guessed; fewer sees large departures sooner."""


class SampleRatio:
    """A test that may be looked at after every customer, and stopped at any.

    It bets on each customer's arm before it is seen, by the expected shares and by what came before. Were the shares as
    expected, nobody who bets against them wins on average: that this ever grows to twenty times its stake has a chance
    of one in twenty at most, however often one looks. The shares may change on the way.

    References
    ----------
    Lindon and Malek 2022, "Anytime-Valid Inference For Multinomial Count Data", NeurIPS.

    Examples
    --------
    >>> half = {"control": 0.5, "treatment": 0.5}
    >>> fair, unfair = SampleRatio(), SampleRatio()
    >>> for number in range(1_000):
    ...     fair.take("control" if number % 2 else "treatment", half)
    ...     unfair.take("control" if number % 5 < 2 else "treatment", half)
    >>> fair.chance, unfair.chance < 1e-6
    (1.0, True)

    """

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.expected: dict[str, float] = {}
        self._all = 0
        self._evidence = self._largest = 0.0

    def take(self, arm: str, shares: Mapping[str, float]) -> None:
        """See one more customer, who was to fall into each arm with these chances."""
        chance = shares.get(arm, 0.0)
        if chance <= 0:
            self._evidence = math.inf
        else:
            guess = (_WEIGHT * chance + self.seen.get(arm, 0)) / (_WEIGHT + self._all)
            self._evidence += math.log(guess / chance)
        self._largest = max(self._largest, self._evidence)
        self.seen[arm] = self.seen.get(arm, 0) + 1
        self._all += 1
        for name, share in shares.items():
            self.expected[name] = self.expected.get(name, 0.0) + share

    @property
    def chance(self) -> float:
        """With which chance, at most, the shares would ever look like this were they as expected."""
        return math.exp(-self._largest)
