"""Restore: a lost disk comes back from the changelog, in files or in commits, and meanwhile the others go on."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams import clock
from streams import restore as restoring
from streams.commit import Commit, commit
from streams.hooks import Hooks, Point
from streams.keys import compose
from streams.progress import Progress
from streams.restore import Restored, restore
from streams.store import META, Meta, RocksStore, encode
from tests.stage_house import House

Rows = list[tuple[bytes, bytes | None]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksStore]:
    store = RocksStore(tmp_path / "0")
    yield store
    store.close()


def put(store: RocksStore, key: bytes, value: bytes, place: int) -> None:
    store.put(key, "c", b"", value)
    store.commit(Meta(), place)


def test_what_is_loaded_lies_over_what_was_there_and_removes_too(store: RocksStore) -> None:
    put(store, b"a", b"old", 1)
    put(store, b"b", b"old", 2)

    store.load({compose(b"b", "c", b""): None, compose(b"a", "c", b""): b"new", compose(b"c", "c", b""): b"new"}, 7)

    assert [store.get(key, "c") for key in (b"a", b"b", b"c")] == [b"new", None, b"new"]
    assert store.changelog == 7
    put(store, b"a", b"newest", 8)
    assert store.get(b"a", "c") == b"newest"


def test_a_file_that_a_crash_left_behind_is_in_nobodys_way(store: RocksStore, tmp_path: Path) -> None:
    left = tmp_path / "0.loading"
    store.load({compose(b"a", "c", b""): b"1"}, 3)
    # After a crash between two steps of RocksDB, the file has two names and is its own by one of them.
    left.hardlink_to(next((tmp_path / "0").glob("*.sst")))

    store.load({compose(b"b", "c", b""): b"2"}, 4)

    assert [store.get(key, "c") for key in (b"a", b"b")] == [b"1", b"2"]
    assert not left.exists()


def test_what_is_loaded_outlives_a_crash_without_a_log(store: RocksStore, tmp_path: Path) -> None:
    store.load({compose(b"a", "c", b""): b"1"}, 3)
    put(store, b"b", b"2", 4)

    # The disk as a SIGKILL would leave it now: what is in memory is not there.
    shutil.copytree(tmp_path / "0", tmp_path / "crashed", ignore=shutil.ignore_patterns("LOCK"))
    after = RocksStore(tmp_path / "crashed")

    assert (after.get(b"a", "c"), after.get(b"b", "c"), after.changelog) == (b"1", None, 3)
    after.close()


def test_who_was_given_up_writes_nothing_into_a_closed_store(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "0")
    store.close()

    store.load({compose(b"a", "c", b""): b"1"}, 3)

    again = RocksStore(tmp_path / "0")
    assert again.get(b"a", "c") is None
    again.close()


def test_progress_counts_places_for_the_end_and_records_for_the_rate() -> None:
    progress = Progress("customers", 3)

    progress.tell(0, 1_000, at=5.0)
    before = progress.seconds_left
    # Compaction left one record of two places.
    progress.tell(250, 500, at=6.0)

    assert before == 0.0
    assert (progress.rate, progress.seconds_left) == (250, 1.0)


async def filled(house: House, chance: Random, changes: int) -> Rows:
    """Write a changelog as a stage does, a commit every hundred records; gives what was written, in its order."""
    keys = [compose(b"%04d" % number, "c", b"") for number in range(changes // 3)]
    rows: Rows = [
        (chance.choice(keys), chance.randbytes(80) if chance.random() < 0.9 else None) for _ in range(changes)
    ]
    producer = AIOKafkaProducer(transactional_id=house.changelog, **house.cluster.for_aiokafka())
    await producer.start()
    try:
        for first in range(0, changes, 100):
            prepared = Commit(producer, 0, frozenset())
            prepared.own(
                house.changelog, [*rows[first : first + 100], (META, encode(Meta(inputs={house.main: first})))]
            )
            await commit(prepared, producer, {}, house.name, Hooks())
    finally:
        await producer.stop()
    return rows


def told(rows: Rows) -> dict[bytes, bytes]:
    return {name: value for name, value in dict(rows).items() if value is not None}


async def restored(house: House, store: RocksStore, progress: Progress, hooks: Hooks | None = None) -> Restored:
    place = TopicPartition(house.changelog, 0)
    return await restore(store, place, house.cluster.for_aiokafka(), hooks or Hooks(), clock.now(), progress.tell)


class Midway(Hooks):
    """Holds a restore for ever once its store has come beyond a place."""

    def __init__(self, store: RocksStore, place: int) -> None:
        super().__init__()
        self._store, self._place = store, place
        self.is_there = False

    async def at(self, point: Point, _number: int | None = None) -> None:
        self.is_there = point == "restoring" and self._store.changelog > self._place
        if self.is_there:
            await asyncio.Event().wait()


@pytest.mark.kafka
@pytest.mark.parametrize("much", [100, 1_000_000], ids=["in sorted files", "in commits"])
async def test_the_state_is_what_the_changelog_tells_to_the_last_byte(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, much: int
) -> None:
    monkeypatch.setattr(restoring, "_MUCH", much)
    monkeypatch.setattr(restoring, "_PORTION", 300)
    monkeypatch.setattr(restoring, "_FILE", 20_000)
    rows, store, progress = await filled(house, Random(much), 3_000), RocksStore(tmp_path / "0"), Progress("house", 0)

    done = await restored(house, store, progress)
    again = await restored(house, store, Progress("house", 0))

    assert dict(store.items()) == told(rows)
    assert store.meta.inputs == {house.main: 2_900}
    assert done == Restored(3_030, wiped=False)
    assert (progress.records, progress.left) == (3_030, 0)
    # Only the last commit's end is read twice, if anything.
    assert again.records == 0
    store.close()


@pytest.mark.kafka
async def test_a_restore_that_was_ended_goes_on_where_its_last_file_ends(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_MUCH", 100)
    monkeypatch.setattr(restoring, "_PORTION", 100)
    monkeypatch.setattr(restoring, "_FILE", 10_000)
    rows, store, progress = await filled(house, Random(1), 2_000), RocksStore(tmp_path / "0"), Progress("house", 0)

    midway = Midway(store, 500)
    first = asyncio.create_task(restored(house, store, progress, midway))
    await house.until(lambda: midway.is_there)
    first.cancel()
    await asyncio.wait([first])
    store.close()
    store = RocksStore(tmp_path / "0")
    half = store.changelog
    second = await restored(house, store, Progress("house", 0))

    assert first.cancelled()
    assert 500 < half < 2_000
    assert second.records < 2_020 - 500
    assert dict(store.items()) == told(rows)
    store.close()


@pytest.mark.kafka
async def test_while_one_partition_is_restored_the_others_go_on_and_ready_tells_how_far_it_is(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2", partition=0)
    await house.outputs(2)
    await house.stop()
    shutil.rmtree(house.folder / "disk")
    house.hold("restoring")

    starting = asyncio.create_task(house.start())
    await house.held("restoring")
    stage = house.stages[0]
    await house.until(lambda: stage.partitions[1].ready)
    await house.send(b"1", key=b"b", partition=1)
    outputs = await house.outputs(3)

    assert outputs == [b"1", b"2", b"1"]
    assert not stage.partitions[0].ready
    assert stage.partitions[0].progress.figures()["left"] > 0
    house.let_go()
    await starting
    await house.send(b"3", partition=0)
    assert await house.outputs(4) == [b"1", b"2", b"3", b"1"]
    assert stage.partitions[0].progress.left == 0
