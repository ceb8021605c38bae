"""Fates: what became of each rule at each event, in a live run and in a backtest, in a form that compares."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from console.backtest_rows import DecisionRow
from kairos.instants import Millis, from_rfc3339

__all__ = ["PARTS", "Fate", "Fates", "Key", "Made", "Pair", "decision_of"]

Key = tuple[str, str, str]
"""Customer, cause and rule; the cause is the event, or the absence that was waited for after it."""
_OUTCOME: Final = ("verdict", "arm", "channel", "pool", "treatment", "control")
_READ: Final = ("score", "rank", "passed", "terms", "chance", "read", "parameter")
_DECISION: Final = ("facts", "programme", "deferred", "ledger", "losers")
PARTS: Final = (*_READ, *_DECISION)
"""What is compared beside the outcome, in the order in which it is told."""
_SIZE: Final = 8
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


class Fate(NamedTuple):
    """What became of one rule at one event.

    Parameters
    ----------
    decision, event
        Their names.
    at, event_at
        When it was decided, and when the event happened.
    outcome
        Verdict, arm, channel, pool, form, and whose control group.
    parts
        What was read and weighed for it: the hashes of `PARTS`, one behind the other.
    versions
        What was in force.
    waited
        Whether it is about an absence, or waited for the end of quiet hours.

    """

    decision: str
    event: str
    at: Millis
    event_at: Millis
    outcome: tuple[str | None, ...]
    parts: bytes
    versions: Mapping[str, str]
    waited: bool

    @property
    def verdict(self) -> str:
        """What became of it."""
        return self.outcome[0] or ""

    def differs(self, other: "Fate") -> tuple[str, ...]:
        """Name what is not the same; when and under which name it was decided is not asked."""
        told = [name for name, one, two in zip(_OUTCOME, self.outcome, other.outcome, strict=True) if one != two]
        for place, name in enumerate(PARTS):
            piece = slice(_SIZE * place, _SIZE * (place + 1))
            if self.parts[piece] != other.parts[piece]:
                told.append(name)
        return tuple(told)

    def ends_as(self, other: "Fate") -> bool:
        """Whether the outcome is the same, whatever was read."""
        return self.outcome == other.outcome


class Pair(NamedTuple):
    """One rule at one event, live and in the backtest; at least one of them is there."""

    key: Key
    live: Fate | None
    back: Fate | None

    @property
    def some(self) -> Fate:
        """Give the one that is there."""
        found = self.live or self.back
        if found is None:
            raise ValueError("a pair of nothing")
        return found


class Made(NamedTuple):
    """A decision: what is asked for by its name, and all that it says."""

    row: DecisionRow
    said: Mapping[str, Any]


def decision_of(value: bytes) -> Made:
    """Read a decision.

    Raises
    ------
    ValueError
        It is none.

    """
    try:
        found = _decode(value)
        return Made(msgspec.convert(found, DecisionRow), found)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"no decision: {error}") from None


class Fates:
    """The fates of one run, gathered record by record; of what is decided twice the first is meant."""

    def __init__(self) -> None:
        self.found: dict[Key, Fate] = {}
        self._hashes: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def take(self, made: Made) -> None:
        """Gather what one decision says."""
        row, said = made
        # Thousands of decisions name the same few sets.
        kept = self._hashes.setdefault(tuple(row.versions.items()), row.versions)
        waited = row.absence is not None or row.deferred_at is not None
        common = _digests(_said(said), _DECISION)
        at, event_at = from_rfc3339(row.decided_at), from_rfc3339(row.event.at)
        for verdict in said["verdicts"]:
            outcome = tuple(verdict.get(name) for name in _OUTCOME)
            parts = _digests(verdict, _READ) + common
            fate = Fate(row.id, row.event.id, at, event_at, outcome, parts, kept, waited)
            self.found.setdefault((row.customer, row.cause, verdict["rule"]), fate)

    def beside(self, live: "Fates") -> Iterator[Pair]:
        """Give each rule and event of either run, these fates being the backtest's."""
        for key in self.found.keys() | live.found.keys():
            yield Pair(key, live.found.get(key), self.found.get(key))


def _said(decision: Mapping[str, Any]) -> dict[str, Any]:
    word = decision.get("ledger")
    # The offer's name follows from the decision's, and so from the book: which rule won stands in the verdicts.
    ledger = None if word is None else [word.get("granted") is not None, word.get("pool"), word.get("virtual")]
    deferred = decision.get("deferred_at") is not None
    return {**decision, "ledger": ledger, "deferred": deferred}


def _digests(said: Mapping[str, Any], names: tuple[str, ...]) -> bytes:
    return b"".join(blake2b(_encode(said.get(name)), digest_size=_SIZE).digest() for name in names)
