"""The live view: what the engine is doing, twice a second; plain lines every few seconds where there is no terminal."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from console.counting_figures import Figures
from console.sentences import sentence

__all__ = ["Frame", "Show", "is_plain", "plain_lines", "rendered", "showing"]

PLAIN_EVERY = 5.0
"""Seconds between two plain lines."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Parameters
    ----------
    title
        What is fed, and whether it is real.
    phase
        What the demo does now.
    seconds
        How long it has run.
    rate
        Events a second that came in lately.
    lags
        Records before each consumer group.
    figures
        What was counted.

    """

    title: str
    phase: str
    seconds: float
    rate: float
    lags: Mapping[str, int]
    figures: Figures

    @property
    def lag(self) -> int:
        """Records before all groups together."""
        return sum(self.lags.values())


Show = Callable[[Frame], None]


def is_plain(console: Console) -> bool:
    """Whether only lines make sense: no terminal, a dumb one, or the user asked for no colours."""
    return not console.is_terminal or console.is_dumb_terminal or bool(os.environ.get("NO_COLOR"))


@contextmanager
def showing(console: Console) -> Iterator[Show]:
    """Give what shows a frame on this console."""
    if is_plain(console):
        yield _plainly(console)
        return
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        yield lambda frame: live.update(rendered(frame), refresh=True)


def plain_lines(frame: Frame) -> list[str]:
    """Write a frame as lines: the figures, what was not offered, the pools, and the newest offer in both languages."""
    found = frame.figures
    offers = ", ".join(f"{c} {n:,} ({found.delivered.get(c, 0):,} delivered)" for c, n in sorted(found.offers.items()))
    lines = [
        f"[{frame.seconds:4.0f} s] {frame.phase}: {found.happened:,} events ({frame.rate:,.0f}/s), lag {frame.lag:,}, "
        f"{found.customers:,} customers, {found.tags:,} tags, {found.matches:,} matches; offers: {offers or 'none'}; "
        f"withheld {found.states.get('withheld', 0):,}; latency p50 {found.p50:,} ms, p99 {found.p99:,} ms"
    ]
    if found.refused:
        lines.append(f"         not offered: {', '.join(f'{why} {n:,}' for why, n in found.refused.items())}")
    if found.pools:
        held = ", ".join(f"{name} {pool.held:,} of {pool.limit:,}" for name, pool in sorted(found.pools.items()))
        lines.append(f"         coupons: {held}")
    if found.newest:
        lines += [f"         {sentence(found.newest[0], 'zh')}", f"         {sentence(found.newest[0], 'en')}"]
    return lines


def rendered(frame: Frame) -> RenderableType:
    """Draw a frame for a terminal of 80 columns; what does not fit below its last line are the older offers."""
    head = Text.assemble(("Kairos", "bold"), f"  {frame.title}  ", (f"{frame.seconds:.0f} s  {frame.phase}", "cyan"))
    return Group(head, _engine(frame), _refused(frame.figures), _pools(frame.figures), _newest(frame.figures))


def _plainly(console: Console) -> Show:
    due, before = 0.0, ""

    def show(frame: Frame) -> None:
        nonlocal due, before
        if time.monotonic() < due and frame.phase == before:
            return
        due, before = time.monotonic() + PLAIN_EVERY, frame.phase
        for line in plain_lines(frame):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    return show


def _engine(frame: Frame) -> Table:
    found = frame.figures
    said = (
        ("events/s", f"{frame.rate:,.0f}", "matches", f"{found.matches:,}"),
        ("events", f"{found.happened:,}", "decisions", f"{found.decisions:,}"),
        ("lag", f"{frame.lag:,}", "offers by SMS", _offered(found, "sms")),
        ("customers", f"{found.customers:,}", "offers by push", _offered(found, "push")),
        ("tags", f"{found.tags:,}", "withheld (control)", f"{found.states.get('withheld', 0):,}"),
        ("latency p50", f"{found.p50:,} ms", "reactions (simulated)", f"{sum(found.reactions.values()):,}"),
        ("latency p99", f"{found.p99:,} ms", "examples learnt", f"{found.examples:,} ({found.snapshots:,} snapshots)"),
        ("dead letters", f"{sum(found.dead_letters.values()):,}", "", ""),
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("dim", "bold", "dim", "bold"):
        table.add_column("", style=style, justify="left", min_width=12)
    for row in said:
        table.add_row(*row)
    return table


def _offered(found: Figures, channel: str) -> str:
    return f"{found.offers.get(channel, 0):,}, {found.delivered.get(channel, 0):,} delivered"


def _refused(found: Figures) -> Text:
    text = Text("not offered, and why: ", style="italic")
    said = ", ".join(f"{why} {n:,}" for why, n in found.refused.items()) or "nothing yet"
    return text.append(said, style="not italic yellow")


def _pools(found: Figures) -> Table:
    table = Table(box=None, pad_edge=False, header_style="italic")
    for name in ("coupon pool", "burning down", "left", "reserved", "confirmed", "redeemed"):
        table.add_column(name, justify="left" if name in ("coupon pool", "burning down") else "right")
    for name, pool in sorted(found.pools.items()):
        bar = ProgressBar(total=max(1, pool.limit), completed=max(0, pool.left), width=20)
        counts = (pool.left, pool.reserved, pool.confirmed, pool.redeemed)
        table.add_row(name, bar, *(f"{count:,}" for count in counts))
    return table


def _newest(found: Figures) -> Text:
    text = Text("newest offers\n", style="italic")
    for story in found.newest[:3]:
        text.append(f"{sentence(story, 'zh')}\n", style="not italic green")
        text.append(f"{sentence(story, 'en')}\n", style="not italic")
    return text
