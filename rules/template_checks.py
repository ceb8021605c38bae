"""Checking templates: whether every gateway of a channel would carry each text, with the longest values that fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kairos.offers import Channel
from rules.check import checked
from rules.problems import Problem, by_place, shown, suggest
from rules.saying import Language
from rules.segments import segments
from rules.template_texts import LONGEST, parameters_of, rendered
from rules.template_values import Parameter, longest, spoken
from rules.templates import Gateway, Path, Template, Templates
from rules.yaml_reader import Tree

__all__ = ["LoadedTemplates", "at_longest", "load_templates", "refused"]


@dataclass(frozen=True, slots=True)
class LoadedTemplates:
    """What became of a file of templates: the templates, or the problems; and the places of it all."""

    templates: Templates | None
    problems: tuple[Problem, ...]
    tree: Tree


def load_templates(text: str | bytes, file: str = "templates.yaml") -> LoadedTemplates:
    """Read the templates, or say everything that is wrong with them."""
    made, tree, problems = checked(file, text, Templates)
    found = [*problems]
    if made is not None and not problems:
        found += [tree.find(path, key=is_key).problem(file, what) for path, what, is_key in refused(made)]
    return LoadedTemplates(None if found else made, by_place(found), tree)


def refused(templates: Templates) -> Iterator[tuple[Path, str, bool]]:
    """Say what no gateway would carry, and what no customer should read: place, sentence, whether a key is meant."""
    for name, template in templates.templates.items():
        above = ("templates", name)
        for path, what, is_key in _of_template(templates, template):
            yield (*above, *path), what, is_key


def at_longest(templates: Templates, template: Template, language: Language, text: str) -> str:
    """Give a text with the longest values that its parameters take."""
    values = {name: longest(template.parameters[name], language, templates.words) for name in parameters_of(text)}
    return rendered(text, values)


Found = Iterator[tuple[Path, str, bool]]


def _of_template(templates: Templates, template: Template) -> Found:
    for gateway, stands in template.registered.items():
        known = templates.gateways.get(gateway)
        if known is None:
            yield (
                ("registered", gateway),
                f"there is no gateway {gateway!r}{suggest(gateway, templates.gateways)}",
                True,
            )
        elif not known.approves:
            yield ("registered", gateway), f"the gateway {gateway!r} approves nothing; say approves: true for it", True
        elif stands and not any(_says(template, known.channel, language) for language in stands):
            yield ("registered", gateway), f"the template says nothing by {known.channel}", True
    for name, parameter in template.parameters.items():
        yield from _example(templates, name, parameter)
    for channel, wording in template.texts.items():
        if not _says(template, channel, templates.language.otherwise):
            what = f"there is no text in {templates.language.otherwise}, for customers of no language known"
            yield ("texts", channel.value), what, True
        for language, text in wording.said():
            for what in dict.fromkeys(_of_text(templates, template, channel, language, text)):
                yield ("texts", channel.value, language), what, False


def _says(template: Template, channel: Channel, language: Language) -> bool:
    wording = template.texts.get(channel)
    return wording is not None and language in dict(wording.said())


def _example(templates: Templates, name: str, parameter: Parameter) -> Found:
    said = parameter.example
    if said is not None and spoken(templates.money(parameter), said, templates.zone, templates.words) is None:
        what = f"the example {shown(said)} is no {parameter.type} of at most {parameter.most} characters"
        if parameter.type == "word":
            what += f", or words do not tell it{suggest(said, templates.words, 'nothing')}"
        yield ("parameters", name, "example"), what, False


def _of_text(
    templates: Templates, template: Template, channel: Channel, language: Language, text: str
) -> Iterator[str]:
    whole = at_longest(templates, template, language, text)
    if len(whole) > LONGEST:
        yield f"with the longest values it has {len(whole)} characters, at most {LONGEST} are sent"
    held = {name: template.parameters[name] for name in sorted(parameters_of(text))}
    for name, gateway in templates.serving(channel).items():
        yield from _asked(name, gateway, language, text, template.purpose)
        yield from _too_long(name, gateway, language, whole)
        yield from _holes(name, gateway, held)


def _asked(name: str, gateway: Gateway, language: Language, text: str, purpose: str) -> Iterator[str]:
    sender, opt_out = gateway.sender, gateway.opt_out
    if sender is not None:
        begins = sender.zh if language == "zh" else sender.en
        if gateway.sender_added and text.startswith(begins):
            yield f"the gateway {name!r} puts the sender {shown(begins)} there itself; leave it out"
        elif not gateway.sender_added and not text.startswith(begins):
            yield f"expected the sender {shown(begins)} at the beginning: the gateway {name!r} asks for it"
    if opt_out is not None and purpose in opt_out.purposes:
        ends = opt_out.zh if language == "zh" else opt_out.en
        if not text.endswith(ends):
            yield f"expected {shown(ends)} at the end: the gateway {name!r} asks for it in messages for {purpose}"


def _too_long(name: str, gateway: Gateway, language: Language, whole: str) -> Iterator[str]:
    sent = sent_by(gateway, language, whole)
    if gateway.length is not None and len(sent) > gateway.length:
        most = f"the gateway {name!r} carries {gateway.length}"
        yield f"with the longest values it has {len(sent)} characters, {most}"
    if gateway.segments is not None and (found := segments(sent)).number > gateway.segments:
        yield f"with the longest values it is {found}, the gateway {name!r} carries {gateway.segments}"


def sent_by(gateway: Gateway, language: Language, text: str) -> str:
    """Give what a customer reads in the end: with the sender, where the gateway adds it."""
    if gateway.sender is None or not gateway.sender_added:
        return text
    return (gateway.sender.zh if language == "zh" else gateway.sender.en) + text


def _holes(name: str, gateway: Gateway, held: Mapping[str, Parameter]) -> Iterator[str]:
    for hole, parameter in held.items():
        most = gateway.variables.length
        if most is not None and parameter.most > most:
            yield f"the parameter {hole!r} takes {parameter.most} characters, the gateway {name!r} takes {most} in one"
        if parameter.type == "link" and not gateway.variables.links:
            yield f"the parameter {hole!r} is a link, and the gateway {name!r} carries none in the holes of a text"
