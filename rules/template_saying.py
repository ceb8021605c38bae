"""The templates in sentences, Chinese and English: so complete that they could be written again from them."""

from collections.abc import Iterator, Mapping
from typing import Final

from kairos.offers import Channel
from rules.saying import LANGUAGES, WORDS, Language, shown
from rules.template_values import Kind, Parameter
from rules.templates import Gateway, Registration, Status, Template, Templates

__all__ = ["KINDS", "STATUSES", "template_lines", "templates_lines"]

KINDS: Final[Mapping[Language, Mapping[Kind, str]]] = {
    "zh": {
        "text": "文字",
        "word": "词表中的名称",
        "money": "金额",
        "number": "数字",
        "date": "日期",
        "time": "时间",
        "code": "券码",
        "link": "链接",
    },
    "en": {
        "text": "a text",
        "word": "a name that the words tell",
        "money": "an amount",
        "number": "a number",
        "date": "a day",
        "time": "a day and time",
        "code": "a coupon's code",
        "link": "a link",
    },
}
STATUSES: Final[Mapping[Language, Mapping[Status, str]]] = {
    "zh": {"draft": "草稿", "submitted": "已报备", "approved": "已通过", "rejected": "已驳回"},
    "en": {"draft": "a draft", "submitted": "submitted", "approved": "approved", "rejected": "rejected"},
}
_NAMES: Final[Mapping[Language, Mapping[Language, str]]] = {
    "zh": {"zh": "中文", "en": "英文"},
    "en": {"zh": "Chinese", "en": "English"},
}


def templates_lines(templates: Templates, language: Language) -> list[str]:
    """Say everything that the templates and their gateways say, a sentence a line."""
    return list(_zh(templates) if language == "zh" else _en(templates))


def template_lines(templates: Templates, name: str, language: Language) -> list[str]:
    """Say what one template says."""
    template = templates.templates[name]
    return list(_template_zh(name, template) if language == "zh" else _template_en(name, template))


def _en(templates: Templates) -> Iterator[str]:
    yield f"Days and times are meant in {templates.zone}, amounts in {templates.currency} where they name no other."
    otherwise = _NAMES["en"][templates.language.otherwise]
    if templates.language.attribute is None:
        yield f"All customers are told everything in {otherwise}."
    else:
        asked = f"the attribute {shown(templates.language.attribute)}"
        yield f"Customers are told everything in the language that {asked} names, all others in {otherwise}."
    for word, said in templates.words.items():
        yield f"{shown(word)} is called {shown(said.zh)} in Chinese, {shown(said.en)} in English."
    for name, gateway in templates.gateways.items():
        yield f"The gateway {name} {'; '.join(_gateway_en(gateway))}."
    for name, template in templates.templates.items():
        yield from _template_en(name, template)


def _gateway_en(gateway: Gateway) -> Iterator[str]:
    carried = "HTML texts" if gateway.html else "texts"
    yield f"carries {'only approved ' if gateway.approves else ''}{carried} by {WORDS['en'][gateway.channel.value]}"
    if gateway.sender is not None:
        who = "adds the sender" if gateway.sender_added else "wants each text to begin with the sender"
        yield f"{who} {shown(gateway.sender.zh)} in Chinese, {shown(gateway.sender.en)} in English"
    if (out := gateway.opt_out) is not None:
        yield f"wants {shown(out.zh)} or {shown(out.en)} at the end of messages for {', '.join(out.purposes)}"
    if gateway.segments is not None:
        yield f"carries {gateway.segments} segment{'' if gateway.segments == 1 else 's'} at most"
    if gateway.length is not None:
        yield f"carries {gateway.length} characters at most"
    if gateway.variables.length is not None:
        yield f"takes {gateway.variables.length} characters in each hole of a text at most"
    if not gateway.variables.links:
        yield "takes no link in a hole"
    if gateway.price is not None:
        yield f"costs {gateway.price} a {'segment' if gateway.channel is Channel.SMS else 'message'}"


