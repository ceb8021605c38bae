"""Templates: what customers are told, by channel and language, and how each gateway wants it. Data, like the policy."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from kairos.ids import content_hash
from kairos.money import Currency
from kairos.offers import Channel, Identifier, Text
from rules.asked import Written
from rules.canonical import Document, canonical
from rules.problems import at_places, mistake, suggest
from rules.saying import LANGUAGES, Language
from rules.shapes import Shape, at_least_one
from rules.template_texts import TemplateText, parameters_of
from rules.template_values import Parameter
from rules.words import Amount, Flag, Format, Word, Zone

__all__ = ["Gateway", "OptOut", "Registration", "Spoken", "Status", "Template", "Templates", "Variables", "Wording"]

Path = tuple[str | int, ...]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
"""What a parameter is called: it stands in texts."""


class Spoken(Written):
    """In which language a customer is told something."""

    attribute: Word | None = None
    """The attribute that names a customer's language, such as en or zh-CN; without it all are told alike."""
    otherwise: Language = "zh"
    """The language of everybody else; each template has it."""


class Variables(Written):
    """What a gateway takes in the holes of a text."""

    length: Annotated[int, Field(strict=True, ge=1, le=200)] | None = None
    """How many characters at most."""
    links: Flag = True
    """Whether a link may stand there."""


class OptOut(Written):
    """How a customer is told to stop the messages; a text ends with it."""

    zh: Word
    """In Chinese."""
    en: Word
    """In English."""
    purposes: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=100)] = ("marketing",)
    """For which purposes it must be there."""


class Gateway(Written):
    """One gateway: what it carries, and what it asks of a text."""

    channel: Channel
    """Which channel it serves."""
    approves: Flag = False
    """Whether it carries only texts that it approved, and asks for a template's name and values."""
    sender: Text | None = None
    """Whose message it is: what the customer's message begins with."""
    sender_added: Flag = False
    """Whether the gateway puts the sender there; otherwise each text begins with it."""
    opt_out: OptOut | None = None
    """How a customer is told to stop the messages."""
    segments: Annotated[int, Field(strict=True, ge=1, le=10)] | None = None
    """How many segments an SMS may have, with the longest values."""
    length: Annotated[int, Field(strict=True, ge=1, le=500)] | None = None
    """How many characters a text may have, with the longest values."""
    variables: Variables = Field(default_factory=Variables)
    """What may stand in the holes of a text."""
    html: Flag = False
    """Whether texts are HTML, so that values are escaped in them."""
    price: Amount | None = None
    """What a segment of an SMS costs, or a message of another channel."""

    @model_validator(mode="after")
    def _counts_what_it_has(self) -> Self:
        if self.segments is not None and self.channel is not Channel.SMS:
            raise at_places({("segments",): f"only an SMS has segments; say length for {self.channel}"})
        if self.html and self.channel is Channel.SMS:
            raise at_places({("html",): "an SMS is never HTML"})
        if self.sender_added and self.sender is None:
            raise at_places({("sender_added",): "say sender: it is counted with the text"})
        return self


Status = Literal["draft", "submitted", "approved", "rejected"]


class Registration(Written):
    """How one language of a template stands with a gateway."""

    status: Status
    """Where it stands."""
    id: Word | None = None
    """What the gateway calls it."""
    reason: Word | None = None
    """Why the gateway rejected it."""

    shapes: ClassVar[tuple[Shape, ...]] = (
        {"if": {"properties": {"status": {"const": "approved"}}}, "then": {"required": ["id"]}},
        {"if": {"properties": {"status": {"const": "rejected"}}}, "then": {"required": ["reason"]}},
    )

    @model_validator(mode="after")
    def _says_what_became_of_it(self) -> Self:
        if self.status == "approved" and self.id is None:
            raise mistake("say id: what the gateway calls the template that it approved")
        if self.status == "rejected" and self.reason is None:
            raise mistake("say reason: why the gateway rejected it")
        return self


