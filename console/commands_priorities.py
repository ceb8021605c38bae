"""`kairos priorities`: check what the business adds when offers compete, say it, publish it; a bad file is refused."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from console import priorities_schema
from console.check_report import first
from console.commands_rule_tests import Language_
from console.files import contents
from console.output import errors, out, said, settings
from console.publishing import publish
from kairos.instants import Millis
from rules.check import checked
from rules.priorities import Priorities
from rules.priorities_saying import priorities_lines
from rules.problems import Problem, by_place
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the priorities")]


@app.command()
def check(
    file: File,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="fail where there are warnings, too")] = False,
) -> None:
    """Say everything that is wrong with the priorities, with its place, then what is odd; nothing is published.

    Example: kairos priorities check examples/priorities.yaml
    """
    found, odd = _read(file, clock.now())
    for line in first(odd):
        errors.print(line, markup=False, highlight=False)
    out.print(f"priorities {found.hash}", highlight=False)
    if strict and odd:
        raise typer.Exit(1)


@app.command()
def say(file: File, language: Language_ = "en") -> None:
    """Say every lever in a sentence: what it does, until when, who answers for it and why.

    Example: kairos priorities say examples/priorities.yaml --language zh
    """
    found, _ = _read(file, clock.now())
    for line in priorities_lines(found, language):
        out.print(line, markup=False, highlight=False)


@app.command()
def schema() -> None:
    """Print the schema of the file, for editors."""
    typer.echo(priorities_schema.text(), nl=False)


@app.command(name="publish")
def publish_(
    file: File, by: Annotated[str | None, typer.Option(help="who publishes; the user's name unless given")] = None
) -> None:
    """Put the priorities into force; running workers take them between two batches."""
    found, odd = _read(file, clock.now())
    for line in first(odd):
        errors.print(line, markup=False, highlight=False)
    with said():
        client = settings().cluster.for_aiokafka()
        asyncio.run(publish(client, {"priorities": found.content}, by or getpass.getuser(), clock.now()))
    out.print(f"in force: priorities {found.hash}", highlight=False)


def _read(file: Path, now: Millis) -> tuple[Priorities, tuple[Problem, ...]]:
    """Give priorities without mistakes, and what is odd about them."""
    text = contents(file)
    if isinstance(text, Problem):
        _stop([text])
    found, tree, problems = checked(str(file), text, Priorities)
    if found is None or problems:
        _stop(by_place(problems))
    odd = (tree.find(path).problem(str(file), f"warning: {what}") for path, what in found.warnings(now))
    return found, by_place(odd)


def _stop(problems: tuple[Problem, ...] | list[Problem]) -> NoReturn:
    for line in first(list(problems)):
        errors.print(line, markup=False, highlight=False)
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    errors.print(f"{number}; what is in force stays", style="red", markup=False, highlight=False)
    raise typer.Exit(1)
