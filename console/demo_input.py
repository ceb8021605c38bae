"""What a demo is fed with: the recorded log, a simulated one, or the beginning of either."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Literal

import msgspec

from console.demo_processes import ROOT
from console.simulate import catalogue, write_simulation
from streams.event_log import Header, Line, lines, write

__all__ = ["DEMO", "Input", "prepared"]

EXAMPLES = ROOT / "examples"
DEMO = EXAMPLES / "demo"
"""What the demo puts into force."""

_CUSTOMERS, _DAYS, _SEED = 2_000, 12, 1


@dataclass(frozen=True, slots=True)
class Input:
    """One log that is ready to be fed.

    Parameters
    ----------
    log
        The file.
    header
        What it says of itself.
    apps
        The catalogue of its apps.
    truth
        What its simulated customers are like, for the sandbox alone; None where nobody knows.
    whole
        Whether nothing was cut off.

    """

    log: Path
    header: Header
    apps: Path
    truth: Path | None
    whole: bool


def prepared(origin: Literal["real", "simulated"], home: Path, limit: int | None) -> Input:
    """Make ready what is fed.

    Parameters
    ----------
    origin
        Which log.
    home
        The demo's folder, for what has to be written.
    limit
        How many events at most, behind all the profiles; None is all.

    """
    found = _real() if origin == "real" else _simulated(home)
    if limit is None:
        return found
    cut = home / "cut.jsonl.gz"
    return Input(cut, _cut(found.log, cut, limit), found.apps, found.truth, whole=False)


def _real() -> Input:
    log = EXAMPLES / "data" / "demo.jsonl.gz"
    return Input(log, lines(log)[0], EXAMPLES / "apps.json", None, whole=True)


def _simulated(home: Path) -> Input:
    log, truth, apps = home / "simulated.jsonl.gz", home / "truth.jsonl", home / "apps.json"
    write_simulation(log, truth, _CUSTOMERS, _DAYS, _SEED)
    apps.write_text(catalogue().model_dump_json(), encoding="utf-8")
    return Input(log, lines(log)[0], apps, truth, whole=True)


def _cut(log: Path, to: Path, limit: int) -> Header:
    """Write the beginning of a log; its end is when the last event that is left arrived."""
    header, found = lines(log)
    kept = list(_beginning(found, limit))
    last = next((line.arrived or line.time for line in reversed(kept)), None) or header.last
    shorter = msgspec.structs.replace(header, title=f"{header.title} (cut)", last=last, counts={}, broken=0)
    write(to, shorter, kept)
    return shorter


def _beginning(found: Iterator[Line], limit: int) -> Iterator[Line]:
    first: list[Line] = []

    def is_profile(line: Line) -> bool:
        if line.topic != "customers":
            first.append(line)
        return line.topic == "customers"

    yield from takewhile(is_profile, found)
    yield from first
    yield from islice(found, max(0, limit - len(first)))
