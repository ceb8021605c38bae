"""Clocks that jump: time never goes back within a partition, and whoever has to mend the clock is told."""

import pytest
from structlog.testing import capture_logs

from kairos.instants import DAY, MINUTE, SECOND, Millis
from streams import clock, journal
from streams.steady import Steady
from tests.customer_table import NOON
from tests.stage_house import House


def test_a_clock_that_goes_back_is_told_of_once_until_it_is_right_again() -> None:
    told: list[Millis] = [NOON, NOON - 59 * SECOND, NOON - MINUTE, NOON - DAY, NOON, NOON - 2 * MINUTE]
    steady = Steady(lambda: told.pop(0), "customers", 3)

    with capture_logs() as said:
        times = [steady.now(NOON) for _ in range(6)]

    assert times == [NOON] * 6
    assert [(row["log_level"], row["partition"], row["seconds"]) for row in said] == [
        ("warning", 3, 60),
        ("warning", 3, 120),
    ]


@pytest.mark.kafka
async def test_a_clock_that_jumps_ahead_and_back_loses_nothing_and_never_turns_a_partition_back(house: House) -> None:
    ahead: list[Millis] = [0]
    house.clock = lambda: clock.now() + ahead[0]
    await house.start()

    for number, jump in enumerate((0, DAY, -DAY), 1):
        ahead[0] = jump
        await house.send(b"%d" % number)
        await house.outputs(number)
    await house.stop()
    await house.start()
    await house.send(b"4")

    assert await house.outputs(4) == [b"1", b"2", b"3", b"4"]
    times = [journal.read(row.value or b"").now for row in await house.read(house.journal)]
    assert times == sorted(times)
    assert times[-1] - times[0] > DAY - MINUTE
