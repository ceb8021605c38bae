"""Off-policy estimates: what another way of choosing would have brought, from what was logged while this one chose.

Each is honest only where the logged chances are: what the engine explores, it records exactly. An estimate is no
count of what happened, and reports label it so.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Estimate", "Logged", "doubly_robust", "ips", "snips"]

_WIDE = 1.96
"""Standard errors to either side that hold 95% of a normal distribution."""


class Logged(NamedTuple):
    """One logged decision, seen by the way of choosing that is judged.

    Parameters
    ----------
    reward
        What the offer made brought: 1 for a reaction and 0 for none, or its value.
    chance
        With which chance that offer was made, as it was logged.
    wanted
        With which chance it would be made by the way that is judged.
    predicted
        What a model, which had not learnt this reward yet, gives that offer.
    expected
        What the model gives the offers on average, as the way that is judged would choose among them.

    """

    reward: float
    chance: float
    wanted: float
    predicted: float = 0.0
    expected: float = 0.0


class Estimate(NamedTuple):
    """An estimate of the reward a decision, with its 95% interval.

    `effective` is how many decisions the weights are worth: where it is small, a few decisions carry the estimate.
    """

    value: float
    low: float
    high: float
    effective: float


def ips(logged: Iterable[Logged]) -> Estimate:
    """Weigh each reward by how much more often the offer would be made: unbiased, and wide where weights are large.

    Raises
    ------
    ValueError
        There is no decision, or a logged chance is none.

    Examples
    --------
    >>> found = ips([Logged(reward=1, chance=0.5, wanted=1.0), Logged(reward=0, chance=0.5, wanted=0.0)])
    >>> found.value
    1.0

    """
    rows = _checked(logged)
    return _of([weight * row.reward for weight, row in rows], [weight for weight, _ in rows])


def snips(logged: Iterable[Logged]) -> Estimate:
    """Divide the weighed rewards by the weights: a little biased in small samples, and much steadier.

    Raises
    ------
    ValueError
        There is no decision, a logged chance is none, or no logged offer would ever be made.

    """
    rows = _checked(logged)
    total = sum(weight for weight, _ in rows)
    if total <= 0:
        raise ValueError("the way that is judged would have made none of the offers that were made")
    value = sum(weight * row.reward for weight, row in rows) / total
    error = math.sqrt(sum((weight * (row.reward - value)) ** 2 for weight, row in rows)) / total
    return Estimate(value, value - _WIDE * error, value + _WIDE * error, _effective([weight for weight, _ in rows]))


def doubly_robust(logged: Iterable[Logged], clip: float = 10.0) -> Estimate:
    """Take the model's word, put right by what was seen where the offer was made; weights are clipped.

    Right where the model or the chances are; clipping buys steadiness for a little bias towards the model.

    Parameters
    ----------
    logged
        The decisions, with what the model predicted before it learnt their rewards.
    clip
        The largest weight.

    Raises
    ------
    ValueError
        There is no decision, or a logged chance is none.

    References
    ----------
    Dudik, Langford and Li 2011, "Doubly Robust Policy Evaluation and Learning", ICML.

    """
    rows = [(min(weight, clip), row) for weight, row in _checked(logged)]
    values = [row.expected + weight * (row.reward - row.predicted) for weight, row in rows]
    return _of(values, [weight for weight, _ in rows])


def _checked(logged: Iterable[Logged]) -> list[tuple[float, Logged]]:
    rows = list(logged)
    if not rows:
        raise ValueError("no decision was logged")
    if any(not 0 < row.chance <= 1 or not 0 <= row.wanted <= 1 for row in rows):
        raise ValueError("a chance lies between 0 and 1, and what was logged is above 0")
    return [(row.wanted / row.chance, row) for row in rows]


def _of(values: list[float], weights: list[float]) -> Estimate:
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)
    error = math.sqrt(spread / len(values))
    return Estimate(mean, mean - _WIDE * error, mean + _WIDE * error, _effective(weights))


def _effective(weights: list[float]) -> float:
    squares = math.fsum(weight * weight for weight in weights)
    return math.fsum(weights) ** 2 / squares if squares else 0.0
