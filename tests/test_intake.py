"""The intake on a real Kafka: transactions' markers, compressed batches, framing that nobody can read, heavy state."""

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer

from kairos.ports import Batch, Output, Store
from streams.store import META, restored
from tests.stage_house import House

pytestmark = pytest.mark.kafka


async def send(house: House, value: bytes, headers: Any = None, **settings: Any) -> None:
    producer = AIOKafkaProducer(acks="all", **settings, **house.cluster.for_aiokafka())
    await producer.start()
    try:
        if "transactional_id" in settings:
            await producer.begin_transaction()
        await producer.send_and_wait(house.main, value, b"k", partition=0, headers=headers)
        if "transactional_id" in settings:
            await producer.commit_transaction()
    finally:
        await producer.stop()


async def place(house: House) -> int:
    rows = [row for row in await house.read(house.changelog) if row.key == META and row.partition == 0]
    return restored(rows[-1].value).inputs[house.main] if rows else 0


async def test_a_topic_that_ends_with_a_marker_and_is_emptied_by_retention_is_not_lost(house: House) -> None:
    await house.start()
    await send(house, b"1", transactional_id=f"{house.name}-bank")
    await house.outputs(1)
    while await place(house) < 2:
        pass
    await house.stop()
    house.delete_before(2)

    stage = await house.start()
    await house.send(b"2")

    assert stage.stopped == {}
    assert await house.outputs(2) == [b"1", b"2"]


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
async def test_a_batch_is_read_however_it_was_compressed(house: House, codec: str) -> None:
    await house.start()

    await send(house, b"1" * 1000, compression_type=codec)

    assert await house.outputs(1) == [b"1"]


async def test_a_header_that_nobody_can_read_stops_its_partition_and_says_where(house: House) -> None:
    stage = await house.start()
    broken = type("Broken", (str,), {"encode": lambda _self, *_: b"\xff\xfe"})("name")

    with closing(KafkaProducer(**house.cluster.for_kafka_python())) as raw:
        raw.send(house.main, b"1", key=b"k", partition=0, headers=[(broken, b"v")]).get(timeout=10)
    await house.until(lambda: 0 in stage.stopped)

    assert f"{house.main}/0@0" in stage.stopped[0]
    assert "not UTF-8" in stage.stopped[0]


async def test_behind_a_backlog_whose_state_is_heavy_batches_are_small(house: House) -> None:
    sizes: list[int] = []

    def step(store: Store, batch: Batch[Any]) -> list[Output]:
        for record in batch.records:
            store.put(b"%d" % record.offset, "c", b"", bytes(100))
        sizes.append(len(batch.records))
        return [Output(house.out, b"k", b"") for _ in batch.records]

    house.most_bytes = 3_000
    await house.send(*[b"1"] * 130)
    await house.start(spec=replace(house.spec(), step=step))
    await house.outputs(130)

    assert [size for size in sizes if size] == [50, 30, 30, 20]
