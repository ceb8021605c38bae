"""Backtesting: a recorded log through the live functions, once for each folder of rules, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.backtest_build import Over, Ran, report
from console.backtest_report import Report
from console.backtest_tally import Tally
from console.output import errors
from console.publishing import whole_contents_of
from console.replaying import LOG_TOPICS, line, through_the_door
from kairos.instants import DAY, Millis
from rules.saying import Language
from streams import event_log
from streams.backtest import Backtest, stocked
from streams.event_log import Header
from streams.topics import DECISIONS, OFFERS_LIST, OFFERS_PUSH, OFFERS_SMS
from streams.versions import Versions

__all__ = ["Books", "Wanted", "backtested"]

_WRITTEN = frozenset({DECISIONS, OFFERS_SMS, OFFERS_PUSH, OFFERS_LIST})
_WEEK = 7 * DAY


class Books(NamedTuple):
    """What decides: a folder of rules, and the files beside it."""

    rules: Path
    policy: Path
    pools: Path
    apps: Path

    def versions(self) -> Versions:
        """Read and check everything.

        Raises
        ------
        Refused
            There are problems.

        """
        versions = Versions()
        for kind, content in whole_contents_of(*self).items():
            versions = versions.having(kind, content)
        return versions


class Wanted(NamedTuple):
    """How a backtest is to run: over which log, ending when, for one in how many customers, written where."""

    log: Path
    ends: Millis | None = None
    sample: int = 1
    out: Path | None = None


def backtested(wanted: Wanted, books: Books, against: Path | None, language: Language) -> Report:
    """Run the rules over the log, then those they are compared with, and report.

    Raises
    ------
    Refused
        The books have problems; nothing was run.
    BrokenLog
        The log cannot be read; the message names the line.

    """
    folders = [books.rules, *([] if against is None else [against])]
    tried = [books._replace(rules=folder).versions() for folder in folders]
    header, _ = event_log.lines(wanted.log)
    runs: list[Ran] = []
    for folder, versions in zip(folders, tried, strict=True):
        with _bar(header, f"backtest of {folder}") as step, _written(None if runs else wanted.out) as file:
            runs.append(_run(wanted, header, str(folder), stocked(versions, wanted.sample), (step, file)))
    imported = tuple(sorted(name for name, pool in tried[0].pools.items() if pool.codes == "imported"))
    over = Over(str(wanted.log), header, wanted.sample, imported)
    return report(over, runs[0], runs[1] if against is not None else None, language)


_Step = Callable[[int], None]


def _run(wanted: Wanted, header: Header, folder: str, versions: Versions, told: tuple[_Step, IO[str] | None]) -> Ran:
    step, file = told
    backtest, tally = Backtest(versions), Tally(versions.policy.zone, versions.pools.values())
    shift = 0 if wanted.ends is None else event_log.shift_to(header, wanted.ends, _WEEK)
    records = map(tally.hear, through_the_door(event_log.read(wanted.log, shift)[1]))
    for output in backtest.run(records, step):
        tally.take(output)
        if file is not None and output.topic in _WRITTEN:
            file.write(line(output))
    names = {rule.id: rule.name for rule in versions.book.rules.values()}
    return Ran(folder, tally.finish(), names, versions.hashes)


@contextmanager
def _bar(header: Header, doing: str) -> Iterator[_Step]:
    total = sum(header.counts.get(kind, 0) for kind in LOG_TOPICS)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(doing, total=total or None)
        yield lambda count: progress.update(task, completed=count)


@contextmanager
def _written(path: Path | None) -> Iterator[IO[str] | None]:
    """Open the file of records; it is there once all of it is written, or not at all."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
