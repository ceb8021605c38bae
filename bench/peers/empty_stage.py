"""The empty stage: transport, state, changelog, journal and commit; of each customer a record is read and written."""

import asyncio
import struct

from bench.child import arguments
from bench.peers.staged import measure
from bench.warm import PLAIN
from kairos.ports import Batch, Output, Store
from streams.spec import StageSpec
from streams.versions import Versions

_COUNT = struct.Struct(">Q")


def step(store: Store, batch: Batch[Versions]) -> list[Output]:
    for record in batch.records:
        kept = store.get(record.key, "h") or bytes(PLAIN)
        store.put(record.key, "h", b"", _COUNT.pack(_COUNT.unpack_from(kept)[0] + 1) + kept[_COUNT.size :])
    return []


async def main() -> None:
    asked, versions, opened = arguments(), Versions(), asyncio.Event()
    opened.set()
    await measure(asked, StageSpec("", "", (asked.topic,), "", "", step), lambda: versions, opened)


asyncio.run(main())
