"""One commit: outputs, changelog, journal and input offsets in one Kafka transaction, as ready-made batches."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from kairos.ports import Output
from streams.hooks import Hooks
from streams.topics import partition_of

__all__ = ["LARGEST", "Commit", "TooLarge", "commit", "refuse_too_large"]

Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]

LARGEST: Final = 8 * 1024 * 1024 - 65_536
"""The largest value that is written, in bytes: what our topics allow, less room for a key and headers."""
_TOO_LARGE = f"a record of {{}} bytes for {{}}, at most {LARGEST} can be written"
_NONE: list[tuple[str, bytes]] = []


class TooLarge(Exception):
    """A record that Kafka would refuse: a state or an output has grown beyond all measure."""


def refuse_too_large(outputs: Iterable[Output], changes: Iterable[tuple[bytes, bytes | None]]) -> None:
    """Look at what a step made, before anything of it is sent.

    Raises
    ------
    TooLarge
        Kafka would not take an output or a record of the state.

    """
    for topic, _, value, _ in outputs:
        if value is not None and len(value) > LARGEST:
            raise TooLarge(_TOO_LARGE.format(len(value), topic))
    for _, value in changes:
        if value is not None and len(value) > LARGEST:
            raise TooLarge(_TOO_LARGE.format(len(value), "the state"))


class Commit:
    """What one step is going to write, sorted by where it goes.

    Parameters
    ----------
    producer
        The partition's own transactional producer.
    partition
        The stage's partition number.
    aligned
        Topics that are written to that partition whatever the key is.

    """

    def __init__(self, producer: AIOKafkaProducer, partition: int, aligned: frozenset[str]) -> None:
        self._producer = producer
        self._partition = partition
        self._aligned = aligned
        self._rows: dict[TopicPartition, list[Row]] = defaultdict(list)

    async def add(self, outputs: Iterable[Output]) -> None:
        """Add outputs, each to the partition of its key."""
        for topic, key, value, headers in outputs:
            self._rows[TopicPartition(topic, await self._place(topic, key))].append((key, value, list(headers)))

    def own(self, topic: str, rows: Iterable[tuple[bytes | None, bytes | None]]) -> TopicPartition:
        """Add keys and values to the stage's own partition of a topic; gives the place."""
        place = TopicPartition(topic, self._partition)
        self._rows[place].extend((key, value, _NONE) for key, value in rows)
        return place

    async def send(self) -> dict[TopicPartition, int]:
        """Send everything and wait until Kafka holds it; gives the offset of the last batch at each place."""
        places, waiting = [], []
        for place, rows in self._rows.items():
            for batch in _batches(self._producer, rows):
                places.append(place)
                waiting.append(await self._producer.send_batch(batch, place.topic, partition=place.partition))
        written: list[RecordMetadata] = await asyncio.gather(*waiting)
        return {place: record.offset for place, record in zip(places, written, strict=True)}

    async def _place(self, topic: str, key: bytes | None) -> int:
        if topic in self._aligned:
            return self._partition
        count = len(await self._producer.partitions_for(topic))
        return partition_of(key, count) if key else self._partition % count


async def commit(
    prepared: Commit, producer: AIOKafkaProducer, offsets: Mapping[TopicPartition, int], group: str, hooks: Hooks
) -> dict[TopicPartition, int]:
    """Make one transaction of what was prepared and the input offsets; gives where each place's last batch lies.

    Any error leaves the transaction open: the caller gives up the producer, and the next one ends it.
    """
    await producer.begin_transaction()
    written = await prepared.send()
    await hooks.at("sent")
    # A tick has outputs and no records, and the client refuses to commit no offsets.
    if offsets:
        await producer.send_offsets_to_transaction(dict(offsets), group)
    await hooks.at("offsets")
    await producer.commit_transaction()
    await hooks.at("committed")
    return written


def _batches(producer: AIOKafkaProducer, rows: Sequence[Row]) -> list[BatchBuilder]:
    # Ready-made batches: sending record by record costs some 15 microseconds each.
    batch = producer.create_batch()
    batches = [batch]
    for key, value, headers in rows:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            batch.close()
            batch = producer.create_batch()
            batches.append(batch)
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    batch.close()
    return batches
