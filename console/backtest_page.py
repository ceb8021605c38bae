"""A backtest's report as one page of HTML that needs nothing from outside: it can be mailed, kept and printed."""

import re
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from console.backtest_charts import COLOURS, svg
from console.backtest_report import Cell, Report, Table

__all__ = ["page"]

_TEMPLATE: Final = "backtest_page.html.jinja"
_NUMBER: Final = re.compile(r"[+-]?[0-9.,]+(%| [A-Z]{3})?|\N{EN DASH}")
"""What stands to the right: a number, a share, an amount, and the dash in the place of one."""


def page(report: Report) -> str:
    """Write the page. Whatever comes from rules, pools and logs is escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(cell=_cell, numeric=_is_numeric, bar=_bar)
    template = environment.from_string(files("console").joinpath(_TEMPLATE).read_text(encoding="utf-8"))
    charts = {
        (section.name, place): Markup(svg(chart, f"{section.name}-{place}"))  # noqa: S704  # made by us, escaped there
        for section in report.sections
        for place, chart in enumerate(section.charts)
    }
    return template.render(report=report, charts=charts, colours=COLOURS)


def _cell(value: Cell) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _is_numeric(table: Table, column: int) -> bool:
    return all(isinstance(row[column], int) or _NUMBER.fullmatch(str(row[column])) for row in table.rows)


def _bar(table: Table, row: int) -> float:
    """Give how long the bar of a row is, in per cent of the longest."""
    if table.bar is None:
        return 0.0
    values = [value if isinstance(value, int) else 0 for value in (line[table.bar] for line in table.rows)]
    return round(100 * values[row] / max(1, *values), 2)
