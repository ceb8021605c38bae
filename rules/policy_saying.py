"""The contact policy in sentences, Chinese and English: so complete that it could be written again from them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from kairos.instants import MINUTE, SECOND, Millis
from kairos.offers import Channel
from rules.experiment_saying import control_lines
from rules.findings import clock
from rules.moments import clock_hours
from rules.policy import Caps, Class, Closure, Gate, Policy, Purpose
from rules.saying import WORDS, Language, length, shown

__all__ = ["caps_said", "policy_lines"]

T = TypeVar("T")

_GATES: Final[Mapping[Language, Mapping[Gate, str]]] = {
    "zh": {
        "hours": "触达时段",
        "calendar": "停发日历",
        "caps": "次数上限",
        "gap": "触达间隔",
        "ignored": "忽略停发",
        "control": "全局及活动对照组",
    },
    "en": {
        "hours": "the hours",
        "calendar": "the calendar",
        "caps": "the caps",
        "gap": "the gap",
        "ignored": "the rest of ignored channels",
        "control": "the control groups of this policy",
    },
}


def policy_lines(policy: Policy, language: Language) -> list[str]:
    r"""Say everything that a policy says, a sentence a line.

    Examples
    --------
    >>> print(*policy_lines(Policy.default(), "en")[:4], sep="\n")
    All times are meant in Asia/Shanghai, for every customer.
    SMS may be sent from 08:00 to 21:00.
    Push may be sent from 08:00 to 21:00.
    Lists may be sent from 00:00 to 24:00.

    """
    return list(_zh(policy) if language == "zh" else _en(policy))


def caps_said(caps: Caps, language: Language) -> str:
    """Say caps.

    Examples
    --------
    >>> policy = Policy.default()
    >>> caps_said(policy.caps[Channel.SMS], "en"), caps_said(policy.caps[Channel.SMS], "zh")
    ('at most 3 in 7 days', '7天内至多3次')

    """
    if language == "zh":
        return "且".join(f"{length(cap.within, 'zh')}内至多{cap.at_most}次" for cap in caps)
    return " and ".join(f"at most {cap.at_most} in {length(cap.within, 'en')}" for cap in caps)


_EN: Final = {Channel.SMS: "SMS", Channel.PUSH: "Push", Channel.LIST: "Lists"}


def _en(policy: Policy) -> Iterator[str]:
    zone = policy.zone
    if policy.customer_zone is None:
        yield f"All times are meant in {zone}, for every customer."
    else:
        own = f"Hours are meant in the customer's own zone, the attribute {shown(policy.customer_zone)}"
        yield f"{own}; where it is not known, in {zone} and never outside 08:00 to 21:00. Days are meant in {zone}."
    for channel in Channel:
        yield f"{_EN[channel]} may be sent {_from_to(policy.hours[channel])}."
    for name, found in policy.classes.items():
        yield _class_en(name, found)
    for closure in policy.calendar:
        yield f"{closure.name}: {_what_en(closure)} {_span(closure, zone, ' to ')}."
    for channel, caps in _in_order(policy.caps):
        yield f"{_EN[channel]}: {caps_said(caps, 'en')} for a customer, counted to the second."
    if policy.overall is not None:
        yield f"By all channels and for all purposes together: {caps_said(policy.overall, 'en')}."
    if policy.gap is not None:
        yield f"After a contact by any channel there is none for {length(policy.gap, 'en')}."
    for name, purpose in policy.purposes.items():
        yield from _purpose_en(name, purpose)
    yield from _people_en(policy)


def _people_en(policy: Policy) -> Iterator[str]:
    if (ignored := policy.ignored) is not None:
        rest = f"A channel rests for {length(ignored.rest, 'en')} after {ignored.after} delivered messages in a row"
        yield f"{rest} that nobody opened, clicked, redeemed or converted on within {length(ignored.within, 'en')}."
    if (testers := policy.testers) is not None:
        who = [*([f"customers tagged {shown(testers.tag)}"] if testers.tag else []), *map(shown, testers.customers)]
        yield f"Testers, marked and left out of statistics: {', '.join(who) or 'nobody'}."
    if policy.control is not None:
        yield from control_lines(policy.control, "en")
    if (rate := policy.losers) is not None:
        told = f"What losing candidates read is recorded in {_percent(rate)} of the decisions, drawn from their ids"
        yield f"{told}; what won, and every reason, is recorded always."
    yield "A contact counts when it is decided, also in control groups, and no longer when it is known to have failed."


def _class_en(name: str, found: Class) -> str:
    hours = ", ".join(f"{WORDS['en'][channel.value]} {_from_to(one)}" for channel, one in _in_order(found.hours))
    return f"Of the class {name} ({', '.join(found.products)}), besides: {hours}."


def _what_en(closure: Closure) -> str:
    what = (
        "nothing is sent" if closure.classes is None else f"nothing of the class {' or '.join(closure.classes)} is sent"
    )
    if closure.channels is None:
        return what
    return f"{what} by {' or '.join(WORDS['en'][channel.value] for channel in closure.channels)}"


def _purpose_en(name: str, purpose: Purpose) -> Iterator[str]:
    if purpose.caps is not None:
        yield f"For the purpose {name}, by all channels together: {caps_said(purpose.caps, 'en')}."
    if purpose.bypass is not None:
        gates = ", ".join(_GATES["en"][gate] for gate in purpose.bypass)
        yield f"The purpose {name} passes {gates}, because: {purpose.because}. Consent and stops hold all the same."


def _zh(policy: Policy) -> Iterator[str]:
    zone, words = policy.zone, WORDS["zh"]
    if policy.customer_zone is None:
        yield f"所有时间均按{zone}计，对所有客户一致。"
    else:
        own = shown(policy.customer_zone)
        unknown = f"时区未知的，按{zone}计且不在08:00至21:00之外触达"
        yield f"时段按客户自己的时区（属性{own}）计；{unknown}。日期按{zone}计。"
    for channel in Channel:
        yield f"{words[channel.value]}可触达时段：{clock_hours(policy.hours[channel])}。"
    for name, found in policy.classes.items():
        hours = "，".join(f"{words[channel.value]}{clock_hours(one)}" for channel, one in _in_order(found.hours))
        yield f"产品类别{name}（{'、'.join(found.products)}）另须满足：{hours}。"
    for closure in policy.calendar:
        channels = "、".join(words[channel.value] for channel in closure.channels or ())
        classes = f"（仅限产品类别{'、'.join(closure.classes)}）" if closure.classes else ""
        yield f"{closure.name}：{_span(closure, zone, '至')}停发{channels}{classes}。"
    for channel, caps in _in_order(policy.caps):
        yield f"每位客户{words[channel.value]}{caps_said(caps, 'zh')}，按秒滚动计算。"
    if policy.overall is not None:
        yield f"各渠道、各用途合计{caps_said(policy.overall, 'zh')}。"
    if policy.gap is not None:
        yield f"任一渠道触达后{length(policy.gap, 'zh')}内不再触达。"
    for name, purpose in policy.purposes.items():
        yield from _purpose_zh(name, purpose)
    yield from _people_zh(policy)


def _purpose_zh(name: str, purpose: Purpose) -> Iterator[str]:
    if purpose.caps is not None:
        yield f"用途{name}，各渠道合计{caps_said(purpose.caps, 'zh')}。"
    if purpose.bypass is not None:
        gates = "、".join(_GATES["zh"][gate] for gate in purpose.bypass)
        yield f"用途{name}不受{gates}限制，理由：{purpose.because}；客户同意与叫停仍然有效。"


def _people_zh(policy: Policy) -> Iterator[str]:
    if (ignored := policy.ignored) is not None:
        row = f"连续{ignored.after}条已送达消息在{length(ignored.within, 'zh')}内未打开、未点击、未核销、未转化的"
        yield f"{row}，该渠道对该客户停发{length(ignored.rest, 'zh')}。"
    if (testers := policy.testers) is not None:
        who = [*([f"有标签{shown(testers.tag)}的客户"] if testers.tag else []), *map(shown, testers.customers)]
        yield f"测试客户（作标记，不计入统计）：{'、'.join(who) or '无'}。"
    if policy.control is not None:
        yield from control_lines(policy.control, "zh")
    if (rate := policy.losers) is not None:
        yield f"落选候选的取值明细按{_percent(rate)}的比例记录（由决策编号抽取）；胜出者和所有原因始终记录。"
    yield "触达自决策时起计数，对照组同样计数；确定未送达的不再计数。"


def _percent(rate: float) -> str:
    return f"{rate * 100:.6g}%"


def _in_order(by_channel: Mapping[Channel, T]) -> Sequence[tuple[Channel, T]]:
    return [(channel, by_channel[channel]) for channel in Channel if channel in by_channel]


def _from_to(hours: tuple[int, int]) -> str:
    begin, _, end = clock_hours(hours).partition("-")
    return f"from {begin} to {end}{' the next day' if hours[1] < hours[0] else ''}"


def _span(closure: Closure, zone: str, to: str) -> str:
    """Write the days of a closure, the last one included; with times where it is not about whole days."""
    begin, end = closure.span(zone)
    first, last = clock(begin, zone), clock(end, zone)
    if not (first.endswith(" 00:00") and last.endswith(" 00:00")):
        return f"{first}{to}{last}"
    days: tuple[Millis, Millis] = (begin, end - SECOND)
    first, last = (clock(day - day % MINUTE, zone)[:10] for day in days)
    return first if first == last else f"{first}{to}{last}"
