"""`kairos rules`: check, publish, roll back and pause; a bad book is refused and the good one stays."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from console.check_report import Form, first, told_of
from console.checking import check_files
from console.filling import beginnings
from console.in_force import in_catalogue, put
from console.output import errors, fail, out
from console.publishing import Known, Refused, adrift_after, contents_of
from rules.book import Book
from rules.cold import cold
from rules.problems import many, suggest
from streams import clock

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[Path, typer.Argument(exists=True, help="a folder of rule files, or one file")]
Policy = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="the contact policy")]
Pools = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="the coupon pools")]
Apps = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="the catalogue of apps")]
Texts = Annotated[Path | None, typer.Option("--templates", exists=True, dir_okay=False, help="what customers are told")]
Levers = Annotated[Path | None, typer.Option("--priorities", exists=True, dir_okay=False, help="levers of offers")]
Names = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="the names that rules may use")]
By = Annotated[str | None, typer.Option(help="who publishes; the user's name unless given")]


@app.command()
def check(
    files: Files,
    policy: Policy = None,
    pools: Pools = None,
    apps: Apps = None,
    names: Names = None,
    templates: Texts = None,
    priorities: Levers = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="fail where there are warnings, too")] = False,
    form: Annotated[Form, typer.Option("--format", help="text for people, json for programs")] = Form.TEXT,
) -> None:
    """Say everything that is wrong with the files, with its place, then what is odd; nothing is published."""
    named = {"policy": policy, "pools": pools, "apps": apps, "templates": templates, "priorities": priorities}
    checked = check_files(files, {**named, "names": names})
    told = told_of(checked, checked.warnings(clock.now()))
    if form is Form.JSON:
        typer.echo(told.json())
    else:
        for line in (*first(told.problems), *first(told.warnings)):
            errors.print(line, markup=False, highlight=False)
        for line in told.summary():
            out.print(line, markup=False, highlight=False)
    if told.problems and form is Form.TEXT:
        fail(many(len(told.problems), "problem"))
    if told.problems or (strict and told.warnings):
        raise typer.Exit(1)


@app.command(name="publish")
def publish_(
    files: Files,
    policy: Policy = None,
    pools: Pools = None,
    apps: Apps = None,
    templates: Texts = None,
    priorities: Levers = None,
    by: By = None,
) -> None:
    """Put the files into force; running workers take them between two batches."""
    named = {"policy": policy, "pools": pools, "apps": apps, "templates": templates, "priorities": priorities}
    with _refused():
        contents = contents_of(files, named)
    _publish(contents, by, in_catalogue())


@app.command()
def rollback(
    to: Annotated[str | None, typer.Option(help="the hash of a book; the one before the current unless given")] = None,
    by: By = None,
) -> None:
    """Put an earlier rule book into force again."""
    known = in_catalogue()
    current = known.pointers.get("rules")
    if current is None:
        fail("no rules were ever published")
    wanted = to or current.before
    if not wanted:
        fail("there is no book before the one in force")
    found = [content for name, content in known.contents.items() if wanted and name.startswith(wanted)]
    if len(found) != 1:
        fail(f"{len(found)} books in the catalogue begin with {wanted!r}; give more of the hash by --to")
    _publish({"rules": _book(found[0]).content}, by, known)


@app.command()
def pause(rule: Annotated[str, typer.Argument(help="the rule's id")], by: By = None) -> None:
    """Stop one rule; its matches are recorded as `rule_paused`."""
    known = in_catalogue()
    content = known.current("rules")
    book = Book.empty() if content is None else _book(content)
    if rule not in book.rules:
        fail(f"no rule {rule} is in force{suggest(rule, book.rules)}")
    _publish({"rules": book.paused(rule).content}, by, known)


def _book(content: bytes) -> Book:
    try:
        return Book.of_content(content)
    except ValueError as error:
        fail(f"that is no rule book: {error}")


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        for line in first(refused.problems):
            errors.print(line, markup=False, highlight=False)
        fail(f"{refused}; nothing was published and what is in force stays")


def _publish(contents: dict[str, bytes], by: str | None, known: Known) -> None:
    before = known.current("rules")
    with _refused():
        names = put(contents, by, known)
    for kind, name in names.items():
        out.print(f"in force: {kind} {name}", highlight=False)
    for line in first(adrift_after(known, contents)):
        errors.print(line, markup=False, highlight=False)
    if "rules" in contents:
        starting = cold(_book(contents["rules"]), Book.empty() if before is None else _book(before))
        for line in first(list(beginnings(starting))):
            out.print(line, markup=False, highlight=False)
