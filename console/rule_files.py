"""Rule files with their places: which rule and which test stands where, and in which zone its times are meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.checking import rule_texts
from console.publishing import Refused
from rules.book import Book, load
from rules.check import validated
from rules.problems import Problem
from rules.schema import RuleFile
from rules.table import has_table, spread_out
from rules.yaml_reader import read

__all__ = ["Place", "RuleFiles", "read_rules"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule stands, and the lines of its tests."""

    file: str
    line: int
    zone: str
    tests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """A book with its tests, and the place of each rule."""

    book: Book
    places: Mapping[str, Place]


def read_rules(path: Path) -> RuleFiles:
    """Read a folder of rule files, or one file.

    Raises
    ------
    Refused
        All problems of all files at once.

    """
    problems: list[Problem] = []
    texts = rule_texts(path, problems)
    files = [file for file in texts if not file.endswith(".csv")]
    if problems or not files:
        raise Refused(problems or [f"{path}: no rule file (*.yaml) here"])
    loaded = load(texts)
    if loaded.book is None:
        raise Refused(loaded.problems)
    return RuleFiles(loaded.book, {rule: place for file in files for rule, place in _places(file, texts).items()})


def _places(file: str, texts: Mapping[str, bytes]) -> dict[str, Place]:
    tree, _ = read(file, texts[file])
    if tree is None:
        return {}
    if has_table(tree):
        tree, _ = spread_out(file, tree, texts)
    made, _ = validated(file, tree, RuleFile)
    if made is None:
        return {}
    return {
        rule.id: Place(
            file,
            tree.find(("rules", number, "id"))[0],
            made.zone,
            tuple(tree.find(("rules", number, "tests", test))[0] for test in range(len(rule.tests))),
        )
        for number, rule in enumerate(made.rules)
    }
