"""The marks of a delivery's lanes: noted in a topic, and committed beside the group's offsets.

The note is what the next owner goes on from. The commit tells whether the partition is still ours, for Kafka refuses
it to whom the group has left behind; so a claim stands only when both are written, in this order.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from streams.delivery_lane import Lane, Mark
from streams.delivery_notes import Notes

__all__ = ["LOST", "Marks"]

log = structlog.get_logger(__name__)

_SOON = 0.2
LOST = (CommitFailedError, IllegalStateError)
"""What a commit raises when the partition went to another process."""


class Marks:
    """Reads and writes the marks of one consumer group.

    Parameters
    ----------
    group
        The consumer group.
    consumer
        Its consumer.
    admin
        A client that can read what stands beside an offset.
    asker
        A consumer that has nothing to read, for questions.
    notes
        What was noted, and where to note.
    lanes
        Gives the lanes as they stand.

    """

    def __init__(
        self,
        group: str,
        consumer: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
        asker: AIOKafkaConsumer,
        notes: Notes,
        lanes: Callable[[], Mapping[TopicPartition, Lane]],
    ) -> None:
        self._group = group
        self._consumer = consumer
        self._admin = admin
        self._asker = asker
        self._notes = notes
        self._lanes = lanes
        self._asked = self._written = 0
        self._lock = asyncio.Lock()
        self._last: dict[TopicPartition, Mark] = {}

    async def read(self, place: TopicPartition) -> Mark:
        """Give the mark of a partition, and note it as ours; where there is none, its beginning.

        All that anybody noted is joined: a lane never goes back, whatever the group's coordinator remembers.
        """
        self._last.pop(place, None)
        noted, committed = await self._notes.read(place), _committed(place, await self._kept(place))
        begin = (await self._asker.beginning_offsets([place]))[place]
        mark = Mark.of([*noted.values(), *committed]) or Mark(begin)
        if committed and committed[0].offset < mark.offset:
            log.warning("group lies behind", partition=place.partition, group=committed[0].offset, ours=mark.offset)
        if mark.offset < begin:
            # Offers live shorter than their topic keeps them: what is gone had expired.
            log.warning("offers are gone that nobody read", partition=place.partition, ours=mark.offset, first=begin)
            mark = Mark(begin)
        await self._notes.write({place: mark})
        await self._notes.remove(place, noted.keys() - {self._notes.key(place)})
        return mark

    async def _kept(self, place: TopicPartition) -> OffsetAndMetadata:
        """Ask until there is an answer; that there is no mark is one, an offset of -1."""
        while True:
            try:
                found = await self._admin.list_consumer_group_offsets(self._group, partitions=[place])
            except KafkaError as error:
                if not error.retriable:
                    raise
                found = {}
            if place in found:
                return found[place]
            # A broker that has just started still reads its groups. This client gives that answer as nothing at all:
            # taken for no mark, it would let every offer there is be told once more.
            log.info("marks cannot be read yet", partition=place.partition)
            await asyncio.sleep(_SOON)

    async def write(self) -> None:
        """Write where all lanes stand; calls that come while one is being written share the next.

        Raises
        ------
        CommitFailedError, IllegalStateError
            The partitions went to another process (`LOST`); nothing was written.

        """
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._written >= mine:
                return
            covered = self._asked
            marks = {place: lane.mark for place, lane in self._lanes().items()}
            new = {place: mark for place, mark in marks.items() if self._last.get(place) != mark}
            if new:
                await self._notes.write(new)
                offsets: dict[TopicPartition, Any] = {place: (mark.offset, mark.text) for place, mark in new.items()}
                await self._consumer.commit(offsets)
                self._last = marks
            self._written = covered


def _committed(place: TopicPartition, found: OffsetAndMetadata) -> list[Mark]:
    """Read what was committed; nothing where nobody ever did."""
    if found.offset < 0:
        return []
    try:
        return [Mark.read(found.offset, found.metadata)]
    except (ValueError, KeyError, TypeError):
        log.warning("offset was set by somebody else", partition=place.partition, offset=found.offset)
        return [Mark(found.offset)]
