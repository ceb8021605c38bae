"""A changelog read whole: by `getmany` alone, or by the product's restore into empty stores."""

import asyncio
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.child import Meter, arguments
from bench.workload import PARTITIONS
from streams import clock
from streams.hooks import Hooks
from streams.interpreter import collect_rarely
from streams.restore import restore
from streams.store import RocksStore


async def main() -> None:
    bare = "--bare" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--bare"]
    asked, meter = arguments(), Meter()
    places = [TopicPartition(asked.topic, number) for number in range(PARTITIONS)]
    collect_rarely()
    meter.begin()
    if bare:
        count = await _bare(places, asked.bootstrap)
    else:
        counts = await asyncio.gather(*[_restore(place, asked.bootstrap, asked.folder) for place in places])
        count = sum(counts)
    meter.end(count)


async def _bare(places: list[TopicPartition], bootstrap: str) -> int:
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed")
    await reader.start()
    try:
        reader.assign(places)
        await reader.seek_to_beginning(*places)
        ends, count = await reader.end_offsets(places), 0
        while any([await reader.position(place) < ends[place] for place in places]):
            found = await reader.getmany(timeout_ms=200, max_records=5_000)
            count += sum(map(len, found.values()))
        return count
    finally:
        await reader.stop()


async def _restore(place: TopicPartition, bootstrap: str, folder: Path) -> int:
    store = RocksStore(folder / str(place.partition))
    try:
        restored = await restore(store, place, {"bootstrap_servers": bootstrap}, Hooks(), clock.now())
        return restored.records
    finally:
        store.close()


asyncio.run(main())
