"""The simulated customers: who they are, what they like, and what they would do with an offer.

A customer is a function of the seed and a number, so that millions need no memory.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Any, Final

from kairos.apps import AppsFile
from kairos.instants import DAY, Millis, rfc3339

__all__ = [
    "CLASSES",
    "MERCHANTS",
    "TRADES",
    "Person",
    "apps_of",
    "catalogue",
    "invent_consent",
    "key_of",
    "person_of",
    "profile_of",
    "truth_of",
]

CLASSES: Final = (
    *("food_delivery", "shopping", "coupons", "travel", "ride_hailing", "groceries", "video", "music", "games"),
    *("social", "messaging", "news", "finance", "insurance", "investment", "payments", "education", "health"),
    *("fitness", "maps", "weather", "photo", "tools", "productivity", "browser", "system"),
)
"""The 26 classes of apps."""
MERCHANTS: Final = {
    "waimai-a": "food_delivery",
    "waimai-b": "food_delivery",
    "waimai-c": "food_delivery",
    "chuxing-a": "ride_hailing",
    "lvxing-a": "travel",
}
"""Merchants that give coupons: each is an app of its class and takes payments in it."""
TRADES: Final = ("grocery", "dining", "fuel", "pharmacy", "utilities", "telecom", "fashion", "education", "leisure")
APPS_A_CLASS: Final = 50
TAGS: Final = 10_000
"""How many offline tags there are, `t0000` to `t9999`; a customer carries about twenty."""


@dataclass(frozen=True, slots=True)
class Person:
    """What does not change about a customer; `favourites` are places in `CLASSES`, `warmth` is liking for offers."""

    favourites: tuple[int, int, int]
    mobile_bank: str
    card: str
    warmth: float


def catalogue() -> AppsFile:
    """Give the simulated catalogue: 26 classes with 50 apps each, the merchants among them.

    Examples
    --------
    >>> apps = catalogue().apps
    >>> len(apps), apps["waimai-a"], apps["sim.news.49"]
    (1300, 'food_delivery', 'news')

    """
    return AppsFile(classes=CLASSES, apps={app: class_ for class_ in CLASSES for app in apps_of(class_)})


def invent_consent(chance: Random, before: Millis) -> list[dict[str, Any]]:
    """Invent what a customer allowed: 12 % said nothing, 5 % refused, the others allow all channels or one."""
    what = chance.random()
    if what < 0.12:
        return []
    at = before - chance.randrange(30 * DAY, 900 * DAY)
    refused = what < 0.17
    channel = "*" if refused or what < 0.65 else "sms" if what < 0.85 else "push"
    purpose = "*" if refused else "marketing"
    return [{"purpose": purpose, "channel": channel, "granted": not refused, "at": rfc3339(at)}]


def key_of(number: int) -> str:
    """Give the customer's key."""
    return f"S{number:07d}"


@lru_cache(maxsize=1 << 17)
def person_of(number: int, seed: int) -> Person:
    """Give the customer of this number."""
    dice = blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    return Person(
        favourites=(dice[0] % 26, dice[1] % 26, dice[2] % 26),
        mobile_bank="unregistered" if dice[3] < 102 else "registered" if dice[3] < 192 else "active",
        card="credit" if dice[4] < 77 else "debit",
        warmth=dice[5] / 255,
    )


@lru_cache(maxsize=len(CLASSES))
def apps_of(class_: str) -> tuple[str, ...]:
    """Give the apps of a class, the most used first."""
    named = [app for app, own in MERCHANTS.items() if own == class_]
    return (*named, *(f"sim.{class_}.{number}" for number in range(len(named), APPS_A_CLASS)))


def profile_of(person: Person, before: Millis, chance: Random) -> dict[str, Any]:
    """Invent what the bank knows of the customer, in the form of `kairos.events.Profile`."""
    # Half of the tags come from where the favourites point, so that a model can learn something from them.
    block = TAGS // len(CLASSES)
    tags = [person.favourites[chance.randrange(3)] * block + chance.randrange(block) for _ in range(10)]
    tags += [chance.randrange(TAGS) for _ in range(10)]
    return {
        "attrs": {
            "mobile_bank": person.mobile_bank,
            "has_credit_card": person.card == "credit",
            "aum": round(chance.lognormvariate(13, 1.4)),
        },
        "tags": ["has_debit_card", *(f"t{tag:04d}" for tag in tags)],
        "consent": invent_consent(chance, before),
        "do_not_contact": chance.random() < 0.01,
        "personalisation": chance.random() < 0.95,
        "link": "synthetic",
    }


def truth_of(number: int, person: Person, chance: Random) -> dict[str, Any]:
    """Draw the chance to open an offer, to redeem it, and to buy without one, for each class."""
    taste = [1.8 if c in person.favourites else 0.0 for c in range(len(CLASSES))]
    drawn = [2 * person.warmth + liked + chance.gauss(0, 0.4) for liked in taste]
    opened = [round(_logistic(want - 2.5), 3) for want in drawn]
    return {
        "customer": key_of(number),
        "open": opened,
        "redeem": [round(o * _logistic(want - 3.0), 3) for o, want in zip(opened, drawn, strict=True)],
        "base": [round(_logistic(liked - 4.5), 3) for liked in taste],
    }


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
