"""`kairos state`: look into the state of a stopped worker, write it out, make backups and bring them back."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer

from console.output import errors, fail, out, said, settings
from kairos.instants import rfc3339
from rules.problems import many
from streams.cluster import Cluster
from streams.refill import INPUTS
from streams.refill import refill as refill_topics
from streams.state_files import Folder, back_up, bring_back, folders, opened_store
from streams.state_shown import Shown, raw, record_shown
from streams.store import RocksStore
from streams.topics_declare import verify

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_EVERY = 2.0


class Stage(StrEnum):
    """A stage's name."""

    CUSTOMERS = "customers"
    LEDGER = "ledger"
    LEARNING = "learning"


Data = Annotated[Path | None, typer.Option(help="a worker's data folder or a backup; KAIROS_DATA unless given")]
Unmask = Annotated[bool, typer.Option("--unmask", help="show keys and what is personal")]


@app.command()
def inspect(
    key: Annotated[str, typer.Argument(help="a customer, a programme of the ledger, or an objective")],
    stage: Annotated[Stage, typer.Option(help="whose state")] = Stage.CUSTOMERS,
    data: Data = None,
    unmask: Unmask = False,
) -> None:
    """Show everything that the state holds of one key: record, profile, open decisions, timers."""
    found = 0
    with said():
        for folder in folders(_data(data), stage.value):
            with opened_store(folder) as store:
                for shown in _of_one(store, stage.value, key, unmask=unmask):
                    found += 1
                    out.print_json(json.dumps({"in": folder.name, **shown}), indent=2, highlight=False)
    if not found:
        fail(f"the state of {stage.value} holds nothing of this key")


@app.command()
def export(
    to: Annotated[Path | None, typer.Option("--out", help="a new file; the standard output unless given")] = None,
    stage: Annotated[Stage | None, typer.Option(help="only this one's")] = None,
    data: Data = None,
    unmask: Unmask = False,
    packed: Annotated[bool, typer.Option("--packed", help="also each record as it lies there, in base64")] = False,
) -> None:
    """Write the whole state as JSON lines, a record a line; progress is told on the error stream."""
    with said(), _written(to) as file:
        count = 0
        for folder in folders(_data(data), stage.value if stage else None):
            with opened_store(folder) as store:
                for name, value in _told(folder, store.items(), store):
                    line = {"in": folder.name, **record_shown(folder.stage, name, value, unmask=unmask)}
                    file.write(json.dumps({**line, **raw(name, value)} if packed else line, ensure_ascii=False) + "\n")
                    count += 1
    errors.print(f"{many(count, 'record')} written", highlight=False)


@app.command()
def backup(target: Annotated[Path, typer.Argument(help="a new folder")], data: Data = None) -> None:
    """Make a backup of a stopped worker's state: a checkpoint of each partition."""
    with said():
        done = back_up(_data(data), target, _say)
    for folder, meta in done:
        at = rfc3339(meta.now) if meta.now else "never"
        out.print(f"{folder.name}: layout {meta.version}, last commit {at}", highlight=False, markup=False)


@app.command()
def restore(backup: Annotated[Path, typer.Argument(help="the backup's folder")], data: Data = None) -> None:
    """Copy a backup into the data folder of a stopped worker; the changelog tells the rest when it starts."""
    with said():
        done = bring_back(backup, _data(data), _say)
    out.print(f"{len(done)} partitions are back", highlight=False)


@app.command()
def refill(
    source: Annotated[str, typer.Argument(metavar="SERVERS", help="the old Kafka, as KAIROS_BOOTSTRAP names the new")],
) -> None:
    """Copy rules, profiles, feedback and events of another Kafka into the empty topics of this one."""
    with said():
        told = settings()
        old = told.cluster.model_copy(update={"bootstrap": Cluster(bootstrap=source).bootstrap})
        verify(told.cluster, told.partitions)
        copied = asyncio.run(_refilled(old, told.cluster))
    for topic, count in copied.items():
        out.print(f"{count:>12,}  {topic}", highlight=False, markup=False)


async def _refilled(old: Cluster, new: Cluster) -> Counter[str]:
    due = 0.0

    def tell(topic: str, read: int, all_: int) -> None:
        nonlocal due
        if time.perf_counter() > due:
            due = time.perf_counter() + _EVERY
            _say(f"{topic}: {read:,} of {all_:,}")

    return await refill_topics(old.for_aiokafka(), new, {topic: topic for topic in INPUTS}, tell)


def _data(given: Path | None) -> Path:
    return settings().data if given is None else given


def _say(line: str) -> None:
    errors.print(line, highlight=False, markup=False)


def _of_one(store: RocksStore, stage: str, key: str, *, unmask: bool) -> Iterator[Shown]:
    for name, value in store.owned(key.encode()):
        yield record_shown(stage, name, value, unmask=unmask)
    if stage != Stage.CUSTOMERS:
        return
    # Timers have no owner: they lie by the time when they are due.
    for name, value in store.owned(b""):
        shown = record_shown(stage, name, value, unmask=True)
        if shown.get("for") == key:
            yield record_shown(stage, name, value, unmask=unmask)


@contextmanager
def _written(to: Path | None) -> Iterator[IO[str]]:
    if to is None:
        yield sys.stdout
        return
    with to.open("x", encoding="utf-8") as file:
        yield file


def _told(folder: Folder, rows: Iterator[tuple[bytes, bytes]], store: RocksStore) -> Iterator[tuple[bytes, bytes]]:
    begun = time.perf_counter()
    due = begun + _EVERY
    for count, row in enumerate(rows, 1):
        yield row
        if (now := time.perf_counter()) > due:
            due = now + _EVERY
            _say(f"{folder.name}: {count:,} of about {store.estimated:,} records, {count / (now - begun):,.0f}/s")
