"""What a model sees of a candidate at decision time: sparse keys with values, in a fixed order."""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

__all__ = ["CROSSES", "Around", "Attribute", "Named", "Offered", "features", "rule_of"]

Attribute = str | int | float | bool

# Pairs that say more together than apart. Chosen by hand from the offer's side and the customer's side;
# a pair whose half is unknown is left out.
CROSSES: tuple[tuple[str, str], ...] = (
    ("programme", "top"),
    ("programme", "daypart"),
    ("programme", "channel"),
    ("programme", "since"),
    ("programme", "uses"),
    ("merchant", "top"),
    ("merchant", "daypart"),
    ("face", "top"),
    ("face", "uses"),
    ("app_class", "daypart"),
    ("channel", "daypart"),
)
_CROSSES = [(f"{a}^{b}", a, b) for a, b in CROSSES]
_TOP = 5


class Offered(NamedTuple):
    """A candidate, in plain values.

    Parameters
    ----------
    rule, programme, channel
        Ids of what matched and of the way it would go out.
    merchant, pool
        Ids of the coupon's merchant and pool, `""` without a coupon.
    face_cents
        The coupon's face value in minor units, 0 without a coupon.
    words
        Which attributes count though they are words: any other word may be a name or an account, and would leave a
        weight of its own for each customer.

    """

    rule: str
    programme: str
    channel: str
    merchant: str = ""
    pool: str = ""
    face_cents: int = 0
    words: Collection[str] = ()


class Around(msgspec.Struct, frozen=True):
    """What is around the candidates of a decision, the same for all of them.

    Parameters
    ----------
    hour, weekday
        Local time: 0 to 23; Monday is 0.
    app_class
        The app class that the event is about, `""` if none.
    classes
        The customer's decayed score per app class, 0 or more.
    days_since_contact
        Days since any message to the customer, None if never.
    contacts
        Messages to the customer inside the policy's window.
    attrs
        What the bank says of the customer; each also crosses with the programme. A number becomes a half
        order of magnitude, so that no scale has to be learned first.

    """

    hour: int
    weekday: int
    app_class: str = ""
    classes: Mapping[str, float] = {}
    days_since_contact: float | None = None
    contacts: int = 0
    attrs: Mapping[str, Attribute] = {}

    def named(self) -> "Named":
        """Name it, once for all candidates.

        Raises
        ------
        ValueError
            If a number is not finite.

        """
        about, since = self.app_class, self.days_since_contact
        favourites = sorted([(-score, name) for name, score in self.classes.items() if score > 0.0])[:_TOP]
        daypart, uses = str(self.hour // 4), _level(self.classes.get(about, 0.0)) if about else ""
        last = "never" if since is None else str(int(min(max(since, 0.0), 63.0)).bit_length())
        past = [f"since={last}", f"contacts={min(self.contacts, 5)}", *([f"uses={uses}"] if about else ())]
        return Named(
            [f"hour={self.hour}", f"daypart={daypart}", f"weekday={self.weekday}"],
            [f"app_class={about}"] if about else [],
            past + [f"class.{name}={_level(-negated)}" for negated, name in favourites],
            {
                "top": favourites[0][1] if favourites else "",
                "daypart": daypart,
                "since": last,
                "uses": uses,
                "app_class": about,
            },
            [(name, _half_magnitude(value), isinstance(value, str)) for name, value in sorted(self.attrs.items())],
        )


class Named(NamedTuple):
    """The customer's side: keys in their places, halves of crosses, and attributes, each with whether it is a word."""

    moment: list[str]
    about: list[str]
    past: list[str]
    halves: dict[str, str]
    attrs: list[tuple[str, str, bool]]


def features(offered: Offered, around: Named) -> dict[str, float]:
    """Give the candidate's keys, each `name=value`, a cross `name^name=value^value`; all have the value 1.

    Numbers are cut into levels, so one weight per level needs no standardisation and explains itself.
    Equal candidates give equal dicts in equal order: models add floats in that order, and a replay must match
    to the bit.

    Examples
    --------
    >>> noon = Around(hour=12, weekday=4, classes={"food": 3.0}).named()
    >>> lunch = features(Offered("r1", "takeaway", "push"), noon)
    >>> list(lunch)[:4]
    ['rule=r1', 'programme=takeaway', 'channel=push', 'hour=12']
    >>> "programme^top=takeaway^food" in lunch
    True

    """
    rule, programme, channel, merchant, pool, face_cents, words = offered
    # Counting bits doubles from step to step and is exact on every machine, unlike a logarithm.
    face = str(face_cents.bit_length()) if face_cents else ""
    moment, about, past, halves, attrs = around
    keys = [f"rule={rule}", f"programme={programme}", f"channel={channel}", *moment]
    if merchant:
        keys.append(f"merchant={merchant}")
    if pool:
        keys.append(f"pool={pool}")
    keys += about
    if face:
        keys.append(f"face={face}")
    keys += past
    half = {"programme": programme, "channel": channel, "merchant": merchant, "face": face, **halves}
    keys += [f"{name}={half[a]}^{half[b]}" for name, a, b in _CROSSES if half[a] and half[b]]
    for name, value, is_word in attrs:
        if not is_word or name in words:
            keys += (f"attr.{name}={value}", f"programme^attr.{name}={programme}^{value}")
    return dict.fromkeys(keys, 1.0)


def rule_of(known: Iterable[str]) -> str | None:
    """Give the rule whose candidate some features describe.

    Examples
    --------
    >>> rule_of({"rule=r1": 1.0, "programme=takeaway": 1.0})
    'r1'

    """
    return next((name.removeprefix("rule=") for name in known if name.startswith("rule=")), None)


def _level(score: float) -> str:
    """Count the doublings of 1 + score: 0 below 1, 4 at most."""
    return str(int(min(1.0 + max(score, 0.0), 16.0)).bit_length() - 1)


def _half_magnitude(value: Attribute) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        raise ValueError(f"an attribute is not a finite number: {value}")
    size = int(2.0 * math.log10(1.0 + abs(value)))
    return str(size if value >= 0 else -size)
