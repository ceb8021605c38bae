"""`kairos priorities`: check what the business adds when offers compete, say it, publish it; a bad file is refused."""

from pathlib import Path
from typing import Annotated

import typer

from console.commands_rule_tests import Language_
from console.output import out
from console.priorities_schema import SCHEMA
from console.whole_files import By, Strict, put_into_force, read_whole, report
from rules.priorities import Priorities
from rules.priorities_saying import priorities_lines
from rules.problems import Problem
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the priorities")]


@app.command()
def check(file: File, *, strict: Strict = False) -> None:
    """Say everything that is wrong with the priorities, with its place, then what is odd; nothing is published.

    Example: kairos priorities check examples/priorities.yaml
    """
    found, odd = _read(file)
    report(odd)
    out.print(f"priorities {found.hash}", highlight=False)
    if strict and odd:
        raise typer.Exit(1)


@app.command()
def say(file: File, language: Language_ = "en") -> None:
    """Say every lever in a sentence: what it does, until when, who answers for it and why.

    Example: kairos priorities say examples/priorities.yaml --language zh
    """
    found, _ = _read(file)
    for line in priorities_lines(found, language):
        out.print(line, markup=False, highlight=False)


@app.command()
def schema() -> None:
    """Print the schema of the file, for editors."""
    typer.echo(SCHEMA.text(), nl=False)


@app.command(name="publish")
def publish_(file: File, by: By = None) -> None:
    """Put the priorities into force; running workers take them between two batches."""
    found, odd = _read(file)
    report(odd)
    put_into_force("priorities", found, by)


def _read(file: Path) -> tuple[Priorities, tuple[Problem, ...]]:
    return read_whole(file, Priorities, lambda found: found.warnings(clock.now()))
