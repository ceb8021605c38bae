"""Generated functions: how source becomes a function, and what it may call."""

from collections.abc import Iterable, Mapping
from typing import Any

from rules.chains import ends, none_started, started
from rules.firings import last_fired
from rules.moments import day_of, first_second, local, midnight
from rules.panes import largest, reaches, smallest, total
from rules.places import distance
from rules.rings import fewer, long_ago, recent, until
from rules.values import ring

__all__ = ["made"]

_NAMES: Mapping[str, object] = {
    "day_of": day_of,
    "distance": distance,
    "ends": ends,
    "fewer": fewer,
    "first_second": first_second,
    "largest": largest,
    "last_fired": last_fired,
    "local": local,
    "long_ago": long_ago,
    "midnight": midnight,
    "none_started": none_started,
    "reaches": reaches,
    "recent": recent,
    "ring": ring,
    "smallest": smallest,
    "started": started,
    "total": total,
    "until": until,
}
"""What generated conditions may call."""


def made(lines: Iterable[str], names: Mapping[str, object]) -> Any:
    """Make the function `found` that some lines define; `names` are what it may call beside the usual."""
    # Any: what exec makes has no type; the callers say what it is.
    known: dict[str, Any] = {**_NAMES, **names}
    # The source is this package's own, with checked literals in it: see `rules.source`.
    exec("\n".join(lines), known)  # noqa: S102 - a function for each bucket is why matching is fast
    # Taken out of its own globals, so that an old book is gone at once and not when cycles are looked for.
    return known.pop("found")
