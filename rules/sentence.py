"""Sentences: a rule as one sentence in Chinese and in English, for the list that people look through."""

from collections.abc import Mapping
from typing import Literal

from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis
from rules.asked import Test
from rules.schema import Count, LastSeen, Rule, Trigger, Watched, WhoClause

__all__ = ["Language", "sentence"]

Language = Literal["zh", "en"]

_WORDS: Mapping[Language, Mapping[str, str]] = {
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
    },
}
_UNITS: tuple[tuple[Millis, str, str], ...] = (
    (DAY, "天", "day"),
    (HOUR, "小时", "hour"),
    (MINUTE, "分钟", "minute"),
    (SECOND, "秒", "second"),
)
_SIGNS = (("at_least", " ≥ "), ("at_most", " ≤ "), ("above", " > "), ("below", " < "))


def sentence(rule: Rule, language: Language) -> str:
    """Say a rule in one sentence.

    Examples
    --------
    >>> from rules.book import load
    >>> book = load({"lunch.yaml": '''
    ... format: 1
    ... zone: Asia/Shanghai
    ... currency: CNY
    ... rules:
    ...   - id: noon
    ...     name: Lunch
    ...     scenario: acquisition
    ...     programme: takeaway
    ...     on: {event: app_usage, where: {app_class: food_delivery}}
    ...     who: {all: [{not: {tag: staff}}]}
    ...     when: {all: [{count: {same_as: on, within: 7d, at_least: 3}}]}
    ...     then: {offer: {pool: soup}, channels: [sms], template: lunch, text: {zh: 券, en: -}, expires: 2h}
    ... '''}).book
    >>> print(sentence(book.rules["noon"], "en"))
    On app use (app_class = food_delivery), if not tagged staff and at least 3 × the same in 7 days, offer soup by SMS.
    >>> print(sentence(book.rules["noon"], "zh"))
    当客户使用App（app_class = food_delivery）时，若没有标签staff且7天内至少3次该事件，则经短信提供soup。

    """
    conditions = [_who(clause, language) for clause in rule.who.all]
    for clause in rule.when.all:
        conditions += [_count(clause.count, language)] if clause.count else []
        conditions += [_last_seen(clause.last_seen, language)] if clause.last_seen else []
    asked, event = _WORDS[language]["and"].join(conditions), _event(rule.on, language)
    if language == "zh":
        return f"当客户{event}时，{f'若{asked}，' if asked else ''}则{_then(rule, language)}。"
    return f"On {event}, {f'if {asked}, ' if asked else ''}{_then(rule, language)}."


def _event(on: Trigger | Watched, language: Language) -> str:
    if on.event is None:
        return "该事件" if language == "zh" else "the same"
    said = _WORDS[language][on.event]
    if not on.where:
        return said
    tests = _tests(on.where, language)
    return f"{said}（{tests}）" if language == "zh" else f"{said} ({tests})"


def _tests(tests: Mapping[str, Test], language: Language) -> str:
    return ", ".join(_test(name, test, language) for name, test in tests.items())


def _test(name: str, test: Test, language: Language) -> str:
    words = _WORDS[language]
    parts: list[str] = []
    if test.any_of is not None:
        parts.append(f"{name} = {words['or'].join(map(_value, test.any_of))}")
    if test.none_of is not None:
        parts.append(f"{name}{words['not']}{words['or'].join(map(_value, test.none_of))}")
    for bound, sign in _SIGNS:
        value = getattr(test, bound, None)
        if value is not None:
            parts.append(f"{name}{sign}{_value(value)}")
    return words["and"].join(parts)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _who(clause: WhoClause, language: Language) -> str:
    asked, no = (clause, "") if clause.none is None else (clause.none, "not ")
    if asked.tag is not None:
        if language == "zh":
            return f"{'没' if no else ''}有标签{asked.tag}"
        return f"{no}tagged {asked.tag}"
    said = _tests(asked.attr or {}, language)
    if not no:
        return said
    return f"并非（{said}）" if language == "zh" else f"not ({said})"


def _count(count: Count, language: Language) -> str:
    event, window = _event(count, language), _length(count.within, language)
    if language == "zh":
        return f"{window}内至少{count.at_least}次{event}"
    return f"at least {count.at_least} × {event} in {window}"


def _last_seen(last: LastSeen, language: Language) -> str:
    event = _event(last, language)
    if last.within is not None:
        window = _length(last.within, language)
        return f"{window}内有过{event}" if language == "zh" else f"an earlier {event} within {window}"
    window = _length(last.at_least or 0, language)
    return f"已有{window}没有{event}" if language == "zh" else f"no {event} for {window}"


def _then(rule: Rule, language: Language) -> str:
    then, words = rule.then, _WORDS[language]
    offer = " + ".join(name for name in (then.offer.product, then.offer.pool) if name)
    channels = words["or"].join(words[channel.value] for channel in then.channels)
    said = f"经{channels}提供{offer}" if language == "zh" else f"offer {offer} by {channels}"
    if rule.limits.cooldown:
        rest = _length(rule.limits.cooldown, language)
        said += f"；{rest}内至多一次" if language == "zh" else f"; at most once in {rest}"
    if rule.experiment.control:
        share = f"{rule.experiment.control * 100:g}%"
        said += f"；{share}为对照组" if language == "zh" else f"; {share} are left alone as the control group"
    return said


def _length(millis: Millis, language: Language) -> str:
    for size, zh, en in _UNITS:
        if millis % size == 0:
            number = millis // size
            return f"{number}{zh}" if language == "zh" else f"{number} {en}{'' if number == 1 else 's'}"
    return f"{millis} ms"
