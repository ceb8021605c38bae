"""Tables: one rule as a template, and a CSV file whose columns are paths into it; each row makes a rule of its own.

Two hundred merchants are two hundred lines that a spreadsheet can hold, and one rule that somebody understands.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rules.problems import MOST_PROBLEMS, Place, Problem, bounded, shown
from rules.yaml_reader import Tree, Unreadable, Value, decoded, plain

__all__ = ["has_table", "spread_out"]

MOST_ROWS = 10_000
_MOST_COLUMNS = 100
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}\.csv")
_STEP = re.compile(r"[A-Za-z0-9_ -]{1,100}")
_TEXTS = (("name",), ("then", "text", "zh"), ("then", "text", "en"))
"""Texts, in which a semicolon is a semicolon."""
_LISTS = (("then", "channels"), ("then", "reactions"))
"""What is a list even where there is one value."""

Path = tuple[str, ...]


class _Column(NamedTuple):
    path: Path
    place: Place


class _Wrong(Exception):
    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place = place


def has_table(tree: Tree) -> bool:
    """Whether a file is a template with its table."""
    return "table" in tree.below or "rule" in tree.below


def spread_out(file: str, tree: Tree, files: Mapping[str, str | bytes]) -> tuple[Tree, tuple[Problem, ...]]:
    """Write a template and its table as the rules that they stand for, each value with its own place.

    Parameters
    ----------
    file
        The template's name; the table lies beside it.
    tree
        What was read of it.
    files
        All texts by their names, among them the table's.

    """
    problems: list[Problem] = []
    rules: list[Tree] = []
    try:
        template = _template(tree)
        name = _beside(file, tree.below["table"], files)
        columns, rows = _rows(name, files[name])
        for place, cells in rows:
            try:
                rules.append(_rule(template, columns, place, cells))
            except _Wrong as wrong:
                problems.append(wrong.place.problem(file, str(wrong)))
                if len(problems) > MOST_PROBLEMS:
                    break
    except _Wrong as wrong:
        problems.append(wrong.place.problem(file, str(wrong)))
    whole = Tree([rule.value for rule in rules], tree.place, {}, dict(enumerate(rules)))
    below = {key: part for key, part in tree.below.items() if key not in ("table", "rule")} | {"rules": whole}
    return _mapping(tree, below), bounded(tuple(dict.fromkeys(problems)))


def _template(tree: Tree) -> Tree:
    for key in ("table", "rule"):
        if key not in tree.below:
            raise _Wrong(tree.place, f"a table and a rule go together; the key {key!r} is missing")
    if "rules" in tree.below:
        raise _Wrong(tree.find(("rules",), key=True), "a file has either rules, or a table and a rule")
    if not isinstance(tree.below["rule"].value, dict):
        raise _Wrong(tree.below["rule"].place, "expected keys and values")
    return tree.below["rule"]


def _beside(file: str, table: Tree, files: Mapping[str, str | bytes]) -> str:
    said = table.value
    if not isinstance(said, str) or not _NAME.fullmatch(said):
        raise _Wrong(
            table.place, f"expected the name of a table beside this file, such as merchants.csv, got {shown(said)}"
        )
    folder, slash, _ = file.replace("\\", "/").rpartition("/")
    name = f"{folder}{slash}{said}"
    if name not in files:
        raise _Wrong(table.place, f"there is no file {shown(said)} beside this one")
    return name


def _rows(file: str, text: str | bytes) -> tuple[list[_Column], list[tuple[Place, list[str]]]]:
    """Read the columns, and the rows that say anything: a place is a line and the number of a cell."""
    try:
        reader = csv.reader(io.StringIO(decoded(text), newline=""), strict=True)
    except Unreadable as error:
        raise _Wrong(error.place._replace(file=file), str(error)) from None
    rows: list[tuple[Place, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((Place(line, 1, file), cells))
            if len(rows) > MOST_ROWS + 1:
                raise _Wrong(Place(line, 1, file), f"the table has more than {MOST_ROWS} rows")
            line = reader.line_num + 1
    except csv.Error as error:
        raise _Wrong(Place(line, 1, file), f"not CSV: {error}") from None
    if not rows:
        raise _Wrong(Place(1, 1, file), "the first line names the columns, such as id,on.where.merchant")
    return list(_columns(*rows[0])), rows[1:]


def _columns(place: Place, cells: Sequence[str]) -> Iterator[_Column]:
    if len(cells) > _MOST_COLUMNS:
        raise _Wrong(place, f"the table has more than {_MOST_COLUMNS} columns")
    taken: dict[Path, int] = {}
    for number, cell in enumerate(cells, 1):
        here, path = place._replace(column=number), tuple(cell.strip().split("."))
        if not all(map(_STEP.fullmatch, path)):
            raise _Wrong(here, f"a column is a path into the rule such as on.where.merchant, not {shown(cell)}")
        if path in taken:
            raise _Wrong(here, f"the column {cell.strip()!r} stands here a second time, first as column {taken[path]}")
        for other in taken:
            if path[: len(other)] == other or other[: len(path)] == path:
                raise _Wrong(here, f"the columns {'.'.join(other)!r} and {'.'.join(path)!r} give the same thing")
        taken[path] = number
        yield _Column(path, here)


def _rule(template: Tree, columns: Sequence[_Column], place: Place, cells: Sequence[str]) -> Tree:
    if len(cells) != len(columns):
        raise _Wrong(place, f"the row has {len(cells)} cells, the table {len(columns)} columns")
    rule = Tree(template.value, place, template.keys, template.below)
    for number, (column, cell) in enumerate(zip(columns, cells, strict=True), 1):
        if cell.strip():
            rule = _with(rule, column.path, _cell(column.path, cell, place._replace(column=number)), column)
    return rule


def _with(tree: Tree, path: Path, cell: Tree, column: _Column) -> Tree:
    """Give the tree with a cell at a path; nothing is copied but what lies above the cell."""
    step, rest = path[0], path[1:]
    if isinstance(tree.value, list):
        if not step.isascii() or not step.isdigit() or int(step[:9]) not in tree.below:
            what = f"the list of the rule has no item {shown(step)}; they are counted from 0 to {len(tree.below) - 1}"
            raise _Wrong(column.place, what)
        number = int(step)
        part = _with(tree.below[number], rest, cell, column) if rest else cell
        below = tree.below | {number: part}
        return Tree([item.value for item in below.values()], tree.place, tree.keys, below)
    if not isinstance(tree.value, dict):
        raise _Wrong(column.place, f"the rule has a value where the column goes on with {shown(step)}")
    above = tree.below.get(step) or Tree({}, column.place)
    below = tree.below | {step: _with(above, rest, cell, column) if rest else cell}
    keys = tree.keys if step in tree.keys and rest else tree.keys | {step: column.place}
    return _mapping(Tree(None, tree.place, keys), below)


def _mapping(tree: Tree, below: dict[str | int, Tree]) -> Tree:
    value: Value = {str(key): part.value for key, part in below.items()}
    return Tree(value, tree.place, tree.keys, below)


def _cell(path: Path, cell: str, place: Place) -> Tree:
    if path in _TEXTS or (";" not in cell and path not in _LISTS):
        return Tree(cell.strip() if path in _TEXTS else _scalar(cell), place)
    items = [Tree(_scalar(part), place) for part in cell.split(";") if part.strip()]
    return Tree([item.value for item in items], place, {}, dict(enumerate(items)))


def _scalar(cell: str) -> Value:
    text = cell.strip()
    # A spreadsheet has no other way to say that 7 is a name.
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return plain(text)
