"""An open load: records at a steady rate, each stamped with the moment at which it was due, however late it goes out.

So what a slow engine, or a slow generator, holds up is counted as waiting; one that waits with it would hide it.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from random import Random

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.child import arguments, say
from bench.place import EVENTS
from bench.workload import WORKLOADS, events
from kairos.instants import rfc3339
from kairos.ports import Record

_TURN = 0.005
_MOST = 900_000


def main() -> None:
    asked = arguments("rate", "keys", "skip")
    workload, number = WORKLOADS[asked.keys], int(asked.skip) + asked.events
    drawn = workload.drawn(Random("latency"), number)
    placed = dict(zip(workload.keys, workload.placed, strict=True))
    # What was sent before has the first names: nothing is a duplicate.
    records = islice(events(drawn, 0, asked.name), int(asked.skip), None)
    rows = [(asked.topic if asked.topic == EVENTS else r.topic, placed[r.key or b""], r) for r in records]
    late = asyncio.run(_send(asked.bootstrap, iter(rows), asked.events, float(asked.rate)))
    say(events=asked.events, seconds=asked.events / float(asked.rate), cpu=time.process_time(), outputs={"late": late})


async def _send(bootstrap: str, rows: Iterator[tuple[str, int, Record]], number: int, rate: float) -> int:
    """Send everything; gives the milliseconds by which the latest turn was late."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=_MOST)
    await producer.start()
    began, sent, late, waiting = time.time(), 0, 0.0, []
    while sent < number:
        due = min(number, int((time.time() - began) * rate))
        late = max(late, time.time() - began - sent / rate)
        batches: dict[tuple[str, int], BatchBuilder] = {}
        for place in range(sent, due):
            topic, partition, record = next(rows)
            at = int((began + place / rate) * 1000)
            batch = batches.setdefault((topic, partition), producer.create_batch())
            headers = [(name, rfc3339(at).encode() if name == "ce_time" else value) for name, value in record.headers]
            if batch.append(timestamp=at, key=record.key, value=record.value, headers=headers) is None:
                raise SystemExit(f"the load is {late:.1f} s late: more is due than a batch holds")
        for (topic, partition), batch in batches.items():
            batch.close()
            waiting.append(await producer.send_batch(batch, topic, partition=partition))
        sent = due
        await asyncio.sleep(_TURN)
    await asyncio.gather(*waiting)
    await producer.stop()
    return round(late * 1000)


if __name__ == "__main__":
    main()
