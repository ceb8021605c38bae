"""Workers that come and go: what stays with its worker is worked on, and as little as possible moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import SECOND
from streams import journal
from streams.cluster import Cluster
from streams.sharing import share
from tests.stage_house import House

workers = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.sets(st.integers(0, 40)), min_size=1, max_size=9
)


@given(st.integers(0, 32), workers)
def test_every_partition_is_given_to_one_worker_and_the_shares_are_even(
    count: int, having: dict[str, set[int]]
) -> None:
    shares = share(count, having)

    given_out = sorted(number for numbers in shares.values() for number in numbers)
    sizes = {len(numbers) for numbers in shares.values()}
    assert given_out == list(range(count))
    assert shares.keys() == having.keys()
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 32), st.integers(1, 8), st.integers(1, 8))
def test_no_more_moves_than_even_shares_need(count: int, before: int, after: int) -> None:
    had = share(count, {f"w{number}": () for number in range(before)})

    now = share(count, {f"w{number}": had.get(f"w{number}", ()) for number in range(after)})

    stayed = sum(len(set(had.get(name, ())) & set(numbers)) for name, numbers in now.items())
    # Whoever was there keeps what it has, up to an even share: no sharing can do better.
    least, over = divmod(count, after)
    sizes = sorted((len(had.get(name, ())) for name in now), reverse=True)
    assert stayed == sum(min(size, least + (place < over)) for place, size in enumerate(sizes))


@pytest.mark.kafka
async def test_partitions_that_stay_commit_on_while_workers_come_and_go(wide: House) -> None:
    house = wide
    one = await house.start("one")
    stays = dict(one.partitions)
    opened = {number: partition.opens for number, partition in stays.items()}
    feeding = asyncio.create_task(_feed(house))
    await house.until(lambda: all(partition.batches > 3 for partition in stays.values()))

    two = await house.start("two")
    await house.until(lambda: len(one.partitions) == len(two.partitions) == 2 and one.is_ready and two.is_ready)
    kept = dict(one.partitions)
    counts = {number: partition.batches for number, partition in kept.items()}
    await house.until(lambda: all(kept[number].batches > count + 3 for number, count in counts.items()))
    await two.stop()
    house.stages.remove(two)
    await house.until(lambda: len(one.partitions) == 4 and one.is_ready)
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding

    # The same objects, opened once: nothing was given back, restored or begun anew.
    assert all(one.partitions[number] is partition is stays[number] for number, partition in kept.items())
    assert {number: partition.opens for number, partition in kept.items()} == {n: opened[n] for n in kept}
    for number in kept:
        rows = [row for row in await house.read(house.journal) if row.partition == number]
        times = [journal.read(row.value or b"").now for row in rows]
        longest = max(late - early for early, late in pairwise(times))
        assert longest < 3_000, (number, longest)


async def _feed(house: House) -> None:
    """Send a record to every partition, twenty times a second."""
    producer = AIOKafkaProducer(acks="all", **house.cluster.for_aiokafka())
    await producer.start()
    try:
        while True:
            for number in range(house.partitions):
                await producer.send(house.main, b"1", b"k%d" % number, partition=number)
            await asyncio.sleep(0.05)
    finally:
        await producer.stop()


@pytest.fixture
async def wide(cluster: Cluster, tmp_path: Path, new_topic: Callable[..., str]) -> AsyncIterator[House]:
    """A house with four partitions, and sessions that bear a busy machine."""
    house = House(cluster, tmp_path, new_topic, partitions=4, session=6 * SECOND)
    yield house
    await house.stop()
