"""The sandbox's customers: what a simulated customer does with an offer. Made up, and labelled so wherever it goes.

What they are like, the truth, may be read from a file that `kairos simulate` wrote; no other part of Kairos opens it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from console.population import MERCHANTS
from kairos.events import Feedback
from kairos.ids import share
from kairos.instants import SECOND, Millis
from kairos.offers import Channel

__all__ = ["Chances", "Handed", "Later", "NotTheTruth", "Truth", "reactions"]

DELIVERED: Final = 0.97
"""The share of messages that arrive at a phone."""


class NotTheTruth(Exception):
    """The file is not a truth that `kairos simulate` wrote."""


@dataclass(frozen=True, slots=True)
class Handed:
    """An offer as a gateway was handed it, as far as its customer cares."""

    id: str
    decision: str
    customer: str
    channel: Channel
    purpose: str
    code: str | None = None
    merchant: str | None = None


class Chances(NamedTuple):
    """How likely an offer that arrived is opened, and how likely it is made use of."""

    opened: float
    used: float


EVERYBODY: Final = Chances(0.35, 0.10)
"""The chances of a customer the truth says nothing of."""


class Later(NamedTuple):
    """What will come back, and how long after the offer."""

    after: Millis
    feedback: Feedback


class _Header(msgspec.Struct):
    format: str
    classes: list[str]


class _Line(msgspec.Struct):
    customer: str
    open: list[float]
    redeem: list[float]


@dataclass(frozen=True, slots=True)
class Truth:
    """What the customers are like: for each, the chances by class of app; `default` is for everybody else."""

    classes: tuple[str, ...] = ()
    customers: Mapping[str, tuple[Chances, ...]] = field(default_factory=dict)
    default: Chances = EVERYBODY

    @classmethod
    def read(cls, path: Path) -> "Truth":
        """Read a truth.

        Raises
        ------
        NotTheTruth
            The file is something else.

        """
        with path.open("rb") as lines:
            try:
                header = msgspec.json.decode(next(lines, b""), type=_Header)
                if header.format != "kairos-truth/1":
                    raise NotTheTruth(f"{path} has the format {header.format!r}, not 'kairos-truth/1'")
                decode = msgspec.json.Decoder(_Line).decode
                found = {line.customer: tuple(map(Chances, line.open, line.redeem)) for line in map(decode, lines)}
            except msgspec.DecodeError as error:
                raise NotTheTruth(f"{path} is not what `kairos simulate` writes as --truth: {error}") from None
        return cls(tuple(header.classes), found)

    def chances(self, offer: Handed) -> Chances:
        """Give the chances of one offer: of its merchant's class, or of the mean class where it has none."""
        known = self.customers.get(offer.customer)
        if not known:
            return self.default
        class_ = MERCHANTS.get(offer.merchant or "")
        if class_ in self.classes:
            return known[self.classes.index(class_)]
        return Chances(*(sum(chances) / len(known) for chances in zip(*known, strict=True)))


def reactions(offer: Handed, chances: Chances, seed: int) -> list[Later]:
    """Give all that a customer does with an offer; the same for the same offer and seed.

    The offer arrives or not; it is opened (which only a push says), clicked, and made use of: a coupon is redeemed,
    a product taken. The chance of use is split evenly between the click and the use.

    Examples
    --------
    >>> offer = Handed("o1", "d1", "c1", Channel.PUSH, "marketing", code="K1")
    >>> [later.feedback.what for later in reactions(offer, Chances(1.0, 1.0), seed=1)]
    ['delivered', 'opened', 'clicked', 'redeemed']

    """
    # A receipt comes within half a second, each further step one to two seconds after the one before it.
    after = _drawn(offer, "delivered:delay", seed) / 2
    if _drawn(offer, "delivered", seed) >= DELIVERED:
        return [_later(offer, "undelivered", after)]
    found = [_later(offer, "delivered", after)]
    step = math.sqrt(chances.used / chances.opened) if chances.opened else 0.0
    for what, chance in (
        ("opened", chances.opened),
        ("clicked", step),
        ("redeemed" if offer.code else "converted", step),
    ):
        if _drawn(offer, what, seed) >= chance:
            break
        after += 1 + _drawn(offer, f"{what}:delay", seed)
        if what != "opened" or offer.channel is Channel.PUSH:
            found.append(_later(offer, what, after))
    return found


def _drawn(offer: Handed, what: str, seed: int) -> float:
    return share(f"sandbox:{seed}:{what}", offer.id)


def _later(offer: Handed, what: str, after: float) -> Later:
    said = {
        "what": what,
        "offer": offer.id,
        "decision": offer.decision,
        "channel": offer.channel,
        "purpose": offer.purpose,
        "code": offer.code if what == "redeemed" else None,
        "simulated": True,
    }
    return Later(round(after * SECOND), Feedback.model_validate(said))
