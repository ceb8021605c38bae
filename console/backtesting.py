"""Backtesting: a recorded log through the live functions, once for each folder of rules, and what came of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from console import backtest_offpolicy
from console.backtest_build import Over, Ran, report
from console.backtest_live import Beside, Compared, Live, beside, section, write_differences
from console.backtest_report import Report, Section
from console.backtest_tally import Tally
from console.backtest_words import SAID
from console.column_store import arrays_beside, store_of
from console.live_records import LiveRecords
from console.progress import bar
from console.publishing import Refused, whole_contents_of
from console.replaying import line, through_the_door
from console.written import whole
from kairos.instants import DAY, Millis
from kairos.ports import Output, Record
from rules.priorities import Priorities, load_priorities
from rules.saying import Language
from streams import event_log
from streams.backtest import Backtest, stocked
from streams.backtest_log import TOPICS, Arrays, moved
from streams.backtest_log_made import arrays_of
from streams.interpreter import collect_rarely
from streams.topics import DECISIONS, FEEDBACK, OFFERS
from streams.versions import Versions

__all__ = ["Books", "Wanted", "backtested"]

_WRITTEN = frozenset({DECISIONS, *OFFERS.values()})
_WEEK = 7 * DAY
_EVERY = 2_000


class Books(NamedTuple):
    """What decides: a folder of rules, and the files beside it."""

    rules: Path
    policy: Path
    pools: Path
    apps: Path
    priorities: Path | None = None

    def versions(self) -> Versions:
        """Read and check everything.

        Raises
        ------
        Refused
            There are problems.

        """
        versions = Versions()
        for kind, content in whole_contents_of(self.rules, self.policy, self.pools, self.apps).items():
            versions = versions.having(kind, content)
        if self.priorities is not None:
            found = load_priorities(self.priorities.read_bytes(), str(self.priorities))
            if not isinstance(found, Priorities):
                raise Refused(found)
            versions = versions.having("priorities", found.content)
        return versions


class Wanted(NamedTuple):
    """How a backtest is to run: over which log, ending when, for one in how many customers, written where.

    `is_quick` passes over whom no rule can meet. `live` is what it is to be held beside, and `differences` the file for
    every place at which they differ.
    """

    log: Path
    ends: Millis | None = None
    sample: int = 1
    out: Path | None = None
    is_quick: bool = True
    live: LiveRecords | None = None
    differences: Path | None = None


def backtested(wanted: Wanted, books: Books, against: Path | None, language: Language) -> Report:
    """Run the rules over the log, then those they are compared with, and report.

    Raises
    ------
    Refused
        The books have problems; nothing was run.
    BrokenLog
        The log cannot be read; the message names the line.
    ValueError
        What is to be a live run's records is none, or holds no decision.

    """
    collect_rarely()
    live = None if wanted.live is None else Live(wanted.live)
    folders = [books.rules, *([] if against is None else [against])]
    tried = [books._replace(rules=folder).versions() for folder in folders]
    header, _ = event_log.lines(wanted.log)
    runs: list[Ran] = []
    held: list[Held] = []
    for folder, versions in zip(folders, tried, strict=True):
        with (
            bar(f"backtest of {folder}", sum(header.topics.values())) as step,
            _written(None if runs else wanted.out) as file,
        ):
            backtest = Backtest(stocked(versions, wanted.sample))
            heard = None if live is None else Beside()
            runs.append(_run(wanted, books._replace(rules=folder), backtest, (step, file, heard)))
            if heard is not None and live is not None:
                held.append(_held(wanted, live, heard, backtest.versions, language))
    if not runs[0].figures.records:
        raise ValueError(f"{wanted.log}: there is no event in this log, so there is nothing to decide")
    if wanted.differences is not None:
        write_differences(
            {str(folder): one.compared for folder, one in zip(folders, held, strict=True)}, wanted.differences
        )
    imported = tuple(sorted(name for name, pool in tried[0].pools.items() if pool.codes == "imported"))
    over = Over(str(wanted.log), header, wanted.sample, imported, _beside(folders, held, language))
    return report(over, runs[0], runs[1] if against is not None else None, language)


_Step = Callable[[int], None]
_Hear = Callable[[Record], Record]


class Held(NamedTuple):
    """A folder's rules beside the live run: what came of it, and how that is told."""

    compared: Compared
    sections: tuple[Section, ...]


