"""The message of an offer whose rule names a template: its values, its text, or the parameter that stands in the way.

The text of an offer with a coupon is finished by the ledger, which alone knows the code. Until then the offer carries
what the template says and all other values: nothing that a value says is ever read as a template.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple, cast

from kairos.customer import Person
from kairos.decisions import Reason
from kairos.events import Event
from kairos.instants import Millis, moment
from kairos.money import Money
from kairos.offers import Channel, CouponPool, Message, Offer, Promised, Text
from rules.binding import Bound
from rules.saying import LANGUAGES, Language
from rules.schema import Then
from rules.template_texts import LONGEST, parameters_of, rendered
from rules.template_values import Parameter, Raw, spoken
from rules.templates import Template, Templates

__all__ = ["About", "Said", "Unsaid", "finished", "ids_of", "keeps_promise", "languages_of", "message_of", "of_pool"]


class About(NamedTuple):
    """What the values of a message are taken from; the pool is None where the offer has none, or nobody knows it."""

    event: Event
    person: Person
    product: str | None
    expires: Millis
    pool: CouponPool | None


class Said(NamedTuple):
    """A message, and the text that goes with it; while the message waits for a code, the text is the template's."""

    message: Message
    text: Text


class Unsaid(NamedTuple):
    """Why there is no message, and which parameter is in the way, if one is."""

    reason: Reason
    parameter: str | None = None


def message_of(templates: Templates, then: Then, channel: Channel, about: About) -> Said | Unsaid:
    """Make the message of an offer.

    Parameters
    ----------
    templates
        What is in force.
    then
        What the rule offers: it names the template, and where its values come from.
    channel
        By which channel.
    about
        What the values are taken from.

    """
    template = templates.templates.get(then.template)
    languages = () if template is None else languages_of(templates, template, channel)
    if template is None or templates.language.otherwise not in languages:
        return Unsaid(Reason.NO_TEMPLATE)
    texts = dict(template.texts[channel].said())
    parts = {language: language if language in languages else templates.language.otherwise for language in LANGUAGES}
    sources = {language: texts[part] for language, part in parts.items()}
    found = _values(templates, template, then, {*sources.values()}, about)
    if isinstance(found, Unsaid):
        return found
    values, codes = found
    language = _language(templates, about.person, languages)
    message = Message(
        content=template.hash,
        language=language,
        # A language that is not sent says what the other one says: whoever reads it reads whole sentences.
        values={
            name: Text(**{into: getattr(text, part) for into, part in parts.items()}) for name, text in values.items()
        },
        ids=ids_of(templates, template, channel, language),
        codes=codes,
        promised=_promised(then, values, about.pool),
        is_html=any(gateway.html for gateway in templates.serving(channel).values()),
    )
    text = Text(**sources) if codes else _text(Text(**sources), message.values, is_html=message.is_html)
    return Unsaid(Reason.NO_VALUE) if text is None else Said(message, text)


def languages_of(templates: Templates, template: Template, channel: Channel) -> tuple[Language, ...]:
    """Give the languages in which a template says something by a channel and every gateway carries it."""
    wording = template.texts.get(channel)
    said = () if wording is None else dict(wording.said())
    return tuple(one for one in said if templates.unapproved(template, channel, one) is None)


def keeps_promise(message: Message, pool: CouponPool) -> bool:
    """Whether a pool still gives what the text says of its coupon; it may have changed since the decision."""
    said = message.promised
    return said is None or said == _promise(pool)


def finished(offer: Offer, code: str) -> Offer | None:
    """Put the coupon's code into the text that waits for it; None where it does not fit."""
    message = offer.message
    if message is None or not (message.codes or message.promised):
        return offer
    values = dict(message.values)
    for name, most in message.codes.items():
        found = spoken(_code(most), code, "UTC", {})
        if found is None:
            return None
        values[name] = found
    text = _text(offer.text, values, is_html=message.is_html) if message.codes else offer.text
    if text is None:
        return None
    done = message.model_copy(update={"values": values, "codes": {}, "promised": None})
    return offer.model_copy(update={"text": text, "message": done})


