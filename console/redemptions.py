"""A merchant's file of redeemed codes: checked whole first, then told to the ledger line by line."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path

from kairos.ids import content_hash
from kairos.instants import from_rfc3339, moment
from kairos.money import parse
from kairos.offers import CouponPool
from kairos.reservations import Redemption

__all__ = ["RedemptionsError", "read_redemptions"]

_COLUMNS = frozenset({"code", "pool", "at", "amount"})
_SHOWN = 20
Row = tuple[int, Mapping[str, str]]


class RedemptionsError(ValueError):
    """A file of redemptions cannot be taken; `problems` are its mistakes as `file:line: what`, the first twenty."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_redemptions(path: Path, pools: Mapping[str, CouponPool], now: datetime) -> Iterator[tuple[int, Redemption]]:
    """Give a file's redemptions in its order, each with its line.

    The file is CSV in UTF-8 with a header: `code`, and where the till knows more, `pool`, `at` (RFC 3339) and `amount`
    (what was paid, `42.50`). A code without its pool is asked for in every programme. The same line in another file is
    the same redemption.

    Parameters
    ----------
    path, pools
        The file, and what is in force.
    now
        When it happened, where a line does not say.

    Raises
    ------
    RedemptionsError
        What is wrong, line by line; nothing was given.

    """
    problems = tuple(islice(_problems(path, pools, now), _SHOWN))
    if problems:
        raise RedemptionsError(problems)
    for line, row in _rows(path):
        yield line, _redemption(row, pools, now)


def _problems(path: Path, pools: Mapping[str, CouponPool], now: datetime) -> Iterator[str]:
    there = False
    try:
        for line, row in _rows(path):
            there = True
            try:
                _redemption(row, pools, now)
            except ValueError as error:
                yield f"{path.name}:{line}: {str(error).splitlines()[0]}"
    except csv.Error as error:
        yield f"{path.name}: {error}; save the file as CSV in UTF-8"
        return
    except RedemptionsError as error:
        yield from error.problems
        return
    if not there:
        yield f"{path.name}:1: there are no redemptions in the file"


def _rows(path: Path) -> Iterator[Row]:
    # A byte that is not UTF-8 becomes a character that no code has, so its own line is named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        if "code" not in names or not _COLUMNS.issuperset(names) or len(set(names)) < len(names):
            said = ", ".join(sorted(_COLUMNS))
            raise RedemptionsError((f"{path.name}:1: the first line names the columns: code, and any of {said}",))
        rows.fieldnames = names
        for row in rows:
            yield rows.line_num, {name: (row.get(name) or "").strip() for name in names}


def _redemption(row: Mapping[str, str], pools: Mapping[str, CouponPool], now: datetime) -> Redemption:
    if any("\udc80" <= letter <= "\udcff" for text in row.values() for letter in text):
        raise ValueError("this is not UTF-8; save the file as CSV in UTF-8")
    code, name, at = row["code"], row.get("pool") or None, row.get("at")
    if not code or len(code) > 200:
        raise ValueError("a code has 1 to 200 characters")
    if name is not None and name not in pools:
        raise ValueError(f"no pool {name} is in force")
    programmes = sorted({pool.programme for pool in pools.values()}) if name is None else [pools[name].programme]
    if not programmes:
        raise ValueError("no pools are in force")
    amount = row.get("amount")
    currency = pools[name].currency if name is not None else "CNY"
    paid = None if not amount else parse(amount, currency).minor
    if paid is not None and paid < 0:
        raise ValueError(f"an amount is not negative, got {amount}")
    return Redemption(
        id=content_hash("\0".join((code, name or "", at or "", amount or "")).encode()),
        programme=programmes[0],
        onward=tuple(programmes[1:]),
        pool=name,
        code=code,
        amount=paid,
        at=_moment(at) if at else now,
    )


def _moment(text: str) -> datetime:
    try:
        return moment(from_rfc3339(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no instant; write it as 2026-12-01T12:05:00+08:00") from None