class Wording(Written):
    """What is said by one channel."""

    zh: TemplateText | None = None
    """In Chinese."""
    en: TemplateText | None = None
    """In English."""

    shapes: ClassVar[tuple[Shape, ...]] = (at_least_one("zh", "en"),)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.zh is None and self.en is None:
            raise mistake("there must be a text in zh, in en, or in both")
        return self

    def said(self) -> Iterator[tuple[Language, str]]:
        """Give the texts that are there, by their languages."""
        for language in LANGUAGES:
            text = self.zh if language == "zh" else self.en
            if text is not None:
                yield language, text

    @cached_property
    def parameters(self) -> frozenset[str]:
        """What stands in any of its texts."""
        return frozenset[str]().union(*(parameters_of(text) for _, text in self.said()))


class Template(Written):
    """One template: its parameters, and its texts by channel and language."""

    name: Word
    """What people call it."""
    purpose: Identifier = "marketing"
    """What it is for: rules of another purpose do not use it."""
    parameters: Annotated[dict[ParameterName, Parameter], Field(max_length=20)] = Field(default_factory=dict)
    """What stands in its texts, by the names."""
    texts: Annotated[dict[Channel, Wording], Field(min_length=1)]
    """What is said, by channel."""
    registered: dict[Identifier, dict[Language, Registration]] = Field(default_factory=dict)
    """How it stands with gateways that approve texts, by gateway and language."""

    @model_validator(mode="after")
    def _has_the_parameters_that_its_texts_name(self) -> Self:
        told: dict[Path, str] = {}
        for channel, wording in self.texts.items():
            for language, text in wording.said():
                unknown = sorted(parameters_of(text) - self.parameters.keys())
                if unknown:
                    what = f"there is no parameter {unknown[0]!r}{suggest(unknown[0], self.parameters)}"
                    told["texts", channel.value, language] = what
        used = frozenset[str]().union(*(wording.parameters for wording in self.texts.values()))
        told |= {("parameters", name): "it stands in no text" for name in self.parameters if name not in used}
        if told:
            raise at_places(told)
        return self

    @cached_property
    def hash(self) -> str:
        """The name of its content."""
        return content_hash(canonical(self))


class Templates(Document):
    """All templates, and the gateways that carry them."""

    format: Format
    """The format of this file: 1."""
    zone: Zone
    """In which time zone days and times in texts are meant."""
    currency: Currency
    """The currency of amounts that name none."""
    language: Spoken = Field(default_factory=Spoken)
    """In which language a customer is told something."""
    words: Annotated[dict[Word, Text], Field(max_length=20_000)] = Field(default_factory=dict)
    """What stands for the names that the bank uses among its own, such as those of merchants."""
    gateways: Annotated[dict[Identifier, Gateway], Field(max_length=100)] = Field(default_factory=dict)
    """The gateways, and what each asks of a text."""
    templates: Annotated[dict[Identifier, Template], Field(max_length=10_000)]
    """The templates by the names that rules use."""

    @classmethod
    def none(cls) -> Self:
        """Give the templates of a house that has none.

        Examples
        --------
        >>> len(Templates.none().templates)
        0

        """
        return cls.model_validate({"format": 1, "zone": "UTC", "currency": "CNY", "templates": {}})

    def serving(self, channel: Channel) -> Mapping[str, Gateway]:
        """Give the gateways of a channel."""
        return self._serving[channel]

    @cached_property
    def _serving(self) -> Mapping[Channel, Mapping[str, Gateway]]:
        return {
            channel: {name: gateway for name, gateway in self.gateways.items() if gateway.channel is channel}
            for channel in Channel
        }

    def money(self, parameter: Parameter) -> Parameter:
        """Give a parameter with the currency that it means."""
        if parameter.type != "money" or parameter.currency is not None:
            return parameter
        return parameter.model_copy(update={"currency": self.currency})

    def unapproved(self, template: Template, channel: Channel, language: Language) -> str | None:
        """Say which gateway of a channel does not carry a text, and why; None where all of them do."""
        for name, gateway in self.serving(channel).items():
            found = template.registered.get(name, {}).get(language) if gateway.approves else None
            if gateway.approves and (found is None or found.status != "approved"):
                status = "was never submitted" if found is None else f"is {found.status}"
                reason = f": {found.reason}" if found is not None and found.reason else ""
                return f"in {language} it {status} at the gateway {name!r}{reason}"
        return None
