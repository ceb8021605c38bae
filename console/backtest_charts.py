"""The charts of a backtest's page: still SVG, without a script or anything from outside, and the same each time."""

import sys
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement

from console.backtest_report import Chart

if TYPE_CHECKING:
    from pygal.style import Style

__all__ = ["COLOURS", "svg"]

COLOURS: Final = (
    "#2563a8", "#d9822b", "#3c8d5a", "#8e5ea2", "#b23b3b", "#4aa3a2",
    "#7a6a53", "#c2608c", "#8a9a2f", "#555e6b", "#5b8bd6", "#b8860b",
)  # fmt: skip
"""In the order of a chart's series."""
_FONTS: Final = "system-ui, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_LABELS: Final = 8
"""More dates than this on the axis of time would not be readable."""
_SHORT: Final = 2
"""A label of so many letters has room below each bar."""


def svg(chart: Chart, name: str) -> str:
    """Draw a chart.

    Parameters
    ----------
    chart
        What is drawn; one without a value says nothing and is empty.
    name
        Tells it from the other charts of the page.

    """
    if not any(value for values in chart.series.values() for value in values):
        return ""
    # Imported here: only who asks for a page needs it, and what it leaves behind is put right at once.
    import pygal

    _without_hooks()
    is_line = chart.kind == "lines"
    every = -(-len(chart.labels) // _LABELS) if max(map(len, chart.labels)) > _SHORT else 1
    made = (pygal.Line if is_line else pygal.StackedBar)(
        style=_style(),
        width=960,
        height=320,
        x_labels=chart.labels,
        x_labels_major_every=every,
        show_minor_x_labels=every == 1,
        truncate_label=-1,
        # The page has the legend: the library takes Chinese letters for half as wide as they are.
        show_legend=False,
        show_dots=is_line and len(chart.labels) < 4 * _LABELS,
        range=(0, 100 if is_line else _highest(chart)),
        js=(),
        margin=12,
        value_formatter=_number,
    )
    # Its own names are drawn by lot.
    made.uuid = name
    for series, values in chart.series.items():
        made.add(series, values)
    made.add_xml_filter(_still)
    return made.render(is_unicode=True, disable_xml_declaration=True)


def _highest(chart: Chart) -> float:
    return max(sum(value or 0 for value in bar) for bar in zip(*chart.series.values(), strict=True))


def _without_hooks() -> None:
    """Take out the finder that pygal hangs into Python's imports, for maps; it is of a kind that Python warns of."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]


def _style() -> "Style":
    from pygal.style import Style

    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="#3b4350",
        foreground_strong="#1c222b",
        foreground_subtle="#c9ced6",
        guide_stroke_color="#e3e6ea",
        major_guide_stroke_color="#cfd4da",
        font_family=_FONTS,
        label_font_size=12,
        major_label_font_size=12,
        opacity=".9",
        opacity_hover="1",
        stroke_opacity="1",
        stroke_width="2",
        transition="0s",
        colors=COLOURS,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _still(root: Element) -> Element:
    """Take out scripts and comments, which tell the day; what the pointer rests on says its value by itself."""
    for parent in list(root.iter()):
        for child in list(parent):
            # The tag of a comment is a function.
            if callable(child.tag) or child.tag.endswith("script"):
                parent.remove(child)
        said = [d.text or "" for d in parent if d.tag.endswith("desc") and d.get("class") in ("value", "x_label")]
        if said:
            SubElement(parent, "title").text = ": ".join(reversed(said))
    return root
