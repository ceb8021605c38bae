"""Rule files with their places: which rule and which test stands where, and in which zone its times are meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.publishing import Refused
from rules.book import Book, load
from rules.check import checked
from rules.schema import RuleFile

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
    paths = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    if not paths:
        raise Refused([f"{path}: no rule file (*.yaml) in this folder"])
    texts = {str(one): one.read_bytes() for one in paths}
    loaded = load(texts)
    if loaded.book is None:
        raise Refused(loaded.problems)
    places = {rule: place for file, text in texts.items() for rule, place in _places(file, text).items()}
    return RuleFiles(loaded.book, places)


def _places(file: str, text: bytes) -> dict[str, Place]:
    made, tree, _ = checked(file, text, RuleFile)
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
