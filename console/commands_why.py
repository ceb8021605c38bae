"""`kairos explain` and `kairos why`: why a customer got something, and why not."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.commands_rule_tests import Language_
from console.decisions_found import Found, NotFound, decision_found
from console.explaining import Telling, lines_of, rules_named
from console.output import errors, out, said, settings
from console.publishing import Known, catalogue
from kairos.decisions import Decision
from rules.policy import Policy
from rules.saying import Language
from streams.topic_reader import Tell

__all__ = ["add_to"]

Unmask = Annotated[bool, typer.Option("--unmask", help="show the customer's key, attributes and texts of the event")]
Whose = Annotated[str | None, typer.Option(help="whose decision it is: one partition is read, and not all of them")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(explain)


def explain(
    decision: Annotated[str, typer.Argument(help="the decision's id, or the beginning of it")],
    customer: Whose = None,
    language: Language_ = "en",
    unmask: Unmask = False,
) -> None:
    """Say why a decision came out as it did: what was read, and the fate of every candidate, on one screen.

    Example: kairos explain 6bdb08e4 --language zh

    It tells what the decision's own record says, in the sentences of the rules that decided. Who is asked for their
    customer reads one partition with --customer. Keys, attributes and texts are masked unless --unmask is given.
    """
    if not decision or set(decision) - set("0123456789abcdef"):
        _stop(f"{decision!r} is no id of a decision; it is written in 0-9 and a-f, as `kairos why CUSTOMER` shows it")
    with _told(), _progress("reading decisions") as tell:
        client = settings().cluster.for_aiokafka()
        found = asyncio.run(decision_found(client, decision, customer, tell))
        known = asyncio.run(catalogue(client))
    _print_found(found, known, language, unmask=unmask)


def _print_found(found: Found, known: Known, language: Language, *, unmask: bool) -> None:
    decision = found.decision
    telling = _telling(decision, known.contents, language, unmask=unmask)
    out.print("\n".join(lines_of(decision, found.end, telling)), markup=False, highlight=False)
    if not telling.rules:
        why = "the rules that decided are no longer in the catalogue, so clauses are told by their names"
        errors.print(why, style="yellow", markup=False, highlight=False)


def _telling(decision: Decision, contents: Mapping[str, bytes], language: Language, *, unmask: bool) -> Telling:
    """Give how a decision is told, with the rules and the zone that were in force, as far as they are still there."""
    rules = contents.get(decision.versions.get("rules", ""))
    policy = contents.get(decision.versions.get("policy", ""))
    names = [verdict.rule for verdict in decision.verdicts]
    return Telling(
        {} if rules is None else rules_named(rules, names),
        "UTC" if policy is None else Policy.of_content(policy).zone,
        language,
        unmask,
    )


@contextmanager
def _progress(doing: str) -> Iterator[Tell]:
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda read, all_: progress.update(task, completed=read, total=all_)


@contextmanager
def _told() -> Iterator[None]:
    try:
        with said():
            yield
    except (NotFound, ValueError) as error:
        _stop(str(error))


def _stop(why: str) -> NoReturn:
    errors.print(why, style="red", markup=False, highlight=False)
    raise typer.Exit(1)
