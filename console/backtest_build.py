"""A backtest's report, put together of its figures and of what it ran on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from console.backtest_arms import arms
from console.backtest_compared import compared
from console.backtest_figures import Figures
from console.backtest_report import Cell, Report, Section, Table, money
from console.backtest_sections import funnel, overlap, rules
from console.backtest_when import pools, volume
from console.backtest_words import SAID
from rules.findings import clock
from rules.saying import Language
from streams.event_log import Header

__all__ = ["Over", "Ran", "report"]


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a backtest.

    Parameters
    ----------
    folder
        Of the rules.
    figures
        What came of it.
    names
        The rules' names by their ids.
    hashes
        The content hash of each kind that decided.

    """

    folder: str
    figures: Figures
    names: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Over:
    """What was run over: the log, for one in how many customers it stands, and the pools of imported codes.

    `beside` are sections on what else it was held beside; they stand first.
    """

    log: str
    header: Header
    sample: int = 1
    imported: tuple[str, ...] = ()
    beside: tuple[Section, ...] = ()


def report(over: Over, run: Ran, against: Ran | None, language: Language) -> Report:
    """Build the report of a run, and of another one over the same log where there is one."""
    words, figures = SAID[language], run.figures
    times = {name: clock(at, figures.zone)[:16] for name, at in (("first", figures.first), ("last", figures.last))}
    sections = [
        funnel(figures, language),
        volume(figures, language),
        pools(figures, tuple(_pool_notes(over, language)), language),
        rules(figures, run.names, language),
        arms(figures, language),
        overlap(figures, language),
    ]
    if against is not None:
        sections.insert(0, compared(figures, against.figures, (run.folder, against.folder), language))
    return Report(
        language,
        words["title"],
        words["subtitle"].format(log=over.header.title, zone=figures.zone, **times),
        tuple(_tiles(figures, language)),
        (*over.beside, *sections, _limits(figures, language), _inputs(over, run, against, language)),
    )


def _tiles(figures: Figures, language: Language) -> Iterator[tuple[str, str]]:
    words = SAID[language]
    face: dict[str, int] = {}
    for pool in figures.pools.values():
        face[pool.currency] = face.get(pool.currency, 0) + pool.minor
    yield words["events"], f"{figures.records:,}"
    yield words["matches"], f"{figures.fates.total():,}"
    yield words["messages"], f"{figures.offered:,}"
    yield words["reached"], f"{len(figures.reached):,}"
    yield words["control"], f"{figures.states['withheld']:,}"
    yield words["coupons"], f"{sum(pool.held for pool in figures.pools.values()):,}"
    yield words["face"], ", ".join(money(minor, name) for name, minor in sorted(face.items())) or "\N{EN DASH}"


def _pool_notes(over: Over, language: Language) -> Iterator[str]:
    if over.sample > 1:
        yield SAID[language]["sampled"].format(sample=f"{over.sample:,}")
    if over.imported:
        yield SAID[language]["imported"].format(pools=", ".join(over.imported))


def _limits(figures: Figures, language: Language) -> Section:
    words = SAID[language]
    said = [words[name] for name in ("l reactions", "l clock", "l models", "l stops")]
    for name, count in (
        ("feedback", figures.answered),
        ("waited", figures.waited),
        ("later", figures.later),
        ("testers", figures.testers),
        ("dead", figures.dead),
    ):
        if count:
            said.append(words[f"l {name}"].format(**{_COUNTED[name]: f"{count:,}"}))
    return Section("limits", words["limits"], tuple(said))


_COUNTED = {name: name for name in ("waited", "later", "testers", "dead")} | {"feedback": "answered"}


def _inputs(over: Over, run: Ran, against: Ran | None, language: Language) -> Section:
    words = SAID[language]
    rows: list[tuple[Cell, ...]] = [
        (words["log"], over.log, ""),
        (words["origin"], words[over.header.origin], ""),
    ]
    rows += [(kind, "" if kind != "rules" else run.folder, name) for kind, name in sorted(run.hashes.items())]
    if against is not None:
        rows.append((words["after"], against.folder, against.hashes.get("rules", "")))
    table = Table((words["what"], words["which"], words["content"]), tuple(rows))
    return Section("inputs", words["inputs"], (over.header.note,) if over.header.note else (), (), (table,))
