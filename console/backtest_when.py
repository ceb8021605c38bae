"""The parts of a backtest's report on time and money: when messages would have gone out, and how pools burn down."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from console.backtest_figures import Figures, PoolFigures
from console.backtest_report import Cell, Chart, Section, Table, money
from console.backtest_words import SAID, channel
from kairos.instants import Millis
from rules.findings import clock
from rules.saying import Language

__all__ = ["Periods", "periods", "pools", "volume"]

_LINES = 12
_DAYS, _WEEKS = 62, 800
"""Up to so many days a report tells every day, up to so many every week, and months beyond."""


@dataclass(frozen=True, slots=True)
class Periods:
    """The days of a report in periods that can be told apart: each by its first day, without a gap."""

    kind: str
    labels: tuple[str, ...]

    def of(self, day: str) -> str:
        """Give the period of a day."""
        return _begin(date.fromisoformat(day), self.kind).isoformat()


def periods(days: Sequence[str]) -> Periods:
    """Part the time between the first and the last of some days.

    Examples
    --------
    >>> periods(["2026-12-30", "2027-01-02"]).labels
    ('2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02')
    >>> year = periods(["2026-12-30", "2027-06-01"])
    >>> year.kind, year.labels[:2], year.of("2027-01-10")
    ('week', ('2026-12-28', '2027-01-04'), '2027-01-04')

    """
    if not days:
        return Periods("day", ())
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    long = (last - first).days
    kind = "day" if long < _DAYS else "week" if long < _WEEKS else "month"
    found, at = [], _begin(first, kind)
    while at <= last:
        found.append(at.isoformat())
        # No month has more days than this; its successor begins with the first of them.
        at = _begin(at + timedelta(days={"day": 1, "week": 7, "month": 31}[kind]), kind)
    return Periods(kind, tuple(found))


def _begin(day: date, kind: str) -> date:
    if kind == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == "month" else day


def volume(figures: Figures, language: Language) -> Section:
    """Tell when messages would have gone out, by hour of the day and by period."""
    words = SAID[language]
    channels = sorted({name for _, _, name in figures.volume})
    by_hour: Counter[tuple[str, str]] = Counter()
    by_period: Counter[tuple[str, str]] = Counter()
    time = periods([*_span(figures), *(day for day, _, _ in figures.volume)])
    for (day, hour, name), count in figures.volume.items():
        by_hour[f"{hour:02}", name] += count
        by_period[time.of(day), name] += count
    hours = tuple(f"{hour:02}" for hour in range(24))
    said = words["volume said" if figures.volume else "volume nothing"].format(zone=figures.zone)
    parts = (
        _spread(words["by hour"], words["hour"], hours, channels, by_hour, language),
        _spread(words[f"by {time.kind}"], words["period"], time.labels, channels, by_period, language),
    )
    return Section("volume", words["volume"], (said,), tuple(p[0] for p in parts), tuple(p[1] for p in parts))


def _span(figures: Figures) -> list[str]:
    return [clock(at, figures.zone)[:10] for at in (figures.first, figures.last) if at]


def _spread(
    title: str,
    first: str,
    labels: tuple[str, ...],
    channels: Sequence[str],
    counts: Counter[tuple[str, str]],
    language: Language,
) -> tuple[Chart, Table]:
    series = {channel(name, language): [counts[label, name] for label in labels] for name in channels}
    told = [label for label in labels if any(counts[label, name] for name in channels)]
    rows: list[tuple[Cell, ...]] = [
        (label, *(counts[label, name] for name in channels), sum(counts[label, name] for name in channels))
        for label in told
    ]
    columns = (first, *(channel(name, language) for name in channels), SAID[language]["all"])
    return Chart("stacked", title, labels, series), Table(columns, tuple(rows), folded=title)


def pools(figures: Figures, notes: Sequence[str], language: Language) -> Section:
    """Tell how the pools burned down."""
    words = SAID[language]
    used = {name: pool for name, pool in sorted(figures.pools.items()) if pool.days}
    time = periods([*_span(figures), *(day for pool in used.values() for day in pool.days)])
    # Those that fell furthest: more lines than this could not be told apart.
    drawn = sorted(sorted(used, key=lambda name: _rest(used[name], used[name].held, used[name].minor))[:_LINES])
    chart = Chart("lines", words["left chart"], time.labels, {name: _left(used[name], time) for name in drawn})
    columns = ("pool", "merchant", "programme", "limit", "budget", "given", "face", "left", "not served", "empty")
    rows = tuple(_pool(name, pool, figures.zone) for name, pool in sorted(figures.pools.items()))
    table = Table(tuple(words[column] for column in columns), rows)
    return Section("pools", words["pools"], (words["pools said"], *notes), (chart,) if used else (), (table,))


def _left(pool: PoolFigures, time: Periods) -> list[float]:
    """Give what was left at the end of each period, in per cent of the tighter of count and budget."""
    changes = {time.of(day): held for day, held in sorted(pool.days.items())}
    found, held = [], (0, 0)
    for label in time.labels:
        held = changes.get(label, held)
        found.append(round(100 * _rest(pool, *held), 1))
    return found


def _rest(pool: PoolFigures, count: int, minor: int) -> float:
    by_count = 1 - count / pool.limit if pool.limit else 0.0
    by_money = 1 - minor / pool.budget if pool.budget else (1.0 if pool.budget is None else 0.0)
    return max(0.0, min(by_count, by_money))


def _pool(name: str, pool: PoolFigures, zone: str) -> tuple[Cell, ...]:
    dash = "\N{EN DASH}"
    return (
        name,
        pool.merchant,
        pool.programme,
        pool.limit,
        dash if pool.budget is None else money(pool.budget, pool.currency),
        pool.held,
        money(pool.minor, pool.currency),
        f"{_rest(pool, pool.held, pool.minor):.1%}",
        pool.refused,
        dash if pool.first_refused is None else _minute(pool.first_refused, zone),
    )


def _minute(at: Millis, zone: str) -> str:
    return clock(at, zone)[:16]
