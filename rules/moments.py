"""Moments: hours of the day, days of the week and of the calendar, each in a time zone."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from kairos.instants import MINUTE, Millis
from rules.asked import Asked
from rules.problems import mistake, shown, suggest
from rules.saying import Language
from rules.shapes import OneOrMore, Shape, at_least_one, listed, some
from rules.source import Readings, any_of, constant
from rules.words import Zone

__all__ = [
    "Clock",
    "Hours",
    "Minutes",
    "OwnZone",
    "clock_hours",
    "day_of",
    "first_second",
    "local",
    "midnight",
    "minutes_in",
]

Minutes = tuple[int, int]
"""From which minute of the day until before which."""
Local = tuple[int, int]
"""The minute of the day, and the day of the week: 0 is Monday."""

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = f"^({'|'.join(_WEEK)})(-({'|'.join(_WEEK)}))?$"
_DAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_QUARTER = 15 * MINUTE
_DAY = 86_400


def _minutes(value: object) -> Minutes:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise mistake(f'expected hours such as "08:00-21:00", got {shown(value)}')
    begin = int(found[1]) * 60 + int(found[2])
    end = 24 * 60 if found[3] is None else int(found[3]) * 60 + int(found[4])
    if begin == end:
        raise mistake(f'{value} is no time at all; the whole day is "00:00-24:00"')
    return begin, end


def clock_hours(minutes: Minutes) -> str:
    """Write hours of the day as in a file.

    Examples
    --------
    >>> clock_hours((480, 1260))
    '08:00-21:00'

    """
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in minutes)


Hours = Annotated[
    Minutes,
    PlainValidator(_minutes),
    PlainSerializer(clock_hours, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({_HOURS.pattern})$",
            "description": "Hours of the day, half open; they may cross midnight.",
            "examples": ["11:00-13:30", "21:00-08:00"],
        }
    ),
]
"""Hours of the day, half open; `21:00-08:00` crosses midnight."""


def minutes_in(hours: Minutes, minute: int) -> bool:
    """Whether a minute of the day lies within some hours.

    Examples
    --------
    >>> minutes_in((480, 1260), 1259), minutes_in((480, 1260), 1260), minutes_in((1260, 480), 30)
    (True, False, True)

    """
    begin, end = hours
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def local(at: Millis, zone: str) -> Local:
    """Give the minute of the day and the day of the week of an instant in a zone.

    Examples
    --------
    >>> from kairos.instants import from_rfc3339
    >>> local(from_rfc3339("2026-12-01T11:30:00+08:00"), "Asia/Shanghai")
    (690, 1)

    """
    second = at // 1000 + _offset(at // _QUARTER, zone)
    return second % _DAY // 60, (second // _DAY + 3) % 7


@lru_cache(maxsize=65_536)
def _offset(quarter: int, zone: str) -> int:
    # Zones have changed by quarters of an hour at the least, and on such a quarter.
    moment = datetime.fromtimestamp(quarter * _QUARTER // 1000, UTC).astimezone(ZoneInfo(zone))
    offset = moment.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def first_second(at: Millis, zone: str, days: int) -> int:
    """Give the second in which the first of so many calendar days begins, the last of them being that of `at`.

    Examples
    --------
    >>> from kairos.instants import from_rfc3339, rfc3339
    >>> rfc3339(1000 * first_second(from_rfc3339("2026-12-01T11:30:00+08:00"), "Asia/Shanghai", 1))
    '2026-11-30T16:00:00.000Z'

    """
    return midnight(day_of(at, zone) - days + 1, zone)


def day_of(at: Millis, zone: str) -> int:
    """Give the calendar day of an instant in a zone, counted from the first of January 1970.

    Examples
    --------
    >>> day_of(0, "UTC"), day_of(16 * 3_600_000, "Asia/Shanghai")
    (0, 1)

    """
    return (at // 1000 + _offset(at // _QUARTER, zone)) // _DAY


@lru_cache(maxsize=65_536)
def midnight(day: int, zone: str) -> int:
    """Give the second in which a calendar day begins in a zone."""
    noon = datetime.fromtimestamp(day * _DAY, UTC)
    return round(datetime(noon.year, noon.month, noon.day, tzinfo=ZoneInfo(zone)).timestamp())


def _week(value: object) -> tuple[int, ...]:
    found: set[int] = set()
    for word in value if isinstance(value, list) else [value]:
        begin, dash, end = str(word).partition("-")
        for name in (begin, end) if dash else (begin,):
            if name not in _WEEK:
                raise mistake(f"{shown(name)} is no day of the week{suggest(name, _WEEK)}")
        first, last = _WEEK.index(begin), _WEEK.index(end or begin)
        found |= {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
    if not found:
        raise mistake("name a day of the week such as mon, or several such as mon-fri or [sat, sun]")
    return tuple(sorted(found))


def _named(days: tuple[int, ...]) -> list[str]:
    return [_WEEK[day] for day in days]


def _or_the_files(value: object, info: ValidationInfo) -> object:
    return (info.context or {}).get("zone", "UTC") if value is None else value


OwnZone = Annotated[Zone, BeforeValidator(_or_the_files), Field(default=None, validate_default=True)]
"""A zone; the file's unless it is written. In the published form it always is."""
_NAMES: Any = some(Annotated[str, Field(pattern=_SPAN, examples=["mon-fri", "sat"])])
Week = Annotated[
    tuple[int, ...],
    PlainValidator(_week, json_schema_input_type=_NAMES),
    PlainSerializer(_named, when_used="json"),
]
"""Days of the week; `fri-mon` goes over the weekend."""


