"""What a model sees of a candidate at decision time: sparse keys with values, in a fixed order."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["CROSSES", "Attribute", "Context", "features", "rule_of"]

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
_TOP = 5


@dataclass(frozen=True, slots=True)
class Context:
    """A candidate and its customer, in plain values, as of the decision.

    Parameters
    ----------
    rule, programme, channel
        Ids of what matched and of the way it would go out.
    merchant, pool
        Ids of the coupon's merchant and pool, `""` without a coupon.
    app_class
        The app class the offer is about, `""` if none.
    face_cents
        The coupon's face value in minor units, 0 without a coupon.
    hour, weekday
        Local time: 0 to 23; Monday is 0.
    classes
        The customer's decayed score per app class, 0 or more.
    days_since_contact
        Days since any message to the customer, None if never.
    contacts
        Messages to the customer inside the policy's window.
    attrs
        A short list of attributes; each also crosses with the programme. A number becomes a half
        order of magnitude, so that no scale has to be learned first.

    """

    rule: str
    programme: str
    channel: str
    hour: int
    weekday: int
    merchant: str = ""
    pool: str = ""
    app_class: str = ""
    face_cents: int = 0
    classes: Mapping[str, float] = field(default_factory=dict)
    days_since_contact: float | None = None
    contacts: int = 0
    attrs: Mapping[str, Attribute] = field(default_factory=dict)


def features(context: Context) -> dict[str, float]:
    """Give the candidate's keys, each `name=value`, a cross `name^name=value^value`; all have the value 1.

    Numbers are cut into levels, so one weight per level needs no standardisation and explains itself.
    Equal contexts give equal dicts in equal order: models add floats in that order, and a replay must match
    to the bit.

    Raises
    ------
    ValueError
        If a number is not finite.

    Examples
    --------
    >>> lunch = Context("r1", "takeaway", "push", hour=12, weekday=4, classes={"food": 3.0})
    >>> list(features(lunch))[:4]
    ['rule=r1', 'programme=takeaway', 'channel=push', 'hour=12']
    >>> "programme^top=takeaway^food" in features(lunch)
    True

    """
    named = _named(context)
    keys = [f"{name}={value}" for name, value in named.items() if value]
    favourites = sorted((-score, name) for name, score in context.classes.items() if score > 0.0)[:_TOP]
    keys += [f"class.{name}={_level(-negated)}" for negated, name in favourites]
    if favourites:
        named["top"] = favourites[0][1]
    keys += [f"{a}^{b}={named[a]}^{named[b]}" for a, b in CROSSES if named.get(a) and named.get(b)]
    for name in sorted(context.attrs):
        value = _half_magnitude(context.attrs[name])
        keys += (f"attr.{name}={value}", f"programme^attr.{name}={context.programme}^{value}")
    return dict.fromkeys(keys, 1.0)


def rule_of(known: Iterable[str]) -> str | None:
    """Give the rule whose candidate some features describe.

    Examples
    --------
    >>> rule_of(features(Context("r1", "takeaway", "push", hour=12, weekday=4)))
    'r1'

    """
    return next((name.removeprefix("rule=") for name in known if name.startswith("rule=")), None)


def _named(context: Context) -> dict[str, str]:
    """Name the single values, `""` where there is none."""
    since, about = context.days_since_contact, context.app_class
    return {
        "rule": context.rule,
        "programme": context.programme,
        "channel": context.channel,
        "hour": str(context.hour),
        "daypart": str(context.hour // 4),
        "weekday": str(context.weekday),
        "merchant": context.merchant,
        "pool": context.pool,
        "app_class": about,
        # Counting bits doubles from step to step and is exact on every machine, unlike a logarithm.
        "face": str(context.face_cents.bit_length()) if context.face_cents else "",
        "since": "never" if since is None else str(int(min(max(since, 0.0), 63.0)).bit_length()),
        "contacts": str(min(context.contacts, 5)),
        "uses": _level(context.classes.get(about, 0.0)) if about else "",
    }


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
