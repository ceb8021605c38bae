"""The live view: what the engine is doing, twice a second; plain lines every few seconds where there is no terminal."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from console.counting import Figures
from console.sentences import sentence

__all__ = ["Frame", "Show", "is_plain", "plain_lines", "rendered", "showing"]

PLAIN_EVERY = 5.0
"""Seconds between two plain lines."""
_REASONS = 10


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
    with Live(console=console, auto_refresh=False, transient=True) as live:
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
    """Draw a frame for a terminal."""
    head = Text.assemble(("Kairos", "bold"), f"  {frame.title}  ", (f"{frame.seconds:.0f} s  {frame.phase}", "cyan"))
    tables = Columns([_engine(frame), _channels(frame.figures), _reasons(frame.figures)], padding=(0, 3))
    return Group(head, tables, _pools(frame.figures), _newest(frame.figures))


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
    rows = (
        ("events/s", f"{frame.rate:,.0f}"),
        ("events", f"{found.happened:,}"),
        ("lag", f"{frame.lag:,}"),
        ("customers", f"{found.customers:,}"),
        ("tags", f"{found.tags:,}"),
        ("matches", f"{found.matches:,}"),
        ("decisions", f"{found.decisions:,}"),
        ("withheld (control)", f"{found.states.get('withheld', 0):,}"),
        ("dead letters", f"{sum(found.dead_letters.values()):,}"),
        ("latency p50", f"{found.p50:,} ms"),
        ("latency p99", f"{found.p99:,} ms"),
        ("examples, models", f"{found.examples:,}, {found.snapshots:,}"),
    )
    return _table("", *rows, title="the engine")


def _channels(found: Figures) -> Table:
    table = Table(title="offers", title_justify="left", box=None, pad_edge=False)
    for name in ("channel", "offers", "delivered"):
        table.add_column(name, justify="left" if name == "channel" else "right")
    for channel in ("sms", "push", "list"):
        if channel in found.offers or channel != "list":
            table.add_row(channel, f"{found.offers.get(channel, 0):,}", f"{found.delivered.get(channel, 0):,}")
    for what in ("opened", "clicked", "redeemed", "converted"):
        if what in found.reactions:
            table.add_row(f"{what} (simulated)", "", f"{found.reactions[what]:,}")
    return table


def _reasons(found: Figures) -> Table:
    rows = [(why, f"{n:,}") for why, n in list(found.refused.items())[:_REASONS]]
    return _table("candidates", *rows, title="not offered, and why")


def _pools(found: Figures) -> Table:
    table = Table(title="coupon pools", title_justify="left", box=None, pad_edge=False)
    for name in ("pool", "burning down", "left", "reserved", "confirmed", "redeemed"):
        table.add_column(name, justify="left" if name in ("pool", "burning down") else "right")
    for name, pool in sorted(found.pools.items()):
        bar = ProgressBar(total=max(1, pool.limit), completed=max(0, pool.left), width=30)
        counts = (pool.left, pool.reserved, pool.confirmed, pool.redeemed)
        table.add_row(name, bar, *(f"{count:,}" for count in counts))
    return table


def _newest(found: Figures) -> Text:
    text = Text("newest offers\n", style="italic")
    for story in found.newest[:3]:
        text.append(f"{sentence(story, 'zh')}\n", style="not italic green")
        text.append(f"{sentence(story, 'en')}\n", style="not italic")
    return text


def _table(head: str, *rows: tuple[str, str], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=bool(head))
    table.add_column("")
    table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*row)
    return table
