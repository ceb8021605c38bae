"""Kairos as two processes, as `kairos worker --processes 2` runs it: the same group, half of the partitions each."""

import argparse
import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Collection
from multiprocessing.connection import Connection

from bench.child import arguments, say
from bench.peers.staged import Shared, measured
from bench.workload import PARTITIONS
from streams.catalogue import Catalogue
from streams.stage import Stage
from streams.stages import STAGES
from streams.versions import Versions

_PROCESSES = 2


class Together(Stage[Versions]):
    """Begins when the others have joined, too: who comes first is given everything, until the next one comes."""

    def take_over(self, numbers: Collection[int]) -> None:
        if len(numbers) < PARTITIONS:
            super().take_over(numbers)


def one(asked: argparse.Namespace, shared: Shared, told: Connection) -> None:
    asyncio.run(_one(asked, shared, told))


async def _one(asked: argparse.Namespace, shared: Shared, told: Connection) -> None:
    catalogue = Catalogue({"bootstrap_servers": asked.bootstrap})
    await catalogue.start()
    stage = STAGES["customers"]
    meter, count = await measured(asked, stage, catalogue.versions, catalogue.opened, shared, Together)
    told.send((meter.found, count))
    await catalogue.stop()


def main() -> None:
    asked, context = arguments(), multiprocessing.get_context("spawn")
    shared, heard = context.Value("q", 0), []
    for _ in range(_PROCESSES):
        mine, told = context.Pipe(duplex=False)
        # Daemons end with this process, which ends with the benchmark.
        context.Process(target=one, args=(asked, shared, told), daemon=True).start()
        told.close()
        heard.append(mine)
    times, counts = zip(*[mine.recv() for mine in heard], strict=True)
    total: Counter[str] = sum(counts, Counter())
    seconds = max(ended for _, ended, _ in times) - min(began for began, _, _ in times)
    records, batches = total.pop("records"), total.pop("batches")
    say(events=records, seconds=seconds, cpu=sum(cpu for _, _, cpu in times), batches=batches, outputs=total)


if __name__ == "__main__":
    main()
