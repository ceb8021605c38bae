"""Saying: the words that sentences are made of, in Chinese and in English."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis

__all__ = ["LANGUAGES", "WORDS", "Language", "days", "length", "listed", "none_of", "one_of", "shown"]

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

WORDS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "zh": {
            "app_usage": "使用App",
            "transaction": "交易",
            "page_view": "打开页面",
            "login": "登录",
            "sms": "短信",
            "push": "推送",
            "list": "名单",
            "or": "或",
            "not": "≠",
            "and": "且",
            "always": "恒成立",
            "(": "（",
            ")": "）",
        },
        "en": {
            "app_usage": "app use",
            "transaction": "transaction",
            "page_view": "page view",
            "login": "login",
            "sms": "SMS",
            "push": "push",
            "list": "list",
            "or": " or ",
            "not": " is not ",
            "and": " and ",
            "always": "always",
            "(": " (",
            ")": ")",
        },
    }
)
_PLAIN = re.compile(r"[\w.+@/:-]+")
_NUMBER = re.compile(r"-?[0-9.]+")
_UNITS: tuple[tuple[Millis, str, str], ...] = (
    (DAY, "天", "day"),
    (HOUR, "小时", "hour"),
    (MINUTE, "分钟", "minute"),
    (SECOND, "秒", "second"),
)


def length(millis: Millis, language: Language) -> str:
    """Say a length of time in the largest unit that holds it exactly.

    Examples
    --------
    >>> length(90 * 60_000, "en"), length(86_400_000, "zh")
    ('90 minutes', '1天')

    """
    for size, zh, en in _UNITS:
        if millis % size == 0:
            number = millis // size
            return f"{number}{zh}" if language == "zh" else f"{number} {en}{'' if number == 1 else 's'}"
    return f"{millis} ms"


def days(number: int, language: Language) -> str:
    """Say a number of calendar days that ends with today."""
    if language == "zh":
        return "今天" if number == 1 else f"最近{number}个自然日"
    return "today" if number == 1 else f"the last {number} calendar days"


def denied(said: str, language: Language) -> str:
    """Say that something does not hold."""
    return f"并非（{said}）" if language == "zh" else f"not ({said})"


def listed(values: Iterable[object], language: Language) -> str:
    """Say that it may be any of some values."""
    return WORDS[language]["or"].join(map(shown, values))


def one_of(name: str, values: Sequence[object], language: Language) -> str:
    """Say that what is called `name` is one of some values, so that no other word can be drawn into the list.

    Examples
    --------
    >>> one_of("page", ["coupon"], "en"), one_of("page", ["coupon", "home"], "en"), one_of("page", ["a", "b"], "zh")
    ('page = coupon', 'page is one of coupon, home', 'page是a、b之一')

    """
    if len(values) == 1:
        return f"{name} = {shown(values[0])}"
    found = [shown(value) for value in values]
    return f"{name}是{'、'.join(found)}之一" if language == "zh" else f"{name} is one of {', '.join(found)}"


def none_of(name: str, values: Sequence[object], language: Language) -> str:
    """Say that it is none of them."""
    if len(values) == 1:
        return f"{name}{WORDS[language]['not']}{shown(values[0])}"
    found = [shown(value) for value in values]
    return f"{name}不是{'、'.join(found)}中的任何一个" if language == "zh" else f"{name} is none of {', '.join(found)}"


def shown(value: object) -> str:
    """Say a value as it is written in a file; a text that could be taken for something else stands in quotes.

    Examples
    --------
    >>> shown("food_delivery"), shown(30), shown("30"), shown("a or b"), shown(True)
    ('food_delivery', '30', '"30"', '"a or b"', 'true')

    """
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and not _NUMBER.fullmatch(value) and value not in ("true", "false")
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)
