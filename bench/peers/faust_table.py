"""A plain Faust agent: one table write an event, RocksDB behind it, everything else as Faust has it."""

import os

import faust

from bench.child import Meter, arguments

asked, meter, counted = arguments(), Meter(), 0
app = faust.App(
    asked.name,
    broker=f"kafka://{asked.bootstrap}",
    store="rocksdb://?driver=rocksdict",
    datadir=str(asked.folder),
    topic_partitions=4,
    table_standby_replicas=0,
    web_enabled=False,
    web_bind="127.0.0.1",
)
counts = app.Table("counts", default=int, partitions=4, key_type=bytes, value_type=int)


@app.agent(app.topic(asked.topic, key_type=bytes, value_type=bytes, value_serializer="raw", partitions=4), name="count")
async def count(stream: faust.Stream) -> None:
    global counted
    async for event in stream.events():
        meter.begin()
        counts[event.key] += 1
        counted += 1
        if counted == asked.events:
            meter.end(counted)
            # Faust takes seconds to leave; nothing is measured any more.
            os._exit(0)


faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()
