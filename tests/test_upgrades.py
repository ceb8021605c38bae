"""Upgrades: an older state is gone on with, a newer one is refused, and so is one that was cut otherwise."""

import pytest

from streams.journal import BUILD
from tests.stage_house import House

pytestmark = pytest.mark.kafka


async def test_an_older_worker_refuses_a_newer_state_and_names_both_and_a_newer_one_goes_on(house: House) -> None:
    await house.start(spec=house.spec(layout=2))
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    await house.send(b"3")

    old = await house.start(spec=house.spec(layout=1))
    await house.until(lambda: set(old.stopped) == {0, 1})
    refused = dict(old.stopped)
    await house.stop()
    await house.start(spec=house.spec(layout=3))
    outputs = await house.outputs(3)

    why = (
        f"{house.name}/0: the state has layout 2, written by Kairos {BUILD}; this is Kairos {BUILD}, which reads up to "
        "layout 1. Run the newer release, or another one that reads layout 2"
    )
    # The second partition never had a commit: it goes by what the first one says.
    assert refused == {0: why, 1: why}
    assert outputs == [b"1", b"2", b"3"]


async def test_more_partitions_are_refused_by_those_with_a_state_and_by_new_ones_without(house: House) -> None:
    await house.start()
    await house.send(b"1", b"2")
    await house.outputs(2)
    await house.stop()
    house.widen(3)

    stage = await house.start()
    await house.until(lambda: set(stage.stopped) == {0, 1, 2})

    why = (
        f"{house.name}/0: the state was made over 2 partitions, now there are 3: keys would be looked for where their "
        "state is not. Kafka cannot take partitions back; replay into new topics, see "
        '"Another number of partitions" in docs/operations.md'
    )
    assert stage.stopped == {0: why, 1: why, 2: why}
