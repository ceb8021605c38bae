"""A stage measured: from its first record to the commit of its last, in one process or as one of several."""

import argparse
import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from multiprocessing.sharedctypes import Synchronized
from typing import TypeAlias

import structlog

from bench.child import Meter
from kairos.ports import Batch, Output, Record, Store
from streams import clock
from streams.spec import Running, StageSpec
from streams.stage import Stage
from streams.versions import Versions

__all__ = ["Shared", "measure", "measured"]

Shared: TypeAlias = "Synchronized[int] | None"
"""How many records all processes together have taken; None for one alone."""


async def measure(
    asked: argparse.Namespace,
    spec: StageSpec[Versions],
    versions: Callable[[], Versions],
    opened: asyncio.Event,
) -> None:
    """Run the stage under this run's names until all records are committed, and say how long it took."""
    meter, count = await measured(asked, spec, versions, opened)
    meter.end(count.pop("records"), batches=count.pop("batches"), outputs=count)


async def measured(
    asked: argparse.Namespace,
    spec: StageSpec[Versions],
    versions: Callable[[], Versions],
    opened: asyncio.Event,
    shared: Shared = None,
    kind: type[Stage[Versions]] = Stage,
) -> tuple[Meter, Counter[str]]:
    """Run the stage until all records are committed; gives what it took, up to then."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    meter, count, done = Meter(), Counter[str](), asyncio.Event()

    def step(store: Store, batch: Batch[Versions]) -> list[Output]:
        if batch.records:
            meter.begin()
        outputs = spec.step(store, batch)
        count["records"] += len(batch.records)
        count["batches"] += bool(batch.records)
        for output in outputs:
            count[output.topic] += 1
        if shared is not None:
            with shared.get_lock():
                shared.value += len(batch.records)
        elif count["records"] >= asked.events:
            done.set()
        return outputs

    def reads(records: Sequence[Record]) -> list[bytes]:
        meter.begin()
        return spec.reads(records) if spec.reads else []

    async def all_done() -> None:
        while shared is not None and shared.value < asked.events:
            await asyncio.sleep(0.005)

    name = asked.name
    own = replace(spec, name=name, group=name, changelog=f"{name}.changelog", journal=f"{name}.journal", step=step)
    own = replace(own, reads=reads if spec.reads else None)
    running = Running(data=asked.folder, client={"bootstrap_servers": asked.bootstrap})
    stage = kind(own, running, versions, opened, clock.now)
    await stage.start()
    await until(all_done() if shared is not None else done.wait(), stage)
    while any(partition.committing for partition in stage.partitions.values()):
        await asyncio.sleep(0.002)
    meter.stop()
    await stage.stop()
    return meter, count


async def until(done: Awaitable[object], stage: Stage[Versions]) -> None:
    """Wait, and look whether a partition stopped by a mistake."""
    waiting = asyncio.ensure_future(done)
    while not waiting.done():
        await asyncio.wait([waiting], timeout=0.5)
        if stage.stopped:
            raise SystemExit(f"a partition stopped: {stage.stopped}")
