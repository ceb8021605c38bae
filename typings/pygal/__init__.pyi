# The part of pygal that Kairos uses; it ships no types.
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element

from pygal.style import Style

class _Chart:
    uuid: str
    def __init__(
        self,
        *,
        style: Style = ...,
        width: int = ...,
        height: int = ...,
        x_labels: Sequence[str] = ...,
        x_labels_major_every: int = ...,
        show_minor_x_labels: bool = ...,
        truncate_label: int = ...,
        show_legend: bool = ...,
        show_dots: bool = ...,
        range: tuple[float, float] = ...,
        js: Sequence[str] = ...,
        margin: int = ...,
        value_formatter: Callable[[float], str] = ...,
    ) -> None: ...
    def add(self, title: str, values: Sequence[float | None]) -> None: ...
    def add_xml_filter(self, callback: Callable[[Element], Element]) -> None: ...
    def render(self, *, is_unicode: bool = ..., disable_xml_declaration: bool = ...) -> str: ...

class StackedBar(_Chart): ...
class Line(_Chart): ...
