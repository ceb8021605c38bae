"""The growth plot: cost an event against the number of rules, both on logarithmic scales, as SVG."""

from collections.abc import Mapping, Sequence
from math import log10

__all__ = ["plot"]

_COLOURS = ("#1b6ca8", "#0b8457", "#c0392b", "#8e44ad")


def plot(sizes: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    """Draw a line for each engine."""
    top, low = 6.0, -1.0

    def x(size: float) -> float:
        return 70 + 420 * (log10(size) - 1) / 3

    def y(micros: float) -> float:
        return 40 + 300 * (top - log10(micros)) / (top - low)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 400" font-family="sans-serif" font-size="12">']
    parts.append('<rect width="860" height="400" fill="white"/>')
    parts.append('<text x="70" y="22">µs an event, by the number of rules</text>')
    for power in range(int(low), int(top) + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M70 {at:.0f}H490" stroke="#ddd"/>')
        parts.append(f'<text x="62" y="{at + 4:.0f}" text-anchor="end">{10.0**power:,g}</text>')
    parts += [f'<text x="{x(size):.0f}" y="362" text-anchor="middle">{size:,}</text>' for size in sizes]
    for place, (title, values) in enumerate(lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="505" y="{y(values[-1]) + 4:.0f}" fill="{colour}">{title}</text>')
    return "\n".join([*parts, "</svg>", ""])
