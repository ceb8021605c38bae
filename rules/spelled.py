"""Spelled: how each small word of a rule file is read, or what was expected in its place."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationInfo

from kairos import money
from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis, from_rfc3339
from kairos.money import Money
from rules.problems import mistake, shown, suggest

__all__ = [
    "AMOUNT",
    "DURATION",
    "amount",
    "bounded",
    "days",
    "duration",
    "first_day",
    "flag",
    "format_",
    "in_our_days",
    "instant",
    "is_zone",
    "last_day",
    "length",
    "number",
    "probability",
    "scalar",
    "share",
    "word",
    "zone",
]

_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
DURATION = re.compile(r"(0|[1-9][0-9]{0,8})([smhd])")
AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,3})?( [A-Z]{3})?")
_LONGEST = 3650 * DAY


def duration(value: object) -> Millis:
    """Read a length of time such as `7d`."""
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise mistake(f"expected a length of time such as 30m, 2h or 7d, got {shown(value)}")
    millis = int(found[1]) * _UNITS[found[2]]
    if millis > _LONGEST:
        raise mistake(f"{value} is longer than 3650d")
    return millis


def bounded(window: Millis) -> Millis:
    """Refuse a window that is nothing or for ever."""
    if not SECOND <= window <= 400 * DAY:
        raise mistake("expected a length of time between 1s and 400d")
    return window


def days(value: object) -> int:
    """Read a number of calendar days."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 400:
        raise mistake(f"expected a number of calendar days between 1 and 400, got {shown(value)}")
    return value


def length(millis: Millis) -> str:
    """Write a length of time in the largest unit that holds it exactly.

    Examples
    --------
    >>> length(7 * 86_400_000), length(5_400_000), length(0)
    ('7d', '90m', '0s')

    """
    for unit, size in _UNITS.items():
        if millis and millis % size == 0:
            return f"{millis // size}{unit}"
    return "0s"


def share(value: object) -> float:
    """Read a share such as `10%`."""
    text = value[:-1] if isinstance(value, str) and value.endswith("%") else None
    if text is not None and re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", text):
        return float(Decimal(text) / 100)
    if isinstance(value, Decimal | float) or (isinstance(value, int) and value == 0):
        return float(value)
    raise mistake(f"expected a share such as 10%, got {shown(value)}")


def probability(value: object) -> float:
    """Read a probability."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value <= 1:
        raise mistake(f"expected a probability between 0 and 1, got {shown(value)}")
    return float(value)


def amount(value: object, info: ValidationInfo) -> Money:
    """Read an amount, in the file's currency unless it names its own."""
    written = _literally(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    if not AMOUNT.fullmatch(written):
        raise mistake(f"expected an amount such as 30, 30.50 or 12000 JPY, got {shown(value)}")
    try:
        return money.parse(written, (info.context or {}).get("currency", "CNY"))
    except ValueError as error:
        raise mistake(str(error)) from None


def number(value: object) -> int | float:
    """Read a number between -10^15 and 10^15."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise mistake(f"expected a number, got {shown(value)}")
    if not -(10**15) <= value <= 10**15:
        raise mistake("a number lies between -10^15 and 10^15")
    return int(value) if value == int(value) else float(value)


def word(value: object) -> str:
    """Read a word; a merchant called 010 or 7 has a name, so numbers are taken as they are written."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise mistake(f"expected a word, got {shown(value)}; put it in quotes if it is a name")
    text = _literally(value)
    if not 1 <= len(text) <= 200:
        raise mistake("a word has 1 to 200 characters")
    return text


def _literally(value: str | int | Decimal) -> str:
    # `str` writes 0.0000001 as 1E-7, which nobody wrote.
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise mistake(f"expected true or false, got {shown(value)}")
    return value


def scalar(value: object) -> str | int | float | bool:
    """Read a word, a number, or true or false."""
    if isinstance(value, bool | str):
        return value
    return number(value)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def zone(value: object) -> str:
    """Read the name of a time zone."""
    if not isinstance(value, str) or not is_zone(value):
        near = suggest(value, available_timezones(), "nothing") if isinstance(value, str) else ""
        raise mistake(f"expected a time zone such as Asia/Shanghai, got {shown(value)}{near}")
    return value


def first_day(value: object, info: ValidationInfo) -> Millis:
    """Read a day as its first instant."""
    return _day(value, info, timedelta(0))


def last_day(value: object, info: ValidationInfo) -> Millis:
    """Read a day as the instant after its last one."""
    return _day(value, info, timedelta(days=1))


def _day(value: object, info: ValidationInfo, ahead: timedelta) -> Millis:
    text = value if isinstance(value, str) else ""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return in_our_days(_local(datetime.combine(date.fromisoformat(text) + ahead, time()), info))
        return in_our_days(from_rfc3339(text))
    except (ValueError, OverflowError):
        raise mistake(f"expected a day such as 2026-12-01, got {shown(value)}") from None


def instant(value: object, info: ValidationInfo) -> Millis:
    """Read a local time."""
    text = value if isinstance(value, str) else ""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", text):
            found = in_our_days(_local(datetime.fromisoformat(text), info))
        else:
            return in_our_days(from_rfc3339(text))
    except (ValueError, OverflowError):
        raise mistake(f'expected a local time such as "2026-12-01 12:05", got {shown(value)}') from None
    zone = _zone(info)
    if datetime.fromtimestamp(found // 1000, zone).replace(tzinfo=None) != datetime.fromisoformat(text):
        raise mistake(f"{shown(value)} does not exist in {zone.key}: the clocks are put forward past it")
    return found


def _local(naive: datetime, info: ValidationInfo) -> Millis:
    return round(naive.replace(tzinfo=_zone(info)).timestamp() * 1000)


def _zone(info: ValidationInfo) -> ZoneInfo:
    return ZoneInfo((info.context or {}).get("zone", "UTC"))


def in_our_days(instant: Millis) -> Millis:
    """Give back an instant that any zone can write.

    Raises
    ------
    ValueError
        It lies at the ends of the calendar.

    """
    # At the ends of the calendar a zone's offset leads out of it, and what was read could not be written again.
    if not -70 * 366 * DAY <= instant <= 7000 * 366 * DAY:
        raise ValueError("no clock of ours will ever show it")
    return instant


def format_(value: object) -> object:
    """Read the number of a format; true and 1.0 are equal to 1, and neither is what the author was asked for."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise mistake(f"the format is the whole number 1, not {shown(value)}")
    return value
