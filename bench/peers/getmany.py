"""The floor: aiokafka's `getmany` over four partitions; nothing is decoded, kept or written."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.child import Meter, arguments


async def main() -> None:
    asked, meter, count = arguments(), Meter(), 0
    consumer = AIOKafkaConsumer(bootstrap_servers=asked.bootstrap, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(asked.topic, number) for number in range(4)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    meter.begin()
    while count < asked.events:
        found = await consumer.getmany(timeout_ms=200, max_records=4000)
        count += sum(len(rows) for rows in found.values())
    meter.end(count)
    await consumer.stop()


asyncio.run(main())
