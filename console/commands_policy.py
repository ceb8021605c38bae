"""`kairos policy`: check the contact policy, say it, publish it; a bad one is refused and the good one stays."""

from pathlib import Path
from typing import Annotated

import typer

from console.commands_rule_tests import Language_
from console.output import out
from console.policy_schema import SCHEMA
from console.whole_files import By, Strict, put_into_force, read_whole, report
from rules.policy import Policy
from rules.policy_saying import policy_lines
from rules.policy_warnings import policy_warnings
from rules.problems import Problem
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the contact policy")]


@app.command()
def check(file: File, *, strict: Strict = False) -> None:
    """Say everything that is wrong with the policy, with its place, then what is odd; nothing is published.

    Example: kairos policy check examples/policy.yaml
    """
    policy, odd = _read(file)
    report(odd)
    out.print(f"policy {policy.hash}", highlight=False)
    if strict and odd:
        raise typer.Exit(1)


@app.command()
def say(file: File, language: Language_ = "en") -> None:
    """Say the whole policy in sentences, for those who have to agree to it.

    Example: kairos policy say examples/policy.yaml --language zh
    """
    policy, _ = _read(file)
    for line in policy_lines(policy, language):
        out.print(line, markup=False, highlight=False)


@app.command()
def schema() -> None:
    """Print the schema of the file, for editors."""
    typer.echo(SCHEMA.text(), nl=False)


@app.command(name="publish")
def publish_(file: File, by: By = None) -> None:
    """Put the policy into force; running workers and deliveries take it between two batches."""
    policy, odd = _read(file)
    report(odd)
    put_into_force("policy", policy, by)


def _read(file: Path) -> tuple[Policy, tuple[Problem, ...]]:
    return read_whole(file, Policy, lambda policy: policy_warnings(policy, clock.now()))
