"""A delivery while Kafka is away: marks are asked for until they are told, and what was lost begins anew."""

import asyncio
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
    """The admin client of a broker that has just started: while it reads its groups, the client's answer is empty."""

    def __init__(self, *answers: int | KafkaError | None) -> None:
        self.answers = list(answers)

    async def list_consumer_group_offsets(self, _group: str, partitions: list[TopicPartition]) -> dict[Any, Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return {} if answer is None else {place: OffsetAndMetadata(answer, "") for place in partitions}

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 3)

    def marks(self) -> Marks:
        found: Any = self
        return Marks("group", found, found, found, dict)


PLACE = TopicPartition("offers", 0)


class TestMarks:
    async def test_a_broker_that_still_reads_its_groups_is_asked_again_and_not_taken_for_one_without_a_mark(
        self,
    ) -> None:
        broker = Loading(None, GroupLoadInProgressError(), None, 70)

        assert await broker.marks().read(PLACE) == Mark(70)
        assert broker.answers == []

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
