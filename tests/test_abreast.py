"""Topics side by side: nobody is read further ahead than the bound, and somebody may always go on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import DAY, HOUR, Millis, rfc3339
from kairos.ports import Batch, Output, Store
from streams import clock
from streams.abreast import Abreast, time_of
from tests.customer_table import NOON
from tests.stage_house import House, Nothing

BOUND = 1 * HOUR


@dataclass
class Row:
    """A record of which only the time matters."""

    at: Millis | None

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        return () if self.at is None else (("ce_time", rfc3339(self.at).encode()),)


def rows(*hours: float) -> list[Row]:
    """Records so many hours before noon."""
    return [Row(NOON - round(ago * HOUR)) for ago in hours]


ages = st.lists(st.floats(0, 400), max_size=30).map(lambda found: sorted(found, reverse=True))


@given(ages, ages, st.integers(1, 7))
def test_backlogs_come_out_within_the_bound_and_to_their_end(one: list[float], other: list[float], quota: int) -> None:
    left = {"a": rows(*one), "b": rows(*other)}
    abreast = Abreast(frozenset(left), BOUND)
    while any(left.values()):
        hand = {topic: found[:quota] for topic, found in left.items() if found}
        drained = frozenset(topic for topic, found in left.items() if len(found) <= quota)

        counts = abreast.allowed(hand, drained, NOON)

        assert sum(counts.values()) > 0
        taken = {topic: left[topic][:count] for topic, count in counts.items()}
        left = {topic: found[counts.get(topic, 0) :] for topic, found in left.items()}
        # What is taken together is sorted by its time: only what still waits could be overtaken.
        for topic, those in taken.items():
            for slow in [found[0] for other, found in left.items() if other != topic and found]:
                assert all((row.at or 0) <= (slow.at or 0) + BOUND for row in those)


def test_backlogs_that_lie_side_by_side_are_taken_whole() -> None:
    abreast = Abreast(frozenset("ab"), BOUND)
    year = [float(ago) for ago in range(365 * 24, 0, -24)]

    counts = abreast.allowed({"a": rows(*year), "b": rows(*(ago - 5 for ago in year))}, frozenset(), NOON)

    # All but what is more than an hour ahead of the other's last.
    assert counts == {"a": 365, "b": 364}


def test_a_topic_whose_first_record_has_not_come_yet_holds_the_others() -> None:
    abreast = Abreast(frozenset("ab"), BOUND)

    assert abreast.allowed({"a": rows(3, 2)}, frozenset("a"), NOON) == {"a": 0}
    assert abreast.allowed({"a": rows(3, 2), "b": rows(2)}, frozenset("ab"), NOON) == {"a": 2, "b": 1}


def test_a_topic_that_was_read_to_its_end_holds_nobody() -> None:
    abreast = Abreast(frozenset("ab"), BOUND)
    abreast.allowed({"b": rows(300)}, frozenset("ab"), NOON)

    assert abreast.allowed({"a": rows(9, 1)}, frozenset(), NOON) == {"a": 0}
    assert abreast.allowed({"a": rows(9, 1)}, frozenset("b"), NOON) == {"a": 2}


def test_what_is_not_kept_abreast_passes() -> None:
    abreast = Abreast(frozenset("ab"), BOUND)

    assert abreast.allowed({"c": rows(1), "b": rows(300)}, frozenset(), NOON)["c"] == 1


def test_a_record_that_tells_no_time_or_one_from_the_future_stops_nobody() -> None:
    abreast = Abreast(frozenset("ab"), BOUND)
    odd = [Row(None), *rows(-48), Row(NOON - 2 * HOUR)]

    counts = abreast.allowed({"a": odd, "b": rows(2)}, frozenset(), NOON)

    assert counts == {"a": 3, "b": 1}


def test_after_a_restart_nothing_is_believed_of_how_far_topics_were_read() -> None:
    abreast = Abreast(frozenset("ab"), BOUND)
    abreast.allowed({"a": rows(3), "b": rows(3)}, frozenset(), NOON)

    abreast.begin()

    assert abreast.allowed({"a": rows(3)}, frozenset(), NOON) == {"a": 0}


@pytest.mark.kafka
async def test_a_backlog_of_a_year_and_one_of_a_week_come_out_side_by_side(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, Millis]] = []
    step: Callable[[Store, Batch[Nothing]], list[Output]] = house.step

    def watched(store: Store, batch: Batch[Nothing]) -> list[Output]:
        found = [(record.topic, time_of(record.headers) or 0) for record in batch.records]
        taken.extend(sorted(found, key=lambda one: one[1]))
        return step(store, batch)

    house.ahead = 1 * DAY
    both = frozenset({house.main, house.other})
    spec = replace(house.spec(), step=watched, first=frozenset(), timed=both, abreast=both)
    now = clock.now()
    year, week = [now - ago * DAY for ago in range(365, 0, -1)], [now - ago * HOUR for ago in range(7 * 24, 0, -1)]
    producer = AIOKafkaProducer(acks="all", **house.cluster.for_aiokafka())
    await producer.start()
    try:
        for topic, times in ((house.main, year), (house.other, week)):
            for at in times:
                head = [("ce_time", rfc3339(at).encode())]
                await producer.send(topic, b"x", b"k", partition=0, headers=head)
    finally:
        await producer.stop()

    await house.start(spec=spec)
    await house.outputs(len(year) + len(week))

    assert [at for topic, at in taken if topic == house.main] == year
    assert [at for topic, at in taken if topic == house.other] == week
    left = {house.main: list(year), house.other: list(week)}
    for topic, at in taken:
        left[topic].remove(at)
        waiting = left[house.other if topic == house.main else house.main]
        assert not waiting or at <= waiting[0] + 1 * DAY
