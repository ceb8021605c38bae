"""Logistic regression that learns one event at a time: FTRL-Proximal on sparse keys."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from river import base

from models.snapshot import log_odds, probability

__all__ = ["INTERCEPT", "Cell", "FTRLProximal"]

INTERCEPT = ""


class Cell:
    """What is known about one key: the sums `z` and `n`, and the weight that follows from them.

    `z` is the sum of the gradients, shifted so that the weight has a closed form; `n` is the sum of their
    squares and sets the size of the next step. `root` is the square root of `n`, kept because it is needed twice.
    """

    __slots__ = ("n", "root", "weight", "z")

    def __init__(self, z: float = 0.0, n: float = 0.0) -> None:
        self.z = z
        self.n = n
        self.root = math.sqrt(n)
        self.weight = 0.0


class FTRLProximal(base.Classifier):
    """FTRL-Proximal logistic regression over sparse keys, with a state that lives key by key in a store.

    River's own `optim.FTRLProximal` serves each weight one update late; here a weight is exact as soon as
    `learn_one` returns.

    With a store the model is only a cache. Before learning, `load` the cells named by `missing`; after a
    batch, write what `take_changes` gives. Cells not written yet must stay; after `take_changes` any of
    `state` may be dropped. `(z, n)` is all there is to know: a model loaded from them goes on bit for bit.

    Parameters
    ----------
    alpha
        Size of the first steps; larger learns faster and is noisier.
    beta
        Makes early steps smaller; matters for rare keys.
    l1
        Weights whose `z` stays within this are exactly 0.
    l2
        Pulls weights towards 0, the intercept towards the prior.
    prior
        The probability given before anything is learned, best the objective's usual rate.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> model = FTRLProximal(prior=0.02)
    >>> x = {"merchant=m1": 1.0, "hour=12": 1.0}
    >>> round(model.predict_proba_one(x)[True], 6)
    0.02
    >>> model.learn_one(x, True)
    >>> round(model.predict_proba_one(x)[True], 4)
    0.023
    >>> sorted(model.take_changes())
    ['', 'hour=12', 'merchant=m1']

    References
    ----------
    McMahan et al. 2013, "Ad Click Prediction: a View from the Trenches", KDD, algorithm 1.

    """

    def __init__(
        self, alpha: float = 0.1, beta: float = 1.0, l1: float = 0.0, l2: float = 1.0, prior: float = 0.5
    ) -> None:
        if not (alpha > 0.0 and beta > 0.0 and l1 >= 0.0 and l2 >= 0.0):
            raise ValueError("alpha and beta are positive, l1 and l2 not negative")
        self.alpha = alpha
        self.beta = beta
        self.l1 = l1
        self.l2 = l2
        self.prior = prior
        self.state: dict[str, Cell] = {}
        self._changed: set[str] = set()
        self._start = log_odds(prior)

    def predict_proba_one(self, x: Mapping[Any, float], **kwargs: Any) -> dict[base.typing.ClfTarget, float]:
        """Give the probability of both outcomes; keys never seen count nothing."""
        total, cell_of = self._start, self.state.get
        for key, value in x.items():
            cell = cell_of(key)
            if cell is not None:
                total += cell.weight * value
        intercept = cell_of(INTERCEPT)
        chance = probability(total + intercept.weight if intercept else total)
        return {False: 1.0 - chance, True: chance}

    def learn_one(self, x: Mapping[Any, float], y: base.typing.ClfTarget, w: float = 1.0) -> None:
        """Learn one labelled example of weight `w`.

        Raises
        ------
        ValueError
            If the weight is negative, the key `""` is used as a feature, or a value is not a finite
            number. The model is as it was, and the example is a dead letter.

        """
        if w < 0.0:
            raise ValueError("a weight is not negative; to take an example back, unlearn_one")
        self._step(x, y, w)

    def unlearn_one(self, x: Mapping[Any, float], y: base.typing.ClfTarget, w: float = 1.0) -> None:
        """Take back an example that turned out wrong, for instance a negative before a late conversion.

        The correction of a late conversion is `unlearn_one(x, False, w)`, then `learn_one(x, True, w)`.

        This is a heuristic, not an exact inverse. The gradient taken off is the one the example has *today*:
        the old one is not kept, and today's is what still pulls at the present weights. It is bounded
        (between -1 and 1 per unit), so a correction cannot throw a weight further than an example can. `n` goes
        on growing: a correction is one more look at the key, and shrinking `n` could make the next steps
        explode. Weakness: taking back what was never learned, or twice, pushes the model the wrong way
        unnoticed; `models.labels` sees to it that this does not happen.

        Raises
        ------
        ValueError
            As `learn_one`.

        """
        if w < 0.0:
            raise ValueError("a weight is not negative; to learn an example, learn_one")
        self._step(x, y, -w)

    def _step(self, x: Mapping[Any, float], y: base.typing.ClfTarget, w: float) -> None:
        cells, values = self._cells(x)
        total = self._start
        for cell, value in zip(cells, values, strict=True):
            total += cell.weight * value
        # Also catches a value of inf or NaN under a new key, whose weight is 0: the product is NaN.
        if not math.isfinite(total * w):
            raise ValueError("a feature or the weight is not a finite number")
        slope = (probability(total) - (1.0 if y else 0.0)) * w
        rate, l1 = 1.0 / self.alpha, self.l1
        flat = self.beta * rate + self.l2
        for cell, value in zip(cells, values, strict=True):
            gradient = slope * value
            cell.n += gradient * gradient
            root = math.sqrt(cell.n)
            cell.z = z = cell.z + gradient - (root - cell.root) * rate * cell.weight
            cell.root = root
            cell.weight = 0.0 if -l1 <= z <= l1 else ((l1 if z > 0.0 else -l1) - z) / (flat + root * rate)
        self._changed.update(x)
        self._changed.add(INTERCEPT)

    def _cells(self, x: Mapping[Any, float]) -> tuple[list[Cell], list[float]]:
        if INTERCEPT in x:
            raise ValueError('the key "" is the intercept and no feature')
        state, cells = self.state, []
        for key in x:
            cell = state.get(key)
            if cell is None:
                cell = state[key] = Cell()
            cells.append(cell)
        cells.append(state.get(INTERCEPT) or state.setdefault(INTERCEPT, Cell()))
        return cells, [*x.values(), 1.0]

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Name the cells to fetch from the store before learning an example with these keys."""
        return [key for key in (*keys, INTERCEPT) if key not in self.state]

    def load(self, sums: Mapping[str, tuple[float, float]]) -> None:
        """Put `(z, n)` of some keys in place, as `export` or `take_changes` gave them."""
        rate = 1.0 / self.alpha
        flat = self.beta * rate + self.l2
        for key, (z, n) in sums.items():
            cell = self.state[key] = Cell(z, n)
            if abs(z) > self.l1:
                cell.weight = (math.copysign(self.l1, z) - z) / (flat + cell.root * rate)

    def export(self, keys: Iterable[str] | None = None) -> dict[str, tuple[float, float]]:
        """Give `(z, n)` of the keys, or of all in memory, in the order of the keys."""
        cells = self.state
        return {key: (cells[key].z, cells[key].n) for key in sorted(cells if keys is None else keys)}

    def take_changes(self) -> dict[str, tuple[float, float]]:
        """Give `(z, n)` of every key learned since the last call, sorted, to be written to the store."""
        changed = self.export(self._changed)
        self._changed.clear()
        return changed

    def weights(self, keys: Iterable[str] | None = None) -> dict[str, float]:
        """Give the weights of the keys, or of all in memory, as a snapshot takes them."""
        cells = self.state
        return {key: cells[key].weight for key in sorted(cells if keys is None else keys)}
