"""Previews: what a template says with example values, in how many segments, and what that costs."""

from collections.abc import Iterator
from dataclasses import dataclass

from kairos.money import Money
from kairos.offers import Channel
from rules.saying import Language
from rules.segments import Segments, segments
from rules.template_checks import at_longest, sent_by
from rules.template_texts import rendered
from rules.template_values import example
from rules.templates import Template, Templates

__all__ = ["Carried", "Preview", "previews"]


@dataclass(frozen=True, slots=True)
class Carried:
    """How one gateway would carry a text: its size with the example and with the longest values, and the cost.

    Parameters
    ----------
    gateway
        The gateway's name.
    size, longest
        The segments of an SMS, None for other channels.
    cost, highest
        What the message costs with the example and with the longest values, None where no price is known.

    """

    gateway: str
    size: Segments | None
    longest: Segments | None
    cost: Money | None
    highest: Money | None


@dataclass(frozen=True, slots=True)
class Preview:
    """One text as a customer would read it."""

    channel: Channel
    language: Language
    text: str
    carried: tuple[Carried, ...]


def previews(templates: Templates, name: str) -> Iterator[Preview]:
    """Give every text of a template with its example values.

    Parameters
    ----------
    templates
        The templates.
    name
        Which one.

    """
    template = templates.templates[name]
    shown = {
        parameter: example(templates.money(asked), templates.zone, templates.words)
        for parameter, asked in template.parameters.items()
    }
    for channel, wording in template.texts.items():
        is_html = any(gateway.html for gateway in templates.serving(channel).values())
        for language, said in wording.said():
            values = {parameter: text.zh if language == "zh" else text.en for parameter, text in shown.items()}
            text = rendered(said, values, is_html=is_html)
            yield Preview(channel, language, text, tuple(_carried(templates, template, channel, language, text, said)))


def _carried(
    templates: Templates, template: Template, channel: Channel, language: Language, text: str, said: str
) -> Iterator[Carried]:
    whole = at_longest(templates, template, language, said)
    for name, gateway in templates.serving(channel).items():
        sizes = [segments(sent_by(gateway, language, one)) if channel is Channel.SMS else None for one in (text, whole)]
        costs = [
            None
            if gateway.price is None
            else Money(gateway.price.minor * (size.number if size else 1), gateway.price.currency)
            for size in sizes
        ]
        yield Carried(name, sizes[0], sizes[1], costs[0], costs[1])
