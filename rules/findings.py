"""Findings: one clause or gate with its verdict and what it read, in both languages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis, moment
from kairos.money import Money
from rules.conditions.first import First
from rules.conditions.last_seen import LastSeen
from rules.conditions.sequence import Sequence
from rules.moments import Clock
from rules.places import Near, distance
from rules.saying import LANGUAGES, Language, length, shown

__all__ = ["Bilingual", "Finding", "ago", "bilingual", "blamed", "both", "clock", "flag", "read_of"]

Bilingual = Mapping[Language, str]
"""A text in every language."""
_UNKNOWN: Bilingual = {"zh": "未知", "en": "unknown"}
_FLAGS: Mapping[bool, Bilingual] = {True: {"zh": "是", "en": "yes"}, False: {"zh": "否", "en": "no"}}


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause or gate, or several joined.

    Parameters
    ----------
    kind
        What it is: `count`, `tag:vip`, `attr:age`, `where:app_class`, a gate's reason such as `cooldown`; or how those
        below are joined: `all`, `any`, `not`.
    holds
        None is unknown, which is never enough.
    said
        What is asked.
    read
        The value it was held against; empty where the verdict says it all.
    below
        What is joined here.

    """

    kind: str
    holds: bool | None
    said: Bilingual
    read: Bilingual = field(default_factory=lambda: both(lambda _: ""))
    below: tuple["Finding", ...] = ()

    def is_of(self, kind: str) -> bool:
        """Whether it is of a kind: `attr` is the kind of `attr:age`, too."""
        return self.kind == kind or self.kind.startswith(f"{kind}:")


def blamed(found: Finding, *, wanted: bool = True) -> Finding:
    """Give the first clause below that is not as wanted: what is in the way."""
    if found.kind == "not":
        return blamed(found.below[0], wanted=not wanted)
    for part in found.below:
        if part.holds is not wanted:
            return blamed(part, wanted=wanted)
    return found


def both(say: Callable[[Language], str]) -> Bilingual:
    """Say something in every language."""
    return {language: say(language) for language in LANGUAGES}


def bilingual(zh: str, en: str) -> Bilingual:
    """Put a text in Chinese and the same in English together."""
    return {"zh": zh, "en": en}


def flag(value: bool) -> Bilingual:
    """Say yes or no."""
    return _FLAGS[value]


def read_of(asked: object, value: object) -> Bilingual:
    """Say the value that a clause read, as the clause looks at it."""
    if isinstance(asked, LastSeen | First | Sequence):
        return ago(value * SECOND if isinstance(value, int) else None)
    if isinstance(asked, Clock) and isinstance(value, int):
        return both(lambda _: clock(value, asked.zone))
    if isinstance(asked, Near) and isinstance(value, tuple):
        return _UNKNOWN if None in value else both(lambda _: f"{distance(asked.lat, asked.lon, *value):.0f} m")
    if value is None:
        return _UNKNOWN
    if isinstance(value, bool):
        return flag(value)
    if isinstance(value, Money):
        return both(lambda _: str(value))
    return both(lambda _: f"{value:g}" if isinstance(value, float) else shown(value))


def ago(past: Millis | None) -> Bilingual:
    """Say how long ago something was, to the two largest units; None is never.

    Examples
    --------
    >>> ago(90_061_000)["en"], ago(None)["zh"]
    ('1 day 1 hour ago', '从未')

    """
    if past is None:
        return {"zh": "从未", "en": "never"}
    return {"zh": f"{_roughly(past, 'zh')}前", "en": f"{_roughly(past, 'en')} ago"}


def _roughly(past: Millis, language: Language) -> str:
    parts, rest = [], past
    for size in (DAY, HOUR, MINUTE, SECOND):
        if rest >= size:
            parts.append(_of_unit(rest // size, size, language))
            rest %= size
    return ("" if language == "zh" else " ").join(parts[:2]) or _of_unit(0, SECOND, language)


def _of_unit(number: int, size: Millis, language: Language) -> str:
    one = length(size, language).removeprefix("1").strip()
    return f"{number}{one}" if language == "zh" else f"{number} {one}{'' if number == 1 else 's'}"


def clock(at: Millis, zone: str) -> str:
    """Write an instant as a local time, with its seconds only where there are some.

    Examples
    --------
    >>> clock(1796097600000, "Asia/Shanghai"), clock(1796097601000, "UTC")
    ('2026-12-01 12:00', '2026-12-01 04:00:01')

    """
    local: datetime = moment(at).astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%d %H:%M:%S" if at % MINUTE else "%Y-%m-%d %H:%M")
