"""The stage on a real Kafka: one commit a batch, state that survives, one owner a partition, and what stops it."""

import shutil

import pytest
from aiokafka import AIOKafkaProducer

from kairos.instants import SECOND
from streams import journal
from tests.stage_house import House

pytestmark = pytest.mark.kafka


async def test_a_batch_is_seen_whole_or_not_at_all(house: House) -> None:
    await house.start()
    house.hold("sent")
    await house.send(b"1", b"2", b"3")
    await house.held("sent")

    before = [await house.read(topic) for topic in (house.out, house.journal, house.changelog)]
    house.let_go()
    after = await house.outputs(3)

    assert before == [[], [], []]
    assert after == [b"1", b"2", b"3"]
    entries = [journal.read(row.value or b"") for row in await house.read(house.journal)]
    assert entries[0].ranges[house.main][0] == 0
    assert sum(entry.records for entry in entries) == 3


async def test_a_worker_that_starts_again_goes_on_where_it_was(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    await house.send(b"3")

    await house.start()

    assert await house.outputs(3) == [b"1", b"2", b"3"]


async def test_a_wiped_disk_is_restored_from_the_changelog(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    shutil.rmtree(house.folder / "disk")

    await house.start()
    await house.send(b"3")

    assert await house.outputs(3) == [b"1", b"2", b"3"]


async def test_two_workers_share_the_partitions_and_hand_the_state_over(house: House) -> None:
    one = await house.start("one")
    await house.send(b"1", b"2", key=b"a", partition=0)
    await house.send(b"1", key=b"b", partition=1)
    await house.outputs(3)

    two = await house.start("two")
    await house.until(lambda: len(one.partitions) == len(two.partitions) == 1 and one.is_ready and two.is_ready)
    await house.send(b"3", key=b"a", partition=0)
    await house.send(b"2", key=b"b", partition=1)

    assert {*one.partitions, *two.partitions} == {0, 1}
    assert await house.outputs(5) == [b"1", b"2", b"3", b"1", b"2"]


@pytest.mark.parametrize("goes", [0, 1], ids=["who deals out the partitions", "another one"])
async def test_a_named_worker_that_comes_back_within_the_session_finds_its_partition_and_nobody_else_notices(
    house: House, goes: int
) -> None:
    house.session = 15 * SECOND
    workers = [await house.start(name, instance=name) for name in ("one", "two")]
    await house.until(lambda: all(len(worker.partitions) == 1 and worker.is_ready for worker in workers))
    leaving, staying = workers[goes], workers[1 - goes]
    [moves], [stays] = list(leaving.partitions), list(staying.partitions.values())
    await house.send(b"1", key=b"moves", partition=moves)
    await house.send(b"1", key=b"stays", partition=stays.number)
    await house.outputs(2)

    await leaving.stop()
    await house.send(b"2", key=b"moves", partition=moves)
    again = await house.start(("one", "two")[goes], instance=("one", "two")[goes])
    await house.send(b"2", key=b"stays", partition=stays.number)
    outputs = await house.outputs(4)

    assert sorted(row or b"" for row in outputs) == [b"1", b"1", b"2", b"2"]
    assert list(again.partitions) == [moves]
    # The very same object: it was never given back, not even for a moment.
    assert staying.partitions == {stays.number: stays}
    assert stays.ready


async def test_who_lost_a_partition_in_the_middle_of_a_commit_cannot_finish_it(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    await house.start()
    house.hold("offsets")
    await house.send(b"1", b"2")
    await house.held("offsets")
    # What the next owner does first; its producer has the same name.
    next_owner = AIOKafkaProducer(transactional_id=f"kairos.{house.name}-0", **house.cluster.for_aiokafka())
    await next_owner.start()
    await next_owner.stop()

    house.let_go()

    # The refused commit left nothing, and after a rest the records are worked on again, once.
    assert await house.outputs(2) == [b"1", b"2"]
    assert len(house.seen) > 2
    assert "partition fenced" in "".join(capfd.readouterr())


async def test_a_bug_of_ours_stops_its_partition_and_names_the_record_while_the_others_go_on(house: House) -> None:
    stage = await house.start()
    await house.send(b"1", b"boom", b"3", partition=0)
    await house.until(lambda: 0 in stage.stopped)

    await house.send(b"1", b"2", b"3", b"4", partition=1)
    outputs = await house.outputs(4)
    while outputs[-1] != b"4":
        outputs = await house.outputs(len(outputs) + 1)

    assert stage.stopped[0] == f"ZeroDivisionError on {house.main}:0:1"
    assert not stage.is_ready
    # What came before the bad record may have been committed with an earlier batch; nothing behind it was.
    assert outputs in ([b"1", b"2", b"3", b"4"], [b"1", b"1", b"2", b"3", b"4"])


async def test_a_topic_that_lost_records_before_they_were_read_is_refused(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    await house.send(b"3", b"4", b"5")
    house.delete_before(4)

    stage = await house.start()

    assert stage.stopped == {
        0: f"{house.main}/0: the state ends at 2, the topic holds 4 to 5; restore the topic, or replay into new topics"
    }
    await house.until(lambda: stage.partitions[1].ready)


async def test_a_changelog_that_was_emptied_is_refused(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    shutil.rmtree(house.folder / "disk")
    emptied = house.new_topic(2)

    stage = await house.start(spec=house.spec(changelog=emptied))

    assert stage.stopped[0] == (
        f"{house.main}/0: the group stands at 2, but the changelog {emptied} knows no state; "
        "it was emptied or belongs to another cluster"
    )


async def test_a_tick_fires_timers_though_nothing_comes_and_both_are_in_the_journal(house: House) -> None:
    await house.start()

    await house.send(b"later")
    outputs = await house.outputs(2)

    assert outputs == [b"1", b"fired"]
    entries = [journal.read(row.value or b"") for row in await house.read(house.journal)]
    assert [(entry.ranges, entry.records) for entry in entries] == [({house.main: (0, 1)}, 1), ({}, 0)]


async def test_timers_that_one_step_leaves_do_not_wait_for_the_next_tick(house: House) -> None:
    house.tick = 1 * SECOND
    await house.start()

    for key in (b"a", b"b", b"c"):
        await house.send(b"later", key=key)
    await house.outputs(6)

    entries = [journal.read(row.value or b"") for row in await house.read(house.journal)]
    fired = [entry.now for entry in entries if not entry.records]
    assert len(fired) == 3
    assert fired[2] - fired[0] < 2 * house.tick


async def test_what_is_read_first_is_read_to_its_end_before_anything_else(house: House) -> None:
    await house.send(*[b"x"] * 30, topic=house.main)
    await house.send(*[b"x"] * 120, topic=house.other)

    await house.start()
    await house.outputs(150)

    assert house.seen == [house.other] * 120 + [house.main] * 30
