"""The door: a Faust agent that maps a bank's foreign topic into ours and keys it by the customer.

Stateless, so what Faust does well: a record may be mapped twice after a crash, and the customers' stage drops the
second one by its event id. A line that cannot be mapped is a dead letter; nothing else is disturbed.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import faust
import stamina
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.streams import Stream
from faust.types import EventT, StreamT
from mode import CrashingSupervisor

from kairos.ports import Headers, Output, Record
from kairos.wire import BadRecord
from streams import clock
from streams.connected import connected
from streams.dead_letters import dead_letter
from streams.settings import Settings

__all__ = ["add_door", "through_the_door"]

log = structlog.get_logger(__name__)

_MOST = 500
_WITHIN = 0.1


def through_the_door(record: Record, mapped: Callable[[bytes], Output], now: int) -> Output:
    """Map one foreign record, or give its dead letter."""
    try:
        return mapped(record.value or b"")
    except BadRecord as error:
        return dead_letter(record, "door", error, now)


def add_door(app: faust.App, settings: Settings, topic: str, mapped: Callable[[bytes], Output]) -> None:
    """Add the agent that maps `topic`; its name is a contract, like every agent's."""
    foreign = app.topic(topic, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")

    async def door(arriving: StreamT[bytes]) -> None:
        stream = cast(Stream[bytes], arriving)
        producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_request_size=8 * 1024 * 1024,
            **settings.cluster.for_aiokafka(),
        )
        async with connected(producer):
            # `noack_take`: a batch is acknowledged only once Kafka holds all it became. `take` would acknowledge
            # what it lost.
            async for taken in stream.noack_take(_MOST, within=_WITHIN):
                # It gives events, whatever its types say: each is acknowledged by hand.
                await _forward(producer, cast(Sequence[EventT[bytes]], taken), mapped)

    # By itself Faust would start the agent again behind the batch that failed, and that batch would be gone. So the
    # worker ends, and the next one reads it again.
    app.agent(foreign, name="kairos.door", concurrency=1, supervisor_strategy=CrashingSupervisor)(door)


async def _forward(
    producer: AIOKafkaProducer, events: Sequence[EventT[bytes]], mapped: Callable[[bytes], Output]
) -> None:
    now = clock.now()
    outputs = [through_the_door(_record(event), mapped, now) for event in events]
    # Kafka may be away for a while. Sending all of them again is harmless: the customers' stage knows each by its id.
    async for attempt in stamina.retry_context(on=(KafkaError, OSError), attempts=None, timeout=None, wait_max=5.0):
        with attempt:
            sent = [await producer.send(o.topic, o.value, o.key, headers=list(o.headers)) for o in outputs]
            await asyncio.gather(*sent)
    for event in events:
        event.ack()


def _record(event: EventT[bytes]) -> Record:
    message = event.message
    # Faust gives the headers as the client did, whatever its types say.
    headers = cast(Headers, message.headers or ())
    return Record(message.topic, message.partition, message.offset, message.key, message.value, headers)
