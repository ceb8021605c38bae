"""Sentences: a rule as one sentence in Chinese and in English, for the list that people look through."""

from collections.abc import Iterator, Mapping
from typing import Final

from rules.conditions.past import said_events
from rules.logic import Tree, conjunction
from rules.saying import LANGUAGES, WORDS, Language, length
from rules.schema import Rule, Status

__all__ = ["LANGUAGES", "Language", "asked_of", "limits_of", "sentence", "unusual"]


_STATUS: Final[Mapping[Language, Mapping[Status, str]]] = {
    "zh": {Status.PAUSED: "目前暂停，命中只作记录", Status.DRAFT: "目前为草稿，只累计行为、不触发"},
    "en": {Status.PAUSED: "paused: matches are only recorded", Status.DRAFT: "a draft: it watches and never fires"},
}


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
    asked = asked_of(rule, language)
    event = said_events(rule.on.event, rule.on.where, language)
    if language == "zh":
        return f"当客户{event}时，{f'若{asked}，' if asked else ''}则{_then(rule, language)}。"
    return f"On {event}, {f'if {asked}, ' if asked else ''}{_then(rule, language)}."


def asked_of(rule: Rule, language: Language) -> str:
    """Say all that is asked of the customer and of the past, or nothing where nothing is asked."""
    asked: list[Tree] = [part for part in (rule.who, rule.when) if part.parts is None or part.parts]
    return conjunction(asked, language, flat=True)


def _then(rule: Rule, language: Language) -> str:
    then, words = rule.then, WORDS[language]
    offer = " + ".join(name for name in (then.offer.product, then.offer.pool) if name)
    channels = words["or"].join(words[channel.value] for channel in then.channels)
    said = f"经{channels}提供{offer}" if language == "zh" else f"offer {offer} by {channels}"
    if rule.limits.cooldown:
        rest = length(rule.limits.cooldown, language)
        said += f"；{rest}内至多一次" if language == "zh" else f"; at most once in {rest}"
    said += "".join(f"；{part}" if language == "zh" else f"; {part}" for part in limits_of(rule, language))
    if rule.experiment.control:
        share = f"{rule.experiment.control * 100:g}%"
        said += f"；{share}为对照组" if language == "zh" else f"; {share} are left alone as the control group"
    if forms := [f"{treatment.name} {treatment.share * 100:g}%" for treatment in rule.experiment.treatments or ()]:
        said += f"；另有形式{'、'.join(forms)}" if language == "zh" else f"; in other forms for {', '.join(forms)}"
    return said + "".join(f"；{part}" if language == "zh" else f"; {part}" for part in unusual(rule, language))


def unusual(rule: Rule, language: Language) -> Iterator[str]:
    """Say what a reader does not expect of a rule: another consent, a short memory, that it does nothing now."""
    zh = language == "zh"
    if rule.purpose != "marketing":
        yield f"所需同意的用途为{rule.purpose}" if zh else f"consent is asked for {rule.purpose}"
    if rule.in_quiet_hours == "defer":
        waits = "in quiet hours it waits for their end as long as the event is fresh"
        yield "遇免打扰时段，在时效内顺延至可触达时" if zh else waits
    if rule.warm == "accept":
        cold = "what is not remembered counts as not happened, however short the memory"
        yield "记忆时间不足时也按已有记录判断" if zh else cold
    if rule.warm == "replay":
        yield "启用时用仍保留的事件补齐记忆" if zh else "its memory is filled from the events that are still kept"
    if rule.status in _STATUS[language]:
        yield _STATUS[language][rule.status]


def limits_of(rule: Rule, language: Language) -> Iterator[str]:
    """Say how often beside the cooldown, and what becomes of that which was counted."""
    zh, most, group = language == "zh", rule.limits.per_customer, rule.limits.group
    if most is not None:
        times = "once" if most == 1 else f"{most} times"
        yield f"每位客户至多{most}次" if zh else f"at most {times} for a customer"
    if group is not None:
        yield f"与{group}组的规则共用冷却期" if zh else f"resting after every rule of the group {group}"
    if rule.consume:
        yield "触发后重新计数" if zh else "looking no further back than its last time"
