"""A delivery while Kafka is away: marks are asked for until they are told, and what was lost begins anew."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    GroupLoadInProgressError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import OffsetAndMetadata

from streams.delivery_clients import outlasting
from streams.delivery_lane import Mark
from streams.delivery_marks import Marks


class Loading:
    """A broker that has just started: while it reads its groups, the client's answer is empty; and what was noted."""

    def __init__(self, *answers: int | KafkaError | None) -> None:
        self.answers = list(answers)
        self.noted: dict[bytes, Mark] = {}

    async def list_consumer_group_offsets(self, _group: str, partitions: list[TopicPartition]) -> dict[Any, Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return {} if answer is None else {place: OffsetAndMetadata(answer, "") for place in partitions}

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 3)

    async def read(self, _place: TopicPartition) -> dict[bytes, Mark]:
        return self.noted

    async def write(self, marks: Mapping[TopicPartition, Mark]) -> None:
        self.noted |= {self.key(place): mark for place, mark in marks.items()}

    async def remove(self, _place: TopicPartition, keys: Iterable[bytes]) -> None:
        for key in list(keys):
            del self.noted[key]

    def key(self, _place: TopicPartition) -> bytes:
        return b"ours"

    def marks(self) -> Marks:
        found: Any = self
        return Marks("group", found, found, found, found, dict)


PLACE = TopicPartition("offers", 0)


class TestMarks:
    async def test_a_broker_that_still_reads_its_groups_is_asked_again_and_not_taken_for_one_without_a_mark(
        self,
    ) -> None:
        broker = Loading(None, GroupLoadInProgressError(), None, 70)

        assert await broker.marks().read(PLACE) == Mark(70)
        assert broker.answers == []

    async def test_a_group_that_remembers_half_of_it_sets_no_lane_back(self) -> None:
        broker = Loading(570)
        broker.noted = {
            b"dead": Mark(1639, frozenset({1641})),
            b"slept": Mark(1630, frozenset(), frozenset({1640, 1641})),
        }

        joined = Mark(1639, frozenset({1641}), frozenset({1640}))

        assert await broker.marks().read(PLACE) == joined
        # From now on one note says all of it.
        assert broker.noted == {b"ours": joined}

    async def test_what_was_committed_before_anybody_took_notes_is_where_it_goes_on(self) -> None:
        broker = Loading(70)

        assert await broker.marks().read(PLACE) == Mark(70)
        assert broker.noted == {b"ours": Mark(70)}

    async def test_where_no_mark_was_ever_written_the_beginning_is_taken(self) -> None:
        assert await Loading(-1).marks().read(PLACE) == Mark(3)

    async def test_a_broker_that_refuses_is_not_asked_for_ever(self) -> None:
        with pytest.raises(TopicAuthorizationFailedError):
            await Loading(TopicAuthorizationFailedError()).marks().read(PLACE)


class TestOutlasting:
    async def test_work_that_lost_kafka_begins_anew_and_what_kafka_refuses_ends_it(self) -> None:
        ends: list[Exception | None] = [
            ExceptionGroup("tasks", [LeaderNotAvailableError(), OutOfOrderSequenceNumber()]),
            KafkaTimeoutError(),
            None,
            ExceptionGroup("tasks", [TopicAuthorizationFailedError()]),
        ]

        async def work() -> None:
            if (end := ends.pop(0)) is not None:
                raise end

        await outlasting(work, asyncio.Event())
        assert len(ends) == 1
        with pytest.raises(ExceptionGroup):
            await outlasting(work, asyncio.Event())

    async def test_who_was_told_to_stop_does_not_begin_anew(self) -> None:
        stop = asyncio.Event()

        async def work() -> None:
            stop.set()
            raise KafkaTimeoutError

        await outlasting(work, stop)