@lru_cache(maxsize=256)
def _code(most: int) -> Parameter:
    return Parameter(type="code", length=most)


def _values(
    templates: Templates, template: Template, then: Then, texts: Collection[str], about: About
) -> tuple[dict[str, Text], dict[str, int]] | Unsaid:
    """Give the values that are known by now, and the parameters that wait for a code, with how long it may be."""
    values: dict[str, Text] = {}
    codes: dict[str, int] = {}
    for name in sorted(frozenset[str]().union(*map(parameters_of, texts))):
        parameter, bound = template.parameters[name], (then.with_ or {}).get(name)
        if bound is not None and bound.coupon is not None and about.pool is None:
            return Unsaid(Reason.UNKNOWN_POOL)
        if bound is not None and bound.coupon == "code":
            codes[name] = parameter.most
            continue
        raw = None if bound is None else _raw_of(bound, about)
        found = spoken(templates.money(parameter), raw, templates.zone, templates.words)
        if found is None:
            return Unsaid(Reason.NO_VALUE, name)
        values[name] = found
    return values, codes


def _raw_of(bound: Bound, about: About) -> Raw | None:
    if bound.value is not None:
        return bound.value
    if bound.attr is not None:
        return about.person.attrs.get(bound.attr)
    if bound.offer is not None:
        return about.product if bound.offer == "product" else moment(about.expires)
    if bound.event is not None:
        return _of_event(bound.event, about.event)
    return None if about.pool is None else of_pool(bound.coupon, about.pool)


def _of_event(field: str, event: Event) -> Raw | None:
    if field == "at":
        return moment(event.at)
    # Any: which record it is follows from the event's type, and the field was checked with the rule.
    data = cast(Any, event.data)
    if field == "amount":
        return Money(data.amount, data.currency)
    return cast("Raw | None", getattr(data, field, None))


def of_pool(what: str | None, pool: CouponPool) -> Raw | None:
    """Give what every coupon of a pool says: its merchant, what it is worth, its last day."""
    match what:
        case "merchant":
            return pool.merchant
        case "value":
            return Money(pool.value, pool.currency)
        case "until":
            # A pool ends before this instant; its last day is the one before.
            return None if pool.valid_until is None else pool.valid_until - timedelta(milliseconds=1)
    return None


def _promised(then: Then, values: Mapping[str, Text], pool: CouponPool | None) -> Promised | None:
    told = (then.with_ or {}).items()
    is_told = any(name in values and bound.coupon is not None for name, bound in told)
    return _promise(pool) if is_told and pool is not None else None


def _promise(pool: CouponPool) -> Promised:
    return Promised(merchant=pool.merchant, value=pool.value, currency=pool.currency, until=pool.valid_until)


def _language(templates: Templates, person: Person, languages: Collection[Language]) -> Language:
    said = person.attrs.get(templates.language.attribute or "")
    first = said.replace("_", "-").partition("-")[0].lower() if isinstance(said, str) else ""
    return next((one for one in languages if one == first), templates.language.otherwise)


def ids_of(templates: Templates, template: Template, channel: Channel, language: Language) -> dict[str, str]:
    """Give the template's name at each gateway of a channel that approved it in a language."""
    found = ((name, template.registered.get(name, {}).get(language)) for name in templates.serving(channel))
    return {name: one.id for name, one in found if one is not None and one.id is not None and one.status == "approved"}


def _text(sources: Text, values: Mapping[str, Text], *, is_html: bool) -> Text | None:
    """Make the text in both languages; None where it grew too long, as HTML may when its values are escaped."""
    zh = rendered(sources.zh, {name: text.zh for name, text in values.items()}, is_html=is_html)
    en = rendered(sources.en, {name: text.en for name, text in values.items()}, is_html=is_html)
    return None if max(len(zh), len(en)) > LONGEST else Text(zh=zh, en=en)