def _beside(folders: Sequence[Path], held: Sequence[Held], language: Language) -> tuple[Section, ...]:
    """Give the sections; of two folders each says whose it is."""
    if len(held) < 2:
        return held[0].sections if held else ()
    words = SAID[language]
    return tuple(
        replace(
            one,
            name=f"{one.name}-{when}",
            title=words["whose"].format(title=one.title, when=words[when], folder=folder),
        )
        for folder, when, found in zip(folders, ("before", "after"), held, strict=True)
        for one in found.sections
    )


def _held(wanted: Wanted, live: Live, heard: Beside, versions: Versions, language: Language) -> Held:
    compared = beside(
        heard, live, lambda: through_the_door(event_log.read(wanted.log, _shift(wanted))[1]), versions.hashes
    )
    heard.reactions.add(live.heard.reactions)
    estimated = backtest_offpolicy.judged(live.heard.draws.of, heard.draws.of)
    told = (
        section(compared, versions.policy.zone, language),
        backtest_offpolicy.section(estimated, heard.reactions, language),
    )
    return Held(compared, told)


def _shift(wanted: Wanted) -> Millis:
    if wanted.ends is None:
        return 0
    return event_log.shift_to(event_log.lines(wanted.log)[0], wanted.ends, _WEEK)


def _run(wanted: Wanted, books: Books, backtest: Backtest, told: tuple[_Step, IO[str] | None, Beside | None]) -> Ran:
    step, file, heard = told
    versions = backtest.versions
    tally = Tally(versions.policy.zone, versions.pools.values())
    shift = _shift(wanted)
    hear: _Hear = _nobody if heard is None else heard.hear
    if wanted.is_quick:
        outputs = _quick(wanted.log, shift, books.apps.read_bytes(), (backtest, tally, step, hear))
    else:
        records = map(hear, through_the_door(event_log.read(wanted.log, shift)[1]))
        outputs = backtest.run(map(tally.hear, records), step)
    for output in outputs:
        tally.take(output)
        if heard is not None:
            heard.take(output)
        if file is not None and output.topic in _WRITTEN:
            file.write(line(output))
    names = {rule.id: rule.name for rule in versions.book.rules.values()}
    return Ran(str(books.rules), tally.finish(), names, versions.hashes)


def _nobody(record: Record) -> Record:
    return record


def _quick(log: Path, shift: Millis, apps: bytes, parts: tuple[Backtest, Tally, _Step, _Hear]) -> Iterator[Output]:
    backtest, tally, step, hear = parts

    def made() -> Arrays:
        return arrays_of(_counted(event_log.arrived(log), step), backtest.versions.apps)

    arrays = moved(arrays_beside(log, store_of(log, "backtest"), apps, made), shift)
    tally.told(arrays)
    quick = backtest.quick(arrays)
    # What comes back is heard of everybody, as it is where everybody is lived through.
    lines = np.union1d(quick.lines, arrays["log/line"][arrays["log/topic"] == TOPICS.index(FEEDBACK)])
    records = map(hear, through_the_door(event_log.read_some(log, lines.tolist(), shift)))
    lived = compress(map(tally.answered, records), np.isin(lines, quick.lines).tolist())
    return quick.run(lived, step)


def _counted(lines: Iterator[event_log.Arrived], step: _Step) -> Iterator[event_log.Arrived]:
    for found in lines:
        if found[0] % _EVERY == 0:
            step(found[0])
        yield found


@contextmanager
def _written(path: Path | None) -> Iterator[IO[str] | None]:
    """Open the file of records."""
    if path is None:
        yield None
        return
    with whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file
