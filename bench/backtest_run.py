"""`python -m bench backtest`: how many events a second a backtest takes on one core, for books of different reach.

A log of invented customers lies in a file; a share of them carries the tag that all rules of a book ask for. Each
book runs over the whole log as `kairos backtest` runs it, figures counted: record by record, and passing over whom no
rule can meet, with the arrays kept beside the log and without; the making of the arrays also by itself. Beside them the
bare decode of the same events' JSON in the same run, for a busy machine shows ratios only. Processor time of one
thread, so events/s are those of one core.
"""

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple, TypeVar

import msgspec

from bench.rulebook import SEGMENTS, book, policy
from bench.workload import Workload, events
from console.backtest_tally import Tally
from console.column_store import arrays_beside, store_of
from console.replaying import through_the_door
from kairos.instants import DAY, Millis, from_rfc3339, rfc3339
from kairos.ports import Record
from kairos.wire import bare_type
from streams import event_log
from streams.backtest import Backtest, stocked
from streams.backtest_log import met_by, moved
from streams.backtest_log_made import arrays_of
from streams.event_log import Header, Line
from streams.interpreter import collect_rarely
from streams.topics import APP_USAGE
from streams.versions import Versions

__all__ = ["main"]

T = TypeVar("T")
_REACH = (0.0, 0.01, 0.05, 0.25, 1.0)
_LAST: Millis = from_rfc3339("2026-12-31T12:00:00+08:00")
_SPAN = 30 * DAY
_CONSENT = '[{"purpose":"*","channel":"*","granted":true,"at":"2026-01-01T00:00:00Z"}]'


class _Tried(NamedTuple):
    """A book, and the share of customers that its rules are for."""

    reach: float
    versions: Versions


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench backtest", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="in the log (default: %(default)s)")
    parser.add_argument("--customers", type=int, default=2_000, help="in the log (default: %(default)s)")
    parser.add_argument("--rules", type=int, default=100, help="in each book (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs (default: %(default)s)")
    parser.add_argument("--reach", type=float, nargs="+", default=_REACH, help="shares of customers the rules are for")
    asked = parser.parse_args(words)
    collect_rarely()
    with tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder:
        log = Path(folder) / "log.jsonl"
        _write(log, asked.events, asked.customers)
        _measure(log, asked)
    return 0


def _write(path: Path, number: int, customers: int) -> None:
    """Write the log: profiles, each with a place on [0, 1) that says which books are for the customer, then events."""
    crowd, chance = Workload("", customers, skew=False), Random("backtest")
    first = _LAST - _SPAN

    def lines() -> Iterator[Line]:
        for place, key in enumerate(crowd.keys):
            tags = [f'"reach-{reach:g}"' for reach in _REACH if place < reach * customers]
            attrs = f'{{"segment":"s{place % SEGMENTS}"}}'
            said = f'{{"tags":[{",".join(tags)}],"attrs":{attrs},"consent":{_CONSENT},"personalisation":true}}'
            name, at = f"profile-{place}", rfc3339(first - DAY)
            yield Line("customers", key.decode(), "customer", name, "/bench", at, msgspec.Raw(said.encode()))
        for record in events(crowd.drawn(chance, number), _LAST, "backtest", _SPAN / number):
            yield _line(record)

    event_log.write(path, Header("a bench", "simulated", "", rfc3339(first - DAY), rfc3339(_LAST)), lines())


def _line(record: Record) -> Line:
    said = {name: value.decode() for name, value in record.headers}
    topic = "app-usage" if record.topic == APP_USAGE else "transactions"
    key, kind = (record.key or b"").decode(), bare_type(said["ce_type"])
    return Line(topic, key, kind, said["ce_id"], said["ce_source"], said["ce_time"], msgspec.Raw(record.value or b""))


def _measure(log: Path, asked: argparse.Namespace) -> None:
    tried = [_Tried(reach, _versions(asked.rules, reach)) for reach in asked.reach]
    values = [record.value or b"" for record in event_log.read(log)[1]]
    decode, made = list[float](), list[float]()
    took: dict[tuple[float, str], list[float]] = {}
    told: dict[float, str] = {}
    for _ in range(asked.runs):
        decode.append(_timed(lambda: [json.loads(value) for value in values])[0])
        seconds, arrays = _timed(lambda: arrays_of(event_log.arrived(log), tried[0].versions.apps))
        made.append(seconds)
        for reach, versions in tried:
            seconds, plain = _timed(lambda versions=versions: _plain(log, versions))
            took.setdefault((reach, "plain"), []).append(seconds)
            store_of(log, "backtest").unlink(missing_ok=True)
            for way in ("first", "quick"):
                seconds, quick = _timed(lambda versions=versions: _quick(log, versions))
                took.setdefault((reach, way), []).append(seconds)
                if plain.figures.fates != quick.figures.fates:
                    raise ValueError("the quick way decided otherwise")
            met = met_by(versions.book, arrays)
            told[reach] = f"{met.mean():.1%} | {plain.figures.fates.total():,} | {plain.figures.offered:,}"
    _print(asked, len(values), (decode, made), took, told)


def _versions(rules: int, reach: float) -> Versions:
    found = Versions().having("rules", book(rules, f"reach-{reach:g}", broad=True).content)
    return stocked(found.having("policy", policy()))


def _records(log: Path) -> Iterator[Record]:
    return through_the_door(event_log.read(log)[1])


def _plain(log: Path, versions: Versions) -> Tally:
    tally = Tally(versions.policy.zone, versions.pools.values())
    for output in Backtest(versions).run(map(tally.hear, _records(log))):
        tally.take(output)
    return tally


def _quick(log: Path, versions: Versions) -> Tally:
    tally = Tally(versions.policy.zone, versions.pools.values())
    kept = arrays_beside(log, store_of(log, "backtest"), b"", lambda: arrays_of(event_log.arrived(log), versions.apps))
    arrays = moved(kept, 0)
    tally.told(arrays)
    quick = Backtest(versions).quick(arrays)
    for output in quick.run(map(tally.answered, through_the_door(event_log.read_some(log, quick.lines.tolist())))):
        tally.take(output)
    return tally


def _timed(part: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    begin = time.process_time()
    found = part()
    return time.process_time() - begin, found


def _print(
    asked: argparse.Namespace,
    events: int,
    once: tuple[list[float], list[float]],
    took: dict[tuple[float, str], list[float]],
    told: dict[float, str],
) -> None:
    decode, made = once
    bare = [events / seconds for seconds in decode]
    print(
        f"{events:,} records of {asked.customers:,} customers in 30 days, {asked.rules} rules a book; events/s of one "
        f"core, medians of {asked.runs} interleaved runs (least - most), and the time as a multiple of the bare decode."
    )
    print(f"\nbare decode of the JSON: {_rate(bare)} events/s")
    print(f"the log into arrays, once for all books: {_cell(events, made, decode)}\n")
    heads = "`--every-record` | arrays kept beside the log | the first backtest over a log"
    print(f"| rules are for | customers met | matches | messages | {heads} |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for reach in asked.reach:
        cells = " | ".join(_cell(events, took[reach, way], decode) for way in ("plain", "quick", "first"))
        print(f"| {reach:.0%} | {told[reach]} | {cells} |")


def _cell(events: int, took: list[float], decode: list[float]) -> str:
    times = median(one / bare for one, bare in zip(took, decode, strict=True))
    return f"{_rate([events / seconds for seconds in took])} [{times:.1f}x]"


def _rate(found: list[float]) -> str:
    return f"{median(found):,.0f} ({min(found):,.0f} - {max(found):,.0f})"
