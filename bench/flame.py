"""`python -m bench flame`: draws what a sampling profiler saw as a flame graph, an SVG without a script.

    py-spy record -r 500 -f raw -o stacks.txt -- python -m bench.inside
    python -m bench flame stacks.txt docs/flame.svg

The profiler is no part of Kairos: `pip install py-spy`. A line of its raw form is a stack, frames parted by semicolons,
and how often it was seen. What lies below the frame `--root` is drawn, a frame as wide as its share of the samples.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

__all__ = ["Frame", "drawn", "main", "read"]

_WIDTH, _ROW, _LETTER = 1200.0, 17, 6.3
_LEAST = 1.0
"""What is narrower, in units of the drawing, is left out."""
_COLOURS = {"streams": "#8fb8de", "rules": "#f2b880", "kairos": "#a8d5a2", "models": "#d7a9e3", "bench": "#dddddd"}
_OTHER = "#e6c9c9"
_PREPARING = "with_rules,_batches,contents_of,RocksStore.close"


@dataclass(slots=True)
class Frame:
    """A function where it was called, how often it was seen, and what it called."""

    name: str
    samples: int = 0
    below: dict[str, "Frame"] = field(default_factory=dict)


def read(lines: Iterable[str], root: str, without: Sequence[str] = ()) -> Frame:
    """Add stacks up, from the frame on whose name begins with `root`; not those in which one begins with `without`.

    Examples
    --------
    >>> found = read(["main;_run (bench/inside.py:90);step (a.py:1);get (b.py:2) 3", "main;other 2"], "_run")
    >>> found.samples, list(found.below), found.below["step (a.py)"].below["get (b.py)"].samples
    (3, ['step (a.py)'], 3)

    """
    top = Frame(root)
    for line in lines:
        stack, _, seen = line.rpartition(" ")
        frames = [_name(frame) for frame in stack.split(";")]
        first = next((place for place, frame in enumerate(frames) if frame.startswith(root)), None)
        if first is None or any(frame.startswith(tuple(without)) for frame in frames):
            continue
        frame, times = top, int(seen)
        frame.samples += times
        for name in frames[first + 1 :]:
            frame = frame.below.setdefault(name, Frame(name))
            frame.samples += times
    return top


def _name(frame: str) -> str:
    """Leave the line's number out: a function is one frame."""
    before, colon, number = frame.rpartition(":")
    return f"{before})" if colon and number.rstrip(")").isdigit() else frame


def drawn(top: Frame) -> str:
    """Draw it, the caller above what it called.

    Examples
    --------
    >>> print(drawn(Frame("all", 2, {"half": Frame("half", 1)})).count("<rect"))
    3

    """
    boxes = list(_boxes(top, top.samples, 0.0, 0))
    height = (max(row for row, _ in boxes) + 1) * _ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height}" font-family="sans-serif"'
    back = f'<rect width="{_WIDTH:.0f}" height="{height}" fill="white"/>'
    return "\n".join([f'{head} font-size="11">', back, *(box for _, box in boxes), "</svg>", ""])


def _boxes(frame: Frame, samples: int, left: float, row: int) -> Iterator[tuple[int, str]]:
    width = _WIDTH * frame.samples / max(1, samples)
    if width < _LEAST:
        return
    told = f"{escape(frame.name)}: {frame.samples / samples:.1%}"
    shown = escape(frame.name[: int(width / _LETTER)]) if width > 5 * _LETTER else ""
    place = f'x="{left:.1f}" y="{row * _ROW}" width="{width:.1f}" height="{_ROW - 1}"'
    text = f'<text x="{left + 2:.1f}" y="{row * _ROW + 12}">{shown}</text>' if shown else ""
    yield row, f'<g><title>{told}</title><rect {place} fill="{_colour(frame.name)}"/>{text}</g>'
    for below in sorted(frame.below.values(), key=lambda one: -one.samples):
        yield from _boxes(below, samples, left, row + 1)
        left += _WIDTH * below.samples / samples


def _colour(name: str) -> str:
    package = name.rpartition("(")[2].partition("/")[0]
    return _COLOURS.get(package, _OTHER)


def main(words: list[str]) -> int:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(
        prog="python -m bench flame", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stacks", type=Path, help="what the profiler wrote, in its raw form")
    parser.add_argument("drawing", type=Path, help="the SVG to write")
    parser.add_argument("--root", default="_run (bench/inside", help="the frame to begin with (default: %(default)s)")
    parser.add_argument("--without", default=_PREPARING, help="leave stacks with these out (default: %(default)s)")
    asked = parser.parse_args(words)
    stacks = asked.stacks.read_text(encoding="utf-8").splitlines()
    found = read(stacks, asked.root, asked.without.split(","))
    if not found.samples:
        parser.error(f"no stack of {asked.stacks} has a frame that begins with {asked.root!r}")
    asked.drawing.write_text(drawn(found), encoding="utf-8")
    return 0
