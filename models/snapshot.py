"""What a model knows at one moment, for scoring: its weights and nothing else."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

import msgspec
import numpy as np

__all__ = ["Snapshot", "log_odds", "probability"]

VERSION = 2
# Beyond this a probability is 0 or 1 in a float, and its logarithm infinite.
WIDEST = 35.0


def log_odds(share: float) -> float:
    """Put a probability on the scale on which weights add up.

    Raises
    ------
    ValueError
        If `share` is not strictly between 0 and 1: nothing could be learned from certainty.

    Examples
    --------
    >>> log_odds(0.5)
    0.0

    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"a prior lies strictly between 0 and 1, not {share}")
    return math.log(share / (1.0 - share))


def probability(total: float) -> float:
    """Turn log odds, a sum of weights, into a probability, never exactly 0 or 1.

    Examples
    --------
    >>> probability(0.0)
    0.5
    >>> 0.0 < probability(-1e9) < probability(1e9) < 1.0
    True

    """
    if total > WIDEST:
        total = WIDEST
    elif total < -WIDEST:
        total = -WIDEST
    return 1.0 / (1.0 + math.exp(-total))


class _Written(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """The bytes of a snapshot, as a msgpack array; new fields need a new `version`. The second one added `shown`."""

    version: int
    objective: str
    prior: float
    keys: list[str]
    weights: bytes
    shown: dict[str, int] = {}


class _First(msgspec.Struct, array_like=True, frozen=True):
    """The first version: what a model that has counted nothing is still written as."""

    version: int
    objective: str
    prior: float
    keys: list[str]
    weights: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable copy of one objective's weights, the same number on every worker.

    Weights are rounded to 32 bits on the way in, so that a score is the same before and after the
    bytes have travelled; the rounding moves a probability by some millionths of itself. Zero weights are
    left out: they say nothing, and two equal states have equal bytes.

    Parameters
    ----------
    objective
        What the model predicts, for example `redeemed`; the key of its trainer.
    prior
        The probability that an empty snapshot gives to everybody.
    weights
        Weight per key, in log odds per unit of the feature; `""` is the intercept, added to the prior.
    shown
        From how many offers of each rule it has learnt; a rule that is not named was never offered.

    Raises
    ------
    ValueError
        If the prior is not strictly between 0 and 1, or a weight is not finite in 32 bits.

    Examples
    --------
    >>> fresh = Snapshot("redeemed", prior=0.02)
    >>> round(fresh.score({"merchant=m1": 1.0}), 6)
    0.02
    >>> taught = fresh.revised({"merchant=m1": 1.5, "hour=12": 0.0})
    >>> round(taught.score({"merchant=m1": 1.0}), 4)
    0.0838
    >>> Snapshot.from_bytes(taught.to_bytes()) == taught
    True

    """

    objective: str
    prior: float
    weights: Mapping[str, float] = field(default_factory=dict)
    shown: Mapping[str, int] = field(default_factory=dict)
    _start: float = field(init=False, repr=False, compare=False)
    _sums: dict[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        single = _single(self.weights.values()).tolist()
        # Sorted once: summation, equality and bytes must not depend on who met a key first.
        rounded = dict(sorted((key, w) for key, w in zip(self.weights, single, strict=True) if w))
        start = log_odds(self.prior) + rounded.get("", 0.0)
        object.__setattr__(self, "weights", MappingProxyType(rounded))
        object.__setattr__(self, "shown", MappingProxyType(dict(sorted(self.shown.items()))))
        object.__setattr__(self, "_sums", rounded)
        object.__setattr__(self, "_start", start)

    def score(self, features: Mapping[str, float]) -> float:
        """Give the probability for one candidate; unknown keys count nothing. About 1.5 us for 20 keys."""
        total, weight = self._start, self._sums.get
        for key, value in features.items():
            total += weight(key, 0.0) * value
        return probability(total)

    def terms(self, features: Mapping[str, float]) -> dict[str, float]:
        """Explain a score: what each key adds to the log odds, the intercept with the prior under `""`."""
        known = {key: self._sums[key] * value for key, value in features.items() if key in self._sums}
        return {"": self._start} | known

    def revised(self, changed: Mapping[str, float]) -> Self:
        """Give the next snapshot, in which the weights of some keys are new; 0 removes a key."""
        return type(self)(self.objective, self.prior, {**self.weights, **changed}, self.shown)

    def to_bytes(self) -> bytes:
        """Write canonical bytes: the same weights give the same bytes, hence the same content hash."""
        weights = _single(self.weights.values()).tobytes()
        written = (self.objective, self.prior, list(self.weights), weights)
        counted = _Written(VERSION, *written, dict(self.shown)) if self.shown else _First(1, *written)
        return msgspec.msgpack.encode(counted)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ValueError
            If these are not the bytes of a snapshot, or of a version this build does not know: the
            worker keeps the snapshot it has.

        """
        try:
            written = msgspec.msgpack.decode(content, type=_Written)
        except msgspec.DecodeError as error:
            raise ValueError(f"not a snapshot: {error}") from error
        if not 1 <= written.version <= VERSION:
            raise ValueError(f"snapshot version {written.version} is unknown here, expected 1 to {VERSION}")
        if len(written.weights) != 4 * len(written.keys):
            raise ValueError("a snapshot needs one 4-byte weight per key")
        weights = np.frombuffer(written.weights, dtype="<f4").tolist()
        return cls(written.objective, written.prior, dict(zip(written.keys, weights, strict=True)), written.shown)


def _single(weights: Iterable[float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    with np.errstate(over="ignore"):
        single = np.fromiter(weights, dtype=np.float64).astype("<f4")
    if not np.isfinite(single).all():
        raise ValueError("a weight is not a finite 32-bit number; the model that made it is broken")
    return single
