"""`kairos rules test`, `new`, `say`, `schema`: tests in the rules, a first file, rules as sentences and for editors."""

from pathlib import Path
from typing import Annotated

import typer

from console.output import errors, fail, out, said
from console.publishing import Refused
from console.rule_files import RuleFiles, read_rules
from console.rules_schema import NAME, text
from console.testing import failure_lines
from rules.cases import run
from rules.problems import many
from rules.saying import Language
from rules.schema import Scenario
from rules.skeletons import skeleton
from rules.whole import whole

__all__ = ["Language_", "add_to", "rules_of"]

Language_ = Annotated[Language, typer.Option("--language", help="zh or en: in which language clauses are said")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to `kairos rules`."""
    app.command(name="test")(run_tests)
    app.command()(new)
    app.command()(say)
    app.command()(schema)


def rules_of(path: Path) -> RuleFiles:
    """Read rule files, or say what is wrong with them and stop."""
    try:
        with said():
            return read_rules(path)
    except Refused as refused:
        for problem in refused.problems:
            errors.print(problem, markup=False, highlight=False)
        raise typer.Exit(1) from None


def run_tests(
    files: Annotated[Path, typer.Argument(exists=True, help="a folder of rule files, or one file")],
    language: Language_ = "en",
) -> None:
    """Run the tests that stand inside the rules; exit code 1 if one does not come out.

    Example: kairos rules test examples/rules

    For each time at which a rule should fire and does not (-), fires and should not (+), or is silent for another
    reason than `why_not` says (?), every clause is shown with the value it read.
    """
    found = rules_of(files)
    failures = run(found.book, {rule: place.zone for rule, place in found.places.items()})
    for failure in failures:
        place = found.places[failure.rule]
        out.print("\n".join([*failure_lines(failure, place, language), ""]), markup=False, highlight=False)
    count = sum(len(rule.tests) for rule in found.book.rules.values())
    if untested := [rule.id for rule in found.book.rules.values() if not rule.tests]:
        out.print(f"without a test: {', '.join(untested)}", markup=False, highlight=False)
    if failures:
        out.print(f"{len(failures)} of {count} tests did not come out", style="red", highlight=False)
        raise typer.Exit(1)
    out.print(f"{many(len(found.book.rules), 'rule')}, {many(count, 'test')}, all as they should be", highlight=False)


def new(
    scenario: Annotated[Scenario, typer.Argument(help="the purpose of the rule")],
    file: Annotated[Path | None, typer.Argument(help="the file to write; SCENARIO.yaml unless given")] = None,
) -> None:
    """Write a commented rule file to begin with; its tests pass. A file that is there is not touched.

    Example: kairos rules new activation rules/wake-up.yaml
    """
    path = file or Path(f"{scenario.value}.yaml")
    if path.exists():
        fail(f"{path} is there already and stays as it is; name another file")
    beside = path.with_name(NAME)
    with said():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(skeleton(scenario))
        if not beside.exists():
            beside.write_text(text(), encoding="utf-8")
    steps = [
        f"written: {path}, and {beside} by which editors know the words",
        "next:",
        "  1. change what is marked with <- and the tests with it",
        f"  2. kairos rules test {path}",
        f"  3. kairos rules check {path}",
        f"  4. kairos rules estimate {path} --log LOG    how often would it have fired",
        "  5. put it beside your other rules, and: kairos rules publish DIR",
    ]
    out.print("\n".join(steps), markup=False, highlight=False)


def say(
    files: Annotated[Path, typer.Argument(exists=True, help="a folder of rule files, or one file")],
    language: Language_ = "en",
) -> None:
    """Say each rule in one sentence, so complete that the rule could be written again from it: for a sign-off.

    Example: kairos rules say examples/rules --language zh
    """
    found = rules_of(files)
    for rule in found.book.rules.values():
        out.print(whole(rule, language, found.places[rule.id].zone) + "\n", markup=False, highlight=False)


def schema() -> None:
    r"""Print the schema of a rule file, by which an editor completes, explains and underlines.

    \b
    Example: kairos rules schema > rules/rules.schema.json
    A file finds it by its first line: # yaml-language-server: $schema=rules.schema.json
    """
    typer.echo(text(), nl=False)
