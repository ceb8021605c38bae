"""The notes of deliveries: where each one's lanes stand, in a topic that the next owner of a partition reads whole.

A consumer group's offsets are what its coordinator remembers, and a coordinator has been seen to answer from half of
its memory while it was still reading it (docs/decisions/0020). A topic's own records are there or not.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.delivery_lane import Mark
from streams.topic_reader import read_piecewise
from streams.topics import DELIVERY_MARKS

__all__ = ["Notes", "read_note", "written_note"]

log = structlog.get_logger(__name__)


class Notes:
    """Reads what all processes noted of a partition, and writes what this one notes.

    Each process writes under a name of its own: one that slept and is late writes over nobody else's note.

    Parameters
    ----------
    client
        How Kafka's clients reach the cluster.
    producer
        Writes the notes.
    process
        The name of this process, another one at each start.

    """

    def __init__(self, client: Mapping[str, object], producer: AIOKafkaProducer, process: str) -> None:
        self._client, self._producer, self._process = client, producer, process

    async def read(self, place: TopicPartition) -> dict[bytes, Mark]:
        """Give the notes of a partition of offers by the keys under which they lie."""
        found: dict[bytes, Mark] = {}
        beginning = f"{place.topic}:".encode()
        async with aclosing(read_piecewise(self._client, DELIVERY_MARKS, only=place.partition)) as pieces:
            async for _, records in pieces:
                for record in records:
                    if (key := record.key or b"").startswith(beginning):
                        _take(found, key, record.value)
        return found

    async def write(self, marks: Mapping[TopicPartition, Mark]) -> None:
        """Write where lanes stand, and return when Kafka holds it."""
        await asyncio.gather(*[self._put(place, self.key(place), written_note(mark)) for place, mark in marks.items()])

    async def remove(self, place: TopicPartition, keys: Iterable[bytes]) -> None:
        """Remove the notes of processes whose partition this one has now, once its own holds all that they said."""
        await asyncio.gather(*[self._put(place, key, None) for key in keys])

    def key(self, place: TopicPartition) -> bytes:
        """Give the key of this process's note of a partition."""
        return f"{place.topic}:{place.partition}:{self._process}".encode()

    async def _put(self, place: TopicPartition, key: bytes, value: bytes | None) -> None:
        await self._producer.send_and_wait(DELIVERY_MARKS, value, key, partition=place.partition)


def _take(found: dict[bytes, Mark], key: bytes, value: bytes | None) -> None:
    if value is None:
        found.pop(key, None)
        return
    try:
        found[key] = read_note(value)
    except ValueError as error:
        log.warning("a note is none of ours", topic=DELIVERY_MARKS, why=str(error))


def written_note(mark: Mark) -> bytes:
    """Write a mark as a note.

    Examples
    --------
    >>> written_note(Mark(100, frozenset({102}), frozenset({101})))
    b'100 {"settled":[2],"claimed":[1]}'

    """
    return f"{mark.offset} {mark.text}".encode()


def read_note(value: bytes) -> Mark:
    """Read a note.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> read_note(written_note(Mark(100, frozenset({102})))) == Mark(100, frozenset({102}))
    True

    """
    offset, _, text = value.decode().partition(" ")
    try:
        return Mark.read(int(offset), text)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no note of ours: {type(error).__name__}") from None
