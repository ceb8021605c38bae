"""Coupon codes from a merchant's file: checked whole first, then handed over in portions as the ledger takes them."""

import csv
import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from kairos.reservations import Code, Stock
from rules.problems import many

__all__ = ["PORTION", "CodesError", "Unfit", "handed", "read_codes", "stock_commands"]

PORTION = 1_000
"""How many codes one command carries."""

Tell = Callable[[int], None]
"""Is told how many codes were checked so far."""
Unfit = Callable[[str], str | None]
"""Says why the texts that will tell a code cannot, or None."""

_SHOWN = 20
_OFTEN = 20_000
_HEADER = "code"
_is_code = TypeAdapter(Code).validate_python


def _nobody(_count: int) -> None:
    pass


def _fits(_code: str) -> None:
    pass


class CodesError(ValueError):
    """A file of codes cannot be imported; `problems` are its mistakes as `file:line: what`, the first twenty."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_codes(path: Path, tell: Tell = _nobody, unfit: Unfit = _fits) -> Iterator[tuple[str, ...]]:
    """Give a file's codes in its order, in portions.

    The file is CSV in UTF-8: one column, with or without the header `code`, or several columns of which one is called
    `code`. It is read twice, so that nothing of a file with a mistake is handed over, and a large one is never in
    memory as a whole.

    Parameters
    ----------
    path
        The file.
    tell
        Is told how many codes were checked.
    unfit
        Says what else is wrong with a code, see `rules.code_fit`.

    Raises
    ------
    CodesError
        What is wrong, line by line; no portion was given.

    """
    problems = tuple(islice(_problems(path, tell, unfit), _SHOWN))
    if problems:
        raise CodesError(problems)
    codes = (code for _, code in _lines(path))
    while portion := tuple(islice(codes, PORTION)):
        yield portion


def stock_commands(portions: Iterable[tuple[str, ...]], pool: str, programme: str) -> Iterator[Stock]:
    """Give the codes of a file as commands to the ledger; see `read_codes`."""
    for codes in portions:
        yield Stock(pool=pool, programme=programme, codes=codes)


def handed(pool: str, count: int, letters: Iterable[tuple[str, str]] | None) -> str:
    """Say what became of codes that were handed over.

    Parameters
    ----------
    pool, count
        Which pool, and how many codes.
    letters
        The class and message of the ledger's dead letters about them; None where it has not taken them all yet.

    Examples
    --------
    >>> print(handed("tea-5", 2000, [("duplicate_codes", "3 of 1000 codes were in the pool already; ...")]))
    2,000 codes handed to the ledger for tea-5: 1,997 taken; 3 refused, for the pool or another of the merchant had them

    """
    said = f"{many(count, 'code')} handed to the ledger for {pool}"
    if letters is None:
        return f"{said}; it has not taken all of them yet, and does when a worker runs; duplicates become dead letters"
    told = list(letters)
    refused = [what for kind, what in told if kind != "duplicate_codes"]
    if refused:
        return f"{said}, and {len(refused)} portions of {PORTION} were refused: {refused[0]}"
    # The ledger's sentence begins with how many of the portion it had.
    had = sum(int(what.split()[0]) for _, what in told)
    also = f"; {had:,} refused, for the pool or another of the merchant had them" if had else ""
    return f"{said}: {count - had:,} taken{also}"


def _problems(path: Path, tell: Tell, unfit: Unfit) -> Iterator[str]:
    """Give the mistakes in the file, with their places; those of single codes before those between two."""
    seen = array("Q")
    try:
        for line, code in _lines(path):
            what = _mistake(code) or unfit(code)
            if what is not None:
                yield f"{path.name}:{line}: {what}"
            # Eight bytes for each code: the codes of millions would not fit beside one another.
            seen.append(_hash(code))
            if len(seen) % _OFTEN == 0:
                tell(len(seen))
    except CodesError as error:
        yield from error.problems
        return
    tell(len(seen))
    if not seen:
        yield f"{path.name}:1: there are no codes in the file"
    yield from _repeated(path, seen)


def _repeated(path: Path, seen: "array[int]") -> Iterator[str]:
    """Read again what may be there twice; a hash alone proves nothing."""
    ordered = np.sort(np.frombuffer(seen, dtype=np.uint64)) if seen else np.empty(0, np.uint64)
    twice = {int(found) for found in ordered[1:][ordered[1:] == ordered[:-1]]}
    first: dict[str, int] = {}
    for line, code in _lines(path) if twice else ():
        if code and _hash(code) in twice and first.setdefault(code, line) != line:
            yield f"{path.name}:{line}: the code {code} is in line {first[code]} already"


def _hash(code: str) -> int:
    return int.from_bytes(hashlib.blake2b(code.encode(errors="surrogateescape"), digest_size=8).digest())


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
