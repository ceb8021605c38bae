"""The values of a template's parameters: which ones fit, how each is written in both languages, and how long it gets.

What does not fit is no value at all: the message is not made, and the decision says which parameter it was.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from kairos.money import Currency, Money, exponent
from kairos.offers import Text
from rules.asked import Written
from rules.problems import mistake
from rules.saying import Language
from rules.segments import is_gsm, places
from rules.words import Scalar

__all__ = ["Kind", "Parameter", "Raw", "Words", "longest", "spoken"]

Kind = Literal["text", "word", "money", "number", "date", "time", "code", "link"]
Raw = str | int | float | Money | datetime
"""A value before it is written: a moment is a `datetime` with its zone."""
Words = Mapping[str, Text]
"""What stands for the names that the bank uses among its own, in both languages."""

_LENGTHS: Final[Mapping[Kind, int]] = {"money": 10, "number": 12}
_FIXED: Final[Mapping[Kind, tuple[str, str]]] = {
    "date": ("2026年12月30日", "2026-12-30"),
    "time": ("2026年12月30日 12:30", "2026-12-30 12:30"),
}
_CODE = re.compile(r"[A-Za-z0-9._-]+")
_LINK = re.compile(r"https://[A-Za-z0-9:/?&=%#._-]+")
# Operators look for addresses in what a hole of an approved text is filled with, and for the brackets of a sender.
_SUSPICIOUS = re.compile(r"://|www\.|[a-z0-9-]+\.(com|cn|net|org|cc|top|xyz|io|me)\b|[【】{}]", re.IGNORECASE)


class Parameter(Written):
    """One parameter: what kind of value it takes, and how long that may be."""

    type: Kind
    """What it takes; `word` is a name that `words` tells in both languages."""
    length: Annotated[int, Field(strict=True, ge=1, le=200)] | None = None
    """How many characters a value may have; 10 for money and 12 for a number unless it is said."""
    currency: Currency | None = None
    """The currency of money; the file's unless it is said."""
    under: (
        Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+/[A-Za-z0-9:/._-]*$", max_length=200)] | None
    ) = None
    """What each link begins with: an address of the bank's own."""
    example: Scalar | None = None
    """What stands for it in a preview and in a test."""

    @model_validator(mode="after")
    def _says_what_its_type_needs(self) -> Self:
        if self.type in _FIXED and self.length is not None:
            raise mistake(f"a {self.type} is as long as it is; leave length out")
        if self.type not in _FIXED and self.type not in _LENGTHS and self.length is None:
            raise mistake(f"say length: how many characters a {self.type} may have")
        if (self.type == "link") != (self.under is not None):
            raise mistake(
                "a link, and only a link, says under which of the bank's addresses it lies: under: https://..."
            )
        if self.currency is not None and self.type != "money":
            raise mistake("only money has a currency")
        return self

    @property
    def most(self) -> int:
        """How many characters a value may have."""
        if self.type in _FIXED:
            return max(map(len, _FIXED[self.type]))
        return self.length or _LENGTHS[self.type]


def spoken(parameter: Parameter, raw: Raw | None, zone: str, words: Words) -> Text | None:
    """Write a value in both languages; None where it is missing or does not fit.

    Parameters
    ----------
    parameter
        What takes it.
    raw
        The value.
    zone
        In which days and times are meant.
    words
        The names that are told in both languages.

    Examples
    --------
    >>> spoken(Parameter(type="money", currency="CNY"), Money(1550, "CNY"), "UTC", {})
    Text(zh='15.5', en='15.5')
    >>> spoken(Parameter(type="text", length=10), "go to www.evil.example", "UTC", {}) is None
    True

    """
    written = _written(parameter, raw, zone, words)
    if written is None or any(not one or places(one) > parameter.most for one in written):
        return None
    return Text(zh=written[0], en=written[1])


def _written(parameter: Parameter, raw: Raw | None, zone: str, words: Words) -> tuple[str, str] | None:
    if raw is None or isinstance(raw, bool):
        return None
    match parameter.type:
        case "money":
            return _alike(_money(raw, parameter.currency))
        case "number":
            return _alike(_number(raw)) if isinstance(raw, int | float) else None
        case "date" | "time":
            return _moment(raw, zone, with_time=parameter.type == "time")
        case "word":
            found = words.get(raw) if isinstance(raw, str) else None
            return None if found is None else (found.zh, found.en)
    return _alike(_text(raw, parameter)) if isinstance(raw, str) else None


def _alike(written: str | None) -> tuple[str, str] | None:
    return None if written is None else (written, written)


def _text(raw: str, parameter: Parameter) -> str | None:
    text = raw.strip()
    if parameter.type == "code":
        return text if _CODE.fullmatch(text) else None
    if parameter.type == "link":
        return text if _LINK.fullmatch(text) and text.startswith(parameter.under or "https://") else None
    return text if text.isprintable() and not _SUSPICIOUS.search(text) else None


def _money(raw: Raw, currency: str | None) -> str | None:
    if isinstance(raw, Money):
        return _number(Decimal(raw.minor).scaleb(-exponent(raw.currency))) if raw.currency == currency else None
    return _number(raw) if isinstance(raw, int | float) else None


def _number(raw: int | float | Decimal) -> str | None:
    if raw != raw or raw in (float("inf"), float("-inf")):
        return None
    # A float is written as it prints, so that 0.1 is not a long row of digits.
    text = format(Decimal(str(raw)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(raw: Raw, zone: str, *, with_time: bool) -> tuple[str, str] | None:
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw)
        except ValueError:
            return None
        raw = raw if raw.tzinfo else raw.replace(tzinfo=ZoneInfo(zone))
    if not isinstance(raw, datetime):
        return None
    at = raw.astimezone(ZoneInfo(zone))
    time = f" {at:%H:%M}" if with_time else ""
    return f"{at.year}年{at.month}月{at.day}日{time}", f"{at:%Y-%m-%d}{time}"


def longest(parameter: Parameter, language: Language, words: Words) -> str:
    """Give a value that takes as many places as any that fits."""
    match parameter.type:
        case "date" | "time":
            return _FIXED[parameter.type][language == "en"]
        case "text":
            return "字" * parameter.most
        case "word":
            said = [text.en if language == "en" else text.zh for text in words.values()]
            fits = [one for one in said if places(one) <= parameter.most] or ["0"]
            return ("0" if all(map(is_gsm, fits)) else "字") * max(map(places, fits))
        case "link":
            return (parameter.under or "").ljust(parameter.most, "0")
    return "0" * parameter.most


_EXAMPLES: Final[Mapping[Kind, Raw]] = {
    "text": "示例",
    "money": 15,
    "number": 3,
    "date": "2026-12-31",
    "time": "2026-12-31 18:00",
    "code": "K00000Z9F4FAV",
}


def example(parameter: Parameter, zone: str, words: Words) -> Text:
    """Give what stands for a parameter in a preview: its own example, or one of its kind."""
    own = parameter.example
    if own is None and parameter.type == "word":
        own = next((word for word in words if spoken(parameter, word, zone, words)), None)
    raw = own if own is not None else parameter.under or _EXAMPLES.get(parameter.type)
    found = spoken(parameter, raw, zone, words)
    if found is None:
        filler = {language: longest(parameter, language, words) for language in ("zh", "en")}
        return Text(zh=filler["zh"], en=filler["en"])
    return found