def _template_en(name: str, template: Template) -> Iterator[str]:
    yield f"The template {name} ({template.name}) is for {template.purpose}."
    for parameter, asked in template.parameters.items():
        yield f"{name}: {parameter} is {', '.join(_parameter(asked, 'en'))}."
    for channel, wording in template.texts.items():
        for language, text in wording.said():
            yield f"{name}, {WORDS['en'][channel.value]}, {_NAMES['en'][language]}: {shown_text(text)}"
    for gateway, stands in template.registered.items():
        for language, found in stands.items():
            yield f"{name}, {_NAMES['en'][language]}: {_stands(found, 'en')} at the gateway {gateway}."


def shown_text(text: str) -> str:
    """Write a text on one line, as it stands."""
    return text.replace("\n", "\\n")


def _parameter(asked: Parameter, language: Language) -> Iterator[str]:
    zh = language == "zh"
    yield KINDS[language][asked.type]
    if asked.type not in ("date", "time"):
        yield f"至多{asked.most}个字符" if zh else f"of {asked.most} characters at most"
    if asked.currency is not None:
        yield f"币种{asked.currency}" if zh else f"in {asked.currency}"
    if asked.under is not None:
        yield f"以{asked.under}开头" if zh else f"which begins with {asked.under}"
    if asked.example is not None:
        yield f"例如{shown(asked.example)}" if zh else f"such as {shown(asked.example)}"


def _stands(found: Registration, language: Language) -> str:
    zh = language == "zh"
    id_ = "" if found.id is None else f"，编号{found.id}" if zh else f" as {found.id}"
    reason = "" if found.reason is None else f"，原因：{found.reason}" if zh else f", because: {found.reason};"
    return f"{STATUSES[language][found.status]}{id_}{reason}"


def _zh(templates: Templates) -> Iterator[str]:
    yield f"日期和时间按{templates.zone}计，未注明币种的金额按{templates.currency}计。"
    otherwise = _NAMES["zh"][templates.language.otherwise]
    if templates.language.attribute is None:
        yield f"对所有客户一律使用{otherwise}。"
    else:
        yield f"按客户属性{shown(templates.language.attribute)}选择语言，其余客户使用{otherwise}。"
    for word, said in templates.words.items():
        yield f"{shown(word)}的中文名称为{shown(said.zh)}，英文名称为{shown(said.en)}。"
    for name, gateway in templates.gateways.items():
        yield f"网关{name}：{'；'.join(_gateway_zh(gateway))}。"
    for name, template in templates.templates.items():
        yield from _template_zh(name, template)


def _gateway_zh(gateway: Gateway) -> Iterator[str]:
    carried = "HTML文案" if gateway.html else "文案"
    yield f"发送{'已通过报备的' if gateway.approves else ''}{carried}，渠道为{WORDS['zh'][gateway.channel.value]}"
    if gateway.sender is not None:
        who = "由网关加签名" if gateway.sender_added else "文案须以签名开头："
        yield f"{who}中文{shown(gateway.sender.zh)}，英文{shown(gateway.sender.en)}"
    if (out := gateway.opt_out) is not None:
        yield f"用途为{'、'.join(out.purposes)}的文案须以{shown(out.zh)}或{shown(out.en)}结尾"
    if gateway.segments is not None:
        yield f"至多{gateway.segments}条计费短信"
    if gateway.length is not None:
        yield f"至多{gateway.length}个字符"
    if gateway.variables.length is not None:
        yield f"每个变量至多{gateway.variables.length}个字符"
    if not gateway.variables.links:
        yield "变量中不得有链接"
    if gateway.price is not None:
        yield f"每条{gateway.price}"


def _template_zh(name: str, template: Template) -> Iterator[str]:
    yield f"模板{name}（{template.name}）用于{template.purpose}。"
    for parameter, asked in template.parameters.items():
        yield f"{name}：{parameter}为{'，'.join(_parameter(asked, 'zh'))}。"
    for channel, wording in template.texts.items():
        for language, text in wording.said():
            yield f"{name}，{WORDS['zh'][channel.value]}，{_NAMES['zh'][language]}：{shown_text(text)}"
    for gateway, stands in template.registered.items():
        for language in LANGUAGES:
            if (found := stands.get(language)) is not None:
                yield f"{name}，{_NAMES['zh'][language]}：在网关{gateway}{_stands(found, 'zh')}。"
