"""`kairos templates`: check what customers are told, say it, show it with example values, put it into force."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from console.commands_rule_tests import Language_
from console.files import contents
from console.in_force import in_catalogue
from console.output import out, said, settings
from console.publishing import Refused
from console.template_trials import send_trials, wanted_trials
from console.templates_schema import SCHEMA
from console.whole_files import By, put_into_force, stop
from kairos.offers import Channel
from rules.problems import Problem, many, suggest
from rules.saying import LANGUAGES, Language
from rules.template_checks import load_templates
from rules.template_preview import Carried, previews
from rules.template_saying import STATUSES, template_lines, templates_lines
from rules.templates import Templates
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the templates")]
Name = Annotated[str | None, typer.Argument(help="one template; all of them unless given")]


@app.command()
def check(file: File) -> None:
    """Say everything that is wrong with the templates, with its place; nothing is published.

    Example: kairos templates check examples/templates.yaml
    """
    templates = _read(file)
    out.print(f"{many(len(templates.templates), 'template')}, {templates.hash}", highlight=False)


@app.command()
def show(file: File, name: Name = None, language: Language_ = "en") -> None:
    """Say all templates in sentences, or one of them.

    Example: kairos templates show examples/templates.yaml --language zh
    """
    templates = _read(file)
    lines = templates_lines(templates, language) if name is None else None
    for line in lines or [line for one in _named(templates, name) for line in template_lines(templates, one, language)]:
        out.print(line, markup=False, highlight=False)


@app.command()
def preview(file: File, name: Name = None) -> None:
    """Show texts as customers would read them, with example values, the segments, and what they cost.

    Example: kairos templates preview examples/templates.yaml sleeper-code
    """
    templates = _read(file)
    for one in _named(templates, name):
        for found in previews(templates, one):
            out.print(f"{one}, {found.channel}, {found.language}:", markup=False, highlight=False)
            out.print(f"  {found.text}", markup=False, highlight=False)
            for carried in found.carried:
                out.print(f"  {_size(carried)}", markup=False, highlight=False)


@app.command()
def status(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="what is in force unless given")
    ] = None,
    language: Language_ = "en",
) -> None:
    """Say how each template stands with each gateway that approves texts, those first that are not approved.

    Example: kairos templates status examples/templates.yaml
    """
    templates = _in_force() if file is None else _read(file)
    for line in sorted(_standing(templates, language)):
        out.print(line[1], markup=False, highlight=False)


@app.command()
def schema() -> None:
    """Print the schema of the file, for editors."""
    typer.echo(SCHEMA.text(), nl=False)


@app.command(name="publish")
def publish_(file: File, by: By = None) -> None:
    """Put the templates into force; running workers take them between two batches."""
    templates = _read(file)
    put_into_force("templates", templates, by)


@app.command(name="test")
def try_out(
    file: File,
    name: Annotated[str, typer.Argument(help="the template")],
    to: Annotated[list[str], typer.Option(help="a tester that the policy in force names; may be given again")],
    channel: Annotated[Channel | None, typer.Option(help="one channel; all of the template unless given")] = None,
    language: Annotated[Language | None, typer.Option(help="one language; all that there are unless given")] = None,
) -> None:
    """Send a template with its example values to named testers, by the gateways, marked as a test and counted nowhere.

    Example: kairos templates test examples/templates.yaml sleeper-code --to T1 --channel sms
    """
    templates, now = _read(file), clock.now()
    (known,) = _named(templates, name)
    offers = wanted_trials(templates, known, to, (channel, language), now)
    if not offers:
        stop([f"the template {name!r} has no such text"])
    with said():
        try:
            asyncio.run(send_trials(settings().cluster.for_aiokafka(), offers, now))
        except Refused as refused:
            stop(refused.problems)
    for offer in offers:
        told = "" if offer.message is None else f", {offer.message.language}"
        out.print(f"{offer.id}: {offer.channel}{told}, to {offer.customer}", markup=False, highlight=False)


def _size(carried: Carried) -> str:
    parts = [carried.gateway]
    if carried.size is not None:
        parts.append(f"{carried.size}, with the longest values {carried.longest}")
    if carried.cost is not None:
        parts.append(
            f"costs {carried.cost}" + (f", {carried.highest} at most" if carried.highest != carried.cost else "")
        )
    return f"{parts[0]}: {'; '.join(parts[1:]) or 'no price is known'}"


def _standing(templates: Templates, language: Language_) -> Iterator[tuple[tuple[bool, str], str]]:
    """Give a line for each text that a gateway must approve, and what it is sorted by."""
    for name, template in templates.templates.items():
        for channel, wording in template.texts.items():
            for gateway in (one for one, asked in templates.serving(channel).items() if asked.approves):
                for spoken in (one for one in LANGUAGES if one in dict(wording.said())):
                    found = template.registered.get(gateway, {}).get(spoken)
                    word = STATUSES[language]["draft" if found is None else found.status]
                    tail = "" if found is None else f" {found.id or ''} {found.reason or ''}".rstrip()
                    line = f"{gateway}  {name}  {spoken}  {word}{tail}"
                    yield (found is not None and found.status == "approved", line), line


def _named(templates: Templates, name: str | None) -> list[str]:
    if name is not None and name not in templates.templates:
        stop([f"there is no template {name!r}{suggest(name, templates.templates)}"])
    return [*templates.templates] if name is None else [name]


def _in_force() -> Templates:
    content = in_catalogue().current("templates")
    if content is None:
        stop(["no templates were ever published"])
    return Templates.of_content(content)


def _read(file: Path) -> Templates:
    """Give templates without mistakes."""
    text = contents(file)
    if isinstance(text, Problem):
        stop([text])
    loaded = load_templates(text, str(file))
    if loaded.templates is None:
        stop(loaded.problems)
    return loaded.templates
