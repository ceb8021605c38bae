"""Whoever cannot reach Kafka, or is told to go on the way to it, leaves nothing open behind."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.connected import connected
from streams.state_guard import recorded
from streams.topic_reader import read_piecewise

NOBODY = {"bootstrap_servers": "127.0.0.1:1"}


class Slow:
    """A client that connects for ever."""

    stopped = False

    async def start(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.stopped = True


async def piecewise(client: dict[str, Any]) -> None:
    async for _ in read_piecewise(client, "anything"):
        pass


async def state(client: dict[str, Any]) -> None:
    await recorded(client, "anything")


@pytest.mark.parametrize("asking", [piecewise, state])
def test_who_finds_no_kafka_leaves_no_client_open(asking: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    async def ask() -> None:
        with pytest.raises(KafkaConnectionError):
            await asking(NOBODY)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(ask())
        gc.collect()

    assert [str(warning.message) for warning in said if "AIOKafkaConsumer" in str(warning.message)] == []


async def test_who_is_told_to_go_while_it_connects_is_let_go() -> None:
    slow = Slow()

    async def use() -> None:
        async with connected(slow):
            pass

    using = asyncio.create_task(use())
    await asyncio.sleep(0)
    using.cancel()
    await asyncio.wait([using])

    assert slow.stopped
