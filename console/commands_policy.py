"""`kairos policy`: check the contact policy, say it, publish it; a bad one is refused and the good one stays."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from console import policy_schema
from console.check_report import first
from console.commands_rule_tests import Language_
from console.files import contents
from console.output import errors, out, said, settings
from console.publishing import publish
from kairos.instants import Millis
from rules.check import checked
from rules.policy import Policy
from rules.policy_saying import policy_lines
from rules.policy_warnings import policy_warnings
from rules.problems import Problem, by_place
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the contact policy")]


@app.command()
def check(
    file: File,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="fail where there are warnings, too")] = False,
) -> None:
    """Say everything that is wrong with the policy, with its place, then what is odd; nothing is published.

    Example: kairos policy check examples/policy.yaml
    """
    policy, odd = _read(file, clock.now())
    for line in first(odd):
        errors.print(line, markup=False, highlight=False)
    out.print(f"policy {policy.hash}", highlight=False)
    if strict and odd:
        raise typer.Exit(1)


@app.command()
def say(file: File, language: Language_ = "en") -> None:
    """Say the whole policy in sentences, for those who have to agree to it.

    Example: kairos policy say examples/policy.yaml --language zh
    """
    policy, _ = _read(file, clock.now())
    for line in policy_lines(policy, language):
        out.print(line, markup=False, highlight=False)


@app.command()
def schema() -> None:
    """Print the schema of the file, for editors."""
    typer.echo(policy_schema.text(), nl=False)


@app.command(name="publish")
def publish_(
    file: File, by: Annotated[str | None, typer.Option(help="who publishes; the user's name unless given")] = None
) -> None:
    """Put the policy into force; running workers and deliveries take it between two batches."""
    policy, odd = _read(file, clock.now())
    for line in first(odd):
        errors.print(line, markup=False, highlight=False)
    with said():
        client = settings().cluster.for_aiokafka()
        asyncio.run(publish(client, {"policy": policy.content}, by or getpass.getuser(), clock.now()))
    out.print(f"in force: policy {policy.hash}", highlight=False)


def _read(file: Path, now: Millis) -> tuple[Policy, tuple[Problem, ...]]:
    """Give a policy without mistakes, and what is odd about it."""
    text = contents(file)
    if isinstance(text, Problem):
        _stop([text])
    policy, tree, problems = checked(str(file), text, Policy)
    if policy is None or problems:
        _stop(by_place(problems))
    odd = (tree.find(path).problem(str(file), f"warning: {what}") for path, what in policy_warnings(policy, now))
    return policy, by_place(odd)


def _stop(problems: tuple[Problem, ...] | list[Problem]) -> NoReturn:
    for line in first(list(problems)):
        errors.print(line, markup=False, highlight=False)
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    errors.print(f"{number}; what is in force stays", style="red", markup=False, highlight=False)
    raise typer.Exit(1)
