"""The report of a backtest, before it is text or a page: sections of sentences, tables and charts, in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kairos.money import Money
from rules.saying import Language

__all__ = ["Cell", "Chart", "Report", "Section", "Table", "cut", "money", "share"]

Cell = str | int
"""A word or a whole number; numbers stand to the right."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings.

    Parameters
    ----------
    note
        What was left out, if anything.
    bar
        The column that is drawn as bars beside its rows, where drawing is possible.
    folded
        What the table is called where a page shows it only when it is asked for, for a chart shows the same.

    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    bar: int | None = None
    folded: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, where drawing is possible; each of its figures stands in a table, too.

    Parameters
    ----------
    kind
        `stacked` bars stand side by side; `lines` follow the time.
    labels
        Of the bars, or of the places on the time's axis.
    series
        The values by their names; None where there is nothing to draw.

    """

    kind: Literal["stacked", "lines"]
    title: str
    labels: tuple[str, ...]
    series: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report."""

    name: str
    title: str
    said: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `tiles` are the few figures that everybody asks for first."""

    language: Language
    title: str
    subtitle: str
    tiles: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = field(default=())


def money(minor: int, currency: str) -> str:
    """Write an amount so that large ones can be read.

    Examples
    --------
    >>> money(176_900_000_5, "CNY"), money(1_200, "JPY")
    ('17,690,000.05 CNY', '1,200 JPY')

    """
    number, _, unit = str(Money(minor, currency)).partition(" ")
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part} {unit}"


def share(part: int, whole: int) -> str:
    """Write a part of a whole in per cent; nothing of nothing is a dash.

    Examples
    --------
    >>> share(1, 3), share(0, 0), share(3, 3)
    ('33.3%', '–', '100.0%')

    """
    return f"{part / whole:.1%}" if whole else "\N{EN DASH}"


def cut(rows: Sequence[tuple[Cell, ...]], most: int, note: str) -> tuple[tuple[tuple[Cell, ...], ...], str]:
    """Give the first rows, and the note that says how many were left out, if any.

    Examples
    --------
    >>> cut([("a", 1), ("b", 2)], 1, "{} more")
    ((('a', 1),), '1 more')

    """
    left = len(rows) - most
    return tuple(rows[:most]), note.format(f"{left:,}") if left > 0 else ""
