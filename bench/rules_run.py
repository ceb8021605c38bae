"""`python -m bench rules`: what matching costs with 10 to 10,000 rules, beside other engines and the decode of JSON."""

import argparse
import asyncio
import gc
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.rules_peers import asked_elsewhere
from bench.rules_plot import plot
from bench.rules_workload import Happened, events, files, people, wishes
from kairos.customer import Customer, Standing
from kairos.events import Profile
from rules.book import Book, load
from rules.kept import Kept, packed
from streams.interpreter import collect_rarely, give_way, leave_alone, short_turns

T = TypeVar("T")
SIZES = (10, 100, 1_000, 10_000)
_CHUNK = 1_000
_PLOT = Path(__file__).parent.parent / "docs" / "rules-growth.svg"
ENGINES = {
    "match": "Kairos, the counts given",
    "windows": "Kairos, windows kept and matched",
    "zen": "ZEN 2.1 (GoRules), decision table, static loader",
    "cel": "CEL 0.10 (Rust), a program a rule",
}


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench rules", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="events a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="patience with a peer (default: %(default)s)")
    parser.add_argument("--swap", action="store_true", help="only what a change of one rule does to batches beside it")
    asked = parser.parse_args(words)
    if asked.swap:
        print(_swaps(asked.runs))
        return 0
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    taken = events()[: asked.events]
    notes = [_size(number, taken, asked.runs, asked.seconds, found) for number in SIZES]
    notes.append(_swaps(asked.runs))
    decode = median(one for (name, _), all_ in found.items() if name == "decode" for one in all_)
    print(f"\nMicroseconds of processor time an event; medians of {asked.runs} interleaved runs (least - most);")
    print(f"in brackets multiples of the bare decode of the event's JSON in the same run, {decode:.2f} µs.\n")
    print(f"| engine | {' | '.join(f'{size:,} rules' for size in SIZES)} |\n| --- |{' ---: |' * len(SIZES)}")
    for name, title in ENGINES.items():
        print(f"| {title} | {' | '.join(_cell(found, name, size) for size in SIZES)} |")
    print("\n" + "\n".join(notes))
    lines = {title: [median(found[name, size]) for size in SIZES] for name, title in ENGINES.items()}
    _PLOT.write_text(plot(SIZES, lines))
    return 0


def _cell(found: dict[tuple[str, int], list[float]], name: str, size: int) -> str:
    taken = found[name, size]
    times = median(one / two for one, two in zip(taken, found["decode", size], strict=True))
    return f"{median(taken):,.1f} ({min(taken):,.1f} - {max(taken):,.1f}) [{times:,.1f}x]"


def _size(
    number: int, taken: list[Happened], runs: int, seconds: float, found: dict[tuple[str, int], list[float]]
) -> str:
    plain = _loaded(files(number, windows=False))[0]
    book, loading = _loaded(files(number, windows=True))
    reading, _ = _timed(lambda: Book.of_content(book.content))
    written = packed(book.apart)
    again, _ = _timed(lambda: Book.of_content(book.content, None, Kept(written)))
    given = [_given(one) for one in taken]
    matched = [[int(rule.id[5:]) for rule in plain.match(*one)] for one in given]
    wrong, compared, built = 0, {}, {}
    for _ in range(runs):
        gc.collect()
        found["decode", number].append(_timed(lambda: _decoded(taken))[0] / len(taken) * 1e6)
        found["match", number].append(_timed(lambda: [plain.match(*one) for one in given])[0] / len(taken) * 1e6)
        found["windows", number].append(_timed(lambda: _lived(book, taken))[0] / len(taken) * 1e6)
        for engine in ("zen", "cel"):
            said = asked_elsewhere(engine, wishes()[:number], taken, seconds)
            found[engine, number].append(float(said["micros"]))
            theirs = said["found"]
            compared[engine], built[engine] = len(theirs), said["built"]
            wrong += sum(one != two for one, two in zip(theirs, matched, strict=False))
    share = sum(map(len, matched)) / len(matched)
    return (
        f"{number:,} rules: {share:.4f} matches an event; mismatches: {wrong} in {compared['zen']:,} events (ZEN) and "
        f"{compared['cel']:,} (CEL); from YAML {loading:.2f} s, from the published {len(book.content):,} bytes "
        f"{reading:.2f} s, with the {len(written):,} bytes that were kept of it {again:.2f} s; "
        f"ZEN builds in {built['zen']:.2f} s, CEL in {built['cel']:.2f} s."
    )


def _decoded(taken: list[Happened]) -> None:
    # Nothing is kept: a list of all of them would make the decode dearer than it is, and the multiples of it smaller.
    for one in taken:
        json.loads(one.json)


def _loaded(texts: dict[str, str]) -> tuple[Book, float]:
    took, loaded = _timed(lambda: load(texts))
    if loaded.book is None:
        raise ValueError("\n".join(map(str, loaded.problems[:5])))
    return loaded.book, took


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def _given(one: Happened) -> tuple[object, Customer, Callable[[], Standing], dict[str, int]]:
    profile = people()[one.customer].profile
    counts = {f"c{name}": count for name, count in one.counts.items()}
    standing = Standing(Profile.model_construct(attrs={**profile.attrs, **counts}, tags=profile.tags))
    return one.event, Customer(), lambda: standing, {}


def _lived(book: Book, taken: Iterable[Happened]) -> int:
    customers: dict[int, Customer] = defaultdict(Customer)
    standings = [lambda standing=standing: standing for standing in people()]
    number = 0
    for one in taken:
        customer = customers[one.customer]
        book.observe(one.event, customer)
        number += len(book.match(one.event, customer, standings[one.customer]))
    return number


def _swaps(runs: int) -> str:
    """Measure the longest batch while one of 10,000 rules is changed beside them, in one process and without Kafka."""
    collect_rarely()
    book = _loaded(files(10_000, windows=True))[0]
    changed = book.content.replace(b'"cooldown":"1h"', b'"cooldown":"2h"', 1)
    leave_alone()
    quiet, swapped = [], []
    for _ in range(runs):
        quiet.append(asyncio.run(_longest(book, None)))
        swapped.append(asyncio.run(_longest(book, changed)))
    return (
        f"One of 10,000 rules changes while batches of {_CHUNK} events are matched, {runs} times: longest batch "
        f"{_spread(quiet)} ms of processor time without a swap, {_spread(swapped)} ms with one (built in a thread)."
    )


def _spread(found: list[float]) -> str:
    return f"{median(found):.0f} ({min(found):.0f} - {max(found):.0f})"


async def _beside(changed: bytes, book: Book) -> Book:
    with short_turns():
        return await asyncio.to_thread(Book.of_content, changed, book, None, give_way)


async def _longest(book: Book, changed: bytes | None) -> float:
    # The time of all threads: what the book takes of a batch, whoever else is on the machine.
    gaps, began = [], time.process_time()
    building = None
    for number in range(0, 40 * _CHUNK, _CHUNK):
        if number == 10 * _CHUNK and changed is not None:
            building = asyncio.create_task(_beside(changed, book))
        if building is not None and building.done():
            book, building = building.result(), None
        _lived(book, events()[number : number + _CHUNK])
        await asyncio.sleep(0)
        gaps.append(time.process_time() - began)
        began = time.process_time()
    if building is not None:
        await building
    # The first batches make what is made when it is first needed.
    return 1000 * max(gaps[5:])
