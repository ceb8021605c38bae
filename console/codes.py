"""Coupon codes from a merchant's file: checked whole first, then handed over in portions as the ledger takes them."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from kairos.reservations import Code, Stock

__all__ = ["PORTION", "CodesError", "read_codes", "stock_commands"]

PORTION = 1_000
"""How many codes one command carries."""

_SHOWN = 20
_HEADER = "code"
_is_code = TypeAdapter(Code).validate_python


class CodesError(ValueError):
    """A file of codes cannot be imported; `problems` are its mistakes as `file:line: what`, the first twenty."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_codes(path: Path) -> Iterator[tuple[str, ...]]:
    """Give a file's codes in its order, in portions.

    The file is CSV in UTF-8: one column, with or without the header `code`, or several columns of which one is called
    `code`. It is read twice, so that nothing of a file with a mistake is handed over, and a large one is never in
    memory as a whole.

    Raises
    ------
    CodesError
        What is wrong, line by line; no portion was given.

    """
    problems = tuple(islice(_problems(path), _SHOWN))
    if problems:
        raise CodesError(problems)
    codes = (code for _, code in _lines(path))
    while portion := tuple(islice(codes, PORTION)):
        yield portion


def stock_commands(path: Path, pool: str, programme: str) -> Iterator[Stock]:
    """Give a file's codes as commands to the ledger; see `read_codes`."""
    for codes in read_codes(path):
        yield Stock(pool=pool, programme=programme, codes=codes)


def _problems(path: Path) -> Iterator[str]:
    """Give every mistake in the file, with its place."""
    first: dict[str, int] = {}
    try:
        for line, code in _lines(path):
            what = _mistake(code)
            if what is None and code in first:
                what = f"the code {code} is in line {first[code]} already"
            if what is not None:
                yield f"{path.name}:{line}: {what}"
            first.setdefault(code, line)
    except CodesError as error:
        yield from error.problems
        return
    if not first:
        yield f"{path.name}:1: there are no codes in the file"


def _mistake(code: str) -> str | None:
    """Say what is wrong with a code, or None."""
    if not code:
        return "the code is empty"
    if len(code) > 100:
        return f"the code has {len(code)} characters, at most 100 are allowed"
    if any("\udc80" <= character <= "\udcff" for character in code):
        return "the code is not UTF-8; save the file as UTF-8"
    try:
        _is_code(code)
    except ValidationError:
        return f"the code {code!r} has a character that a customer cannot type; use letters, digits and signs, no space"
    return None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give each code with its line; a byte order mark, spaces around codes and empty lines at the end do not count."""
    # A byte that is not UTF-8 becomes a character that no code has, so its own line is named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file, strict=True)
        column = -1
        blank: list[int] = []
        try:
            for row in rows:
                if not any(cell.strip() for cell in row):
                    blank.append(rows.line_num)
                    continue
                yield from ((line, "") for line in blank)
                blank = []
                if column < 0:
                    column, is_header = _column(path, row)
                    if is_header:
                        continue
                yield rows.line_num, row[column].strip() if column < len(row) else ""
        except csv.Error as error:
            raise CodesError((f"{path.name}:{rows.line_num}: {error}",)) from None


def _column(path: Path, row: list[str]) -> tuple[int, bool]:
    """Find the column of the codes from the first row, and say whether that row is a header."""
    names = [cell.strip().lower() for cell in row]
    if names.count(_HEADER) == 1:
        return names.index(_HEADER), True
    if len(row) > 1:
        raise CodesError((f"{path.name}:1: of {len(row)} columns not exactly one is called `code`",))
    if ";" in names[0]:
        raise CodesError((f"{path.name}:1: the columns are separated by semicolons; save the file with commas",))
    # Heuristic: a header that we do not know would otherwise be given to a customer as a coupon.
    if _HEADER in names[0]:
        raise CodesError((f"{path.name}:1: {row[0]!r} looks like a header; the first line must be `code` or a code",))
    return 0, False
