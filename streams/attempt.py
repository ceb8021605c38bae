"""The attempt: one batch through the pure step, and what it failed on where it fails.

A batch is computed as one. When that raises, ever shorter beginnings of it are tried on a store that forgets, until
the record is found with which the step begins to fail. Nothing that is said of it shows what the record holds: a place,
a hashed name, the type of the error.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kairos.ids import event_id
from kairos.ports import Batch, Output, Record
from streams.blame import blame
from streams.commit import refuse_too_large
from streams.journal import Skipped
from streams.rocks import StoreUnavailable
from streams.skips import Skips, letters, without
from streams.spec import StageSpec
from streams.store import RocksStore

__all__ = ["StepFailed", "attempt", "named"]


class StepFailed(Exception):
    """The step raised on what it must take: a mistake of ours, and no retry mends it; `__cause__` is the error."""


async def attempt(
    spec: StageSpec[Any], store: RocksStore, batch: Batch[Any], skips: Skips
) -> tuple[list[Output], tuple[Skipped, ...]]:
    """Run the step; gives the outputs, and what was skipped because somebody had named it.

    Raises
    ------
    StepFailed
        The step raised, and nobody named the record it raised on. The store is as it was before.

    """
    skipped: list[Skipped] = []
    records = batch.records
    while True:
        done = _tried(spec, store, batch)
        if not isinstance(done, Exception):
            return [*letters(records, skipped, spec.name, batch.now), *done] if skipped else done, tuple(skipped)
        kind, found = type(done).__name__, await _culprit(spec, store, batch, done)
        gone = skips.skipped(found, kind) if isinstance(found, Record) else None
        if gone is None:
            raise StepFailed(f"{kind} on {named(found) if isinstance(found, Record) else found}") from done
        skipped.append(gone)
        batch = replace(batch, records=without(batch.records, [gone]))


def named(record: Record) -> str:
    """Name a record as `--skip` takes it, and its event as decisions name it, where it is one.

    Examples
    --------
    >>> cloud = (("ce_source", b"/bank/cards"), ("ce_id", b"42"))
    >>> named(Record("kairos.feedback.v1", 2, 31, b"c7", b"{}", cloud))
    'kairos.feedback.v1:2:31, event 778586b49e19e89aebfc3bcc3387bf8d'
    >>> named(Record("kairos.feedback.v1", 2, 32, b"c7", b"{}"))
    'kairos.feedback.v1:2:32'

    """
    place = f"{record.topic}:{record.partition}:{record.offset}"
    found = dict(record.headers)
    source, id_ = found.get("ce_source"), found.get("ce_id")
    if not source or not id_:
        return place
    return f"{place}, event {event_id(source.decode(errors='replace'), id_.decode(errors='replace'))}"


def _tried(spec: StageSpec[Any], store: RocksStore, batch: Batch[Any]) -> list[Output] | Exception:
    """Run the step; gives its outputs, or what it raised, with the store as it was before."""
    try:
        outputs = spec.step(store, batch)
        refuse_too_large(outputs, store.changes())
    except StoreUnavailable:
        # A pure step does no more than read: it is the disk.
        store.rollback()
        raise
    except Exception as error:  # noqa: BLE001  # whatever a mistake of ours raises, the partition stops with its name
        store.rollback()
        return error
    return outputs


async def _culprit(spec: StageSpec[Any], store: RocksStore, batch: Batch[Any], error: Exception) -> Record | str:
    """Find the record with which the step begins to fail, or say what else it fails on."""
    # Whoever fired a timer has said so: a record that only let event time pass it is not to blame.
    if (timer := blame(error)) is not None:
        return timer
    if not _fails(spec, store, batch, batch.records):
        return "something that did not happen again"
    if _fails(spec, store, batch, ()):
        return "a timer, or what stands in the state"
    good, bad = 0, len(batch.records)
    while bad - good > 1:
        # Each try takes as long as a batch may; other partitions go on in between.
        await asyncio.sleep(0)
        middle = (good + bad) // 2
        good, bad = (good, middle) if _fails(spec, store, batch, batch.records[:middle]) else (middle, bad)
    return batch.records[bad - 1]


def _fails(spec: StageSpec[Any], store: RocksStore, batch: Batch[Any], records: Sequence[Record]) -> bool:
    done = _tried(spec, store, replace(batch, records=records))
    store.rollback()
    return isinstance(done, Exception)
