"""A delivery's connections to Kafka."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError, KafkaTimeoutError, OutOfOrderSequenceNumber

from kairos.instants import Millis
from kairos.offers import Channel
from streams.connected import connected
from streams.delivery_lane import Lane
from streams.delivery_marks import Marks
from streams.delivery_notes import Notes
from streams.topics import (
    CATALOGUE,
    DEAD_LETTERS,
    DELIVERY_MARKS,
    FEEDBACK,
    OFFERS,
    PERMISSIONS,
    TOPICS,
    Topic,
)

__all__ = ["GATEWAYS", "Clients", "NotCutAlike", "group_of", "outlasting", "topics_of"]

log = structlog.get_logger(__name__)

GATEWAYS: Mapping[Channel, str] = {channel: OFFERS[channel] for channel in (Channel.PUSH, Channel.SMS)}
"""The topic of each channel that has a gateway."""
_AGAIN = 1.0

_DRAIN_MS = 60_000
"""How long Kafka waits, when partitions are shared out anew, for offers that are with the gateway."""


class NotCutAlike(Exception):
    """The offers and the permissions have different partition counts, so a customer's two would not meet."""


@dataclass(slots=True)
class Clients:
    """The connections, started; the stack that started them stops them."""

    offers: AIOKafkaConsumer
    permissions: AIOKafkaConsumer
    asker: AIOKafkaConsumer
    producer: AIOKafkaProducer
    admin: AIOKafkaAdminClient
    notes: Notes

    @classmethod
    async def start(cls, stack: AsyncExitStack, client: Mapping[str, Any], group: str, session: Millis) -> Self:
        """Connect.

        Parameters
        ----------
        stack
            What stops them.
        client
            How Kafka's clients reach the cluster.
        group
            The group of those who share the offers out.
        session
            How long Kafka waits for a process that is silent.

        """
        reading = {"enable_auto_commit": False, "isolation_level": "read_committed", "auto_offset_reset": "earliest"}
        producer = AIOKafkaProducer(enable_idempotence=True, acks="all", **client)
        clients = cls(
            AIOKafkaConsumer(
                group_id=group,
                partition_assignment_strategy=[RangePartitionAssignor],
                session_timeout_ms=session,
                heartbeat_interval_ms=session // 3,
                rebalance_timeout_ms=_DRAIN_MS,
                **reading,
                **client,
            ),
            AIOKafkaConsumer(**reading, **client),
            AIOKafkaConsumer(**reading, **client),
            producer,
            AIOKafkaAdminClient(**client),
            Notes(client, producer, secrets.token_hex(8)),
        )
        stack.push_async_callback(clients.admin.close)
        await clients.admin.start()
        for started in (clients.producer, clients.asker, clients.permissions, clients.offers):
            await stack.enter_async_context(connected(started))
        return clients

    def marks(self, group: str, lanes: Callable[[], Mapping[TopicPartition, Lane]]) -> Marks:
        """Give the marks of a group whose lanes stand as `lanes` tells."""
        return Marks(group, self.offers, self.admin, self.asker, self.notes, lanes)

    async def check_counts(self, offers: str) -> None:
        """Make sure that a customer's offers and permissions, and our notes, lie in partitions of the same number.

        Raises
        ------
        NotCutAlike
            They do not.

        """
        topics = (offers, PERMISSIONS, DELIVERY_MARKS)
        counts = [len(await self.producer.partitions_for(topic)) for topic in topics]
        for topic, count in zip(topics, counts, strict=True):
            if count != counts[0]:
                raise NotCutAlike(f"{offers} has {counts[0]} partitions and {topic} has {count}")


def group_of(channel: Channel) -> str:
    """Name the consumer group that delivers a channel."""
    return f"kairos.deliver.{channel}"


def topics_of(channel: Channel) -> list[Topic]:
    """Give the topics that the delivery of a channel reads and writes.

    Examples
    --------
    >>> [topic.name for topic in topics_of(Channel.SMS)][1:4]
    ['kairos.offers.sms.v1', 'kairos.permissions.v1', 'kairos.delivery.marks.v1']

    """
    names = {GATEWAYS[channel], PERMISSIONS, DELIVERY_MARKS, FEEDBACK, DEAD_LETTERS, CATALOGUE}
    return [topic for topic in TOPICS if topic.name in names]


async def outlasting(work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Do some work that connects by itself; begin it anew where Kafka was away for longer than its clients wait."""
    while not stop.is_set():
        try:
            await work()
        except* KafkaError as lost:
            errors = list(_leaves(lost))
            if not all(map(_is_away, errors)):
                raise
            # A producer that gave one record up can write none after it, so nothing of it is used again.
            names = sorted({type(error).__name__ for error in errors})
            log.warning("delivery lost Kafka, beginning again", errors=names)
            await asyncio.sleep(_AGAIN)
        else:
            return


def _is_away(error: BaseException) -> bool:
    """Whether it says that Kafka is away, and not that it refuses us."""
    return isinstance(error, KafkaTimeoutError | OutOfOrderSequenceNumber) or (
        isinstance(error, KafkaError) and error.retriable
    )


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
