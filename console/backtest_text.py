"""A backtest's report as text for a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table as Drawn
from rich.text import Text

from console.backtest_report import Report, Section, Table

__all__ = ["drawn"]


def drawn(report: Report) -> Iterator[RenderableType]:
    """Give what is to be printed, part by part; charts are left to the page."""
    yield Text(f"{report.title}: {report.subtitle}", style="bold")
    yield Text("  ".join(f"{name} {said}" for name, said in report.tiles))
    for section in report.sections:
        yield Text("")
        yield from _section(section)


def _section(section: Section) -> Iterator[RenderableType]:
    yield Text(section.title, style="bold")
    yield from (Text(said) for said in section.said)
    for table in section.tables:
        if table.rows:
            yield _table(table)
        if table.note:
            yield Text(table.note)


def _table(table: Table) -> Drawn:
    found = Drawn(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(table.columns):
        is_number = all(isinstance(row[place], int) for row in table.rows)
        found.add_column(Text(name), justify="right" if is_number else "left", overflow="fold")
    for row in table.rows:
        found.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else cell) for cell in row))
    return found
