"""A stage measured: from its first record to the commit of its last."""

import argparse
import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from bench.child import Meter
from kairos.ports import Batch, Output, Store
from streams import clock
from streams.spec import Running, StageSpec
from streams.stage import Stage
from streams.versions import Versions

__all__ = ["measure"]


async def measure(
    asked: argparse.Namespace,
    spec: StageSpec[Versions],
    versions: Callable[[], Versions],
    opened: asyncio.Event,
) -> None:
    """Run the stage under this run's names until all records are committed."""
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
        if count["records"] >= asked.events:
            done.set()
        return outputs

    name = asked.name
    own = replace(spec, name=name, group=name, changelog=f"{name}.changelog", journal=f"{name}.journal", step=step)
    running = Running(data=asked.folder, client={"bootstrap_servers": asked.bootstrap})
    stage = Stage(own, running, versions, opened, clock.now)
    await stage.start()
    await until(done.wait(), stage)
    while any(partition.committing for partition in stage.partitions.values()):
        await asyncio.sleep(0.002)
    meter.end(count.pop("records"), batches=count.pop("batches"), outputs=count)
    await stage.stop()


async def until(done: Awaitable[object], stage: Stage[Versions]) -> None:
    """Wait, and look whether a partition stopped by a mistake."""
    waiting = asyncio.ensure_future(done)
    while not waiting.done():
        await asyncio.wait([waiting], timeout=0.5)
        if stage.stopped:
            raise SystemExit(f"a partition stopped: {stage.stopped}")
