"""Meant: what people who know another tool write for our keys, so that they are told ours, not the most alike one."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rules.problems import suggest

__all__ = ["OURS", "meant"]

OURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "and": ("all",),
        "average": ("avg",),
        "before": ("at_least", "within", "until"),
        "days": ("in", "within", "for"),
        "duration": ("within", "for", "in"),
        "end": ("until",),
        "for": ("within", "in"),
        "greater_than": ("above",),
        "gt": ("above",),
        "gte": ("at_least",),
        "holdout": ("control",),
        "if": ("where", "when"),
        "in": ("within", "for", "any_of"),
        "last": ("within", "in", "for"),
        "less_than": ("below",),
        "lt": ("below",),
        "lte": ("at_most",),
        "max": ("at_most", "per_customer"),
        "maximum": ("at_most", "per_customer"),
        "mean": ("avg",),
        "min": ("at_least",),
        "minimum": ("at_least",),
        "more_than": ("above",),
        "no": ("not",),
        "of": ("field",),
        "or": ("any",),
        "over": ("above",),
        "pause": ("cooldown",),
        "rest": ("cooldown",),
        "start": ("from",),
        "then": ("steps",),
        "to": ("until", "at_most"),
        "total": ("sum",),
        "trigger": ("on",),
        "under": ("below",),
        "unless": ("not",),
        "valid_for": ("expires",),
        "window": ("within", "in", "for"),
        "with": ("where",),
        "within": ("in", "for"),
    }
)
"""By what is written elsewhere: our keys for it, the likeliest first."""


def meant(key: object, known: Iterable[str]) -> str:
    """Give the tail of the sentence that a key is not known: ours for it, else the most alike, else all there are.

    Examples
    --------
    >>> meant("and", ["all", "any"]), meant("within", ["event", "in"]), meant("evnt", ["event", "in"])
    ("; did you mean 'all'?", "; did you mean 'in'?", "; did you mean 'event'?")

    """
    names = set(known)
    ours = next((name for name in OURS.get(str(key), ()) if name in names), None)
    return suggest(key, names) if ours is None else f"; did you mean {ours!r}?"