class Clock(Asked):
    """A test of the moment: hours of the day (half open, they may cross midnight) and days of the week."""

    time: (
        Annotated[tuple[Hours, ...], BeforeValidator(listed), Field(min_length=1, max_length=10), OneOrMore()] | None
    ) = None
    """Hours of the day, half open; they may cross midnight."""
    days: Week | None = None
    """Days of the week."""
    zone: OwnZone

    shapes: ClassVar[tuple[Shape, ...]] = (at_least_one("time", "days"),)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.time is None and self.days is None:
            raise mistake('nothing is asked here; write time: "11:00-13:30", days: mon-fri, or both')
        return self

    def fits(self, value: Any) -> bool | None:
        """Whether an instant lies in these hours and days."""
        minute, day = local(value, self.zone)
        on_day = self.days is None or day in self.days
        return on_day and (self.time is None or any(minutes_in(hours, minute) for hours in self.time))

    def of_field(self, name: str, readings: Readings, *, indexed: bool = False) -> list[str]:
        """Write that the event happened in these hours and days."""
        first, again = readings.of(f"local(f_{name}, {constant(self.zone)})")
        parts: list[str] = []
        if self.days is not None:
            parts.append(f"{first}[1] in {constant(self.days)}")
        if self.time is not None:
            minute = f"{again if parts else first}[0]"
            parts.append(any_of(_between(hours, minute, f"{again}[0]") for hours in self.time))
        return parts

    def said(self, name: str, language: Language) -> str:
        """Say the hours and days."""
        comma = "、" if language == "zh" else ", "
        parts = [] if self.days is None else [_week_said(self.days, language)]
        parts += [] if self.time is None else [comma.join(map(clock_hours, self.time))]
        return f"{' '.join(parts)} ({self.zone})"


def _week_said(days: tuple[int, ...], language: Language) -> str:
    names = _DAYS[language]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{names[days[0]]}{'至' if language == 'zh' else ' to '}{names[days[-1]]}"
    return ("、" if language == "zh" else ", ").join(names[day] for day in days)


def _between(hours: Minutes, first: str, again: str) -> str:
    begin, end = hours
    return f"({first} >= {begin} {'and' if begin < end else 'or'} {again} < {end})"
