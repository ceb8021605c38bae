"""Files that are in force as a whole, such as the contact policy: read, reported, put into force."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from console.check_report import first
from console.files import contents
from console.in_force import in_catalogue, put
from console.output import errors, fail, out
from console.publishing import Refused, adrift_after
from rules.canonical import Document
from rules.check import checked
from rules.problems import Problem, by_place, many

__all__ = ["By", "Strict", "put_into_force", "read_whole", "report", "stop"]

D = TypeVar("D", bound=Document)
Place = tuple[str | int, ...]
By = Annotated[str | None, typer.Option(help="who publishes; the user's name unless given")]
Strict = Annotated[bool, typer.Option("--strict", help="fail where there are warnings, too")]


def read_whole(
    file: Path, model: type[D], warnings: Callable[[D], Iterable[tuple[Place, str]]]
) -> tuple[D, tuple[Problem, ...]]:
    """Give what a file says, which has no mistakes, and what is odd about it; with mistakes the command ends."""
    text = contents(file)
    if isinstance(text, Problem):
        stop([text])
    found, tree, problems = checked(str(file), text, model)
    if found is None or problems:
        stop(by_place(problems))
    odd = (tree.find(path).problem(str(file), f"warning: {what}") for path, what in warnings(found))
    return found, by_place(odd)


def report(found: Sequence[Problem] | Sequence[str]) -> None:
    """Say the first of them."""
    for line in first(found):
        errors.print(line, markup=False, highlight=False)


def stop(found: Sequence[Problem] | Sequence[str]) -> NoReturn:
    """Say what is wrong, and that nothing changes; the command ends."""
    report(found)
    fail(f"{many(len(found), 'problem')}; what is in force stays")


def put_into_force(kind: str, document: Document, by: str | None) -> None:
    """Publish what a file says, or say what refuses it."""
    known, contents = in_catalogue(), {kind: document.content}
    try:
        put(contents, by, known)
    except Refused as refused:
        stop(refused.problems)
    report(adrift_after(known, contents))
    out.print(f"in force: {kind} {document.hash}", highlight=False)
