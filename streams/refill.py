"""Refill: the inputs of one Kafka into new topics, each record to the partition of its key there.

It is the way to another number of partitions: the state cannot be cut anew, but it follows from what came in.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import structs

from streams.cluster import Cluster
from streams.connected import connected
from streams.feed import feed
from streams.topic_reader import read_piecewise
from streams.topics import APP_USAGE, CATALOGUE, CUSTOMERS, FEEDBACK, TRANSACTIONS

__all__ = ["INPUTS", "NotEmpty", "refill"]

INPUTS: Final = (CATALOGUE, CUSTOMERS, FEEDBACK, APP_USAGE, TRANSACTIONS)
"""What is not made by Kairos itself, in the order in which it is copied: rules and profiles are there before events."""


class NotEmpty(OSError):
    """A topic that is to be filled holds records already: they would be there twice."""


Tell = Callable[[str, int, int], None]


async def refill(source: Mapping[str, object], target: Cluster, topics: Mapping[str, str], tell: Tell) -> Counter[str]:
    """Copy every committed record of some topics; gives how many went into each new one.

    The records of a key keep their order within a topic. Kafka's own time of a record is the copy's: what happened
    when lies in the record.

    Parameters
    ----------
    source
        Servers and security of the Kafka to read.
    target
        The Kafka to write to; its topics are empty, and nobody works on them yet.
    topics
        What each topic is called there.
    tell
        Is told a topic, how many of its places were read, and how many there are.

    Raises
    ------
    NotEmpty
        A new topic holds something.

    """
    await _refuse_filled(target, topics.values())
    copied: Counter[str] = Counter()
    for topic, new in topics.items():

        def told(read: int, all_: int, topic: str = topic) -> None:
            tell(topic, read, all_)

        async with aclosing(read_piecewise(source, topic, tell=told)) as pieces:
            async for _, records in pieces:
                if records:
                    moved = [structs.replace(record, topic=new) for record in records]
                    fed = await feed(moved, target, packed=topic == CATALOGUE)
                    copied.update(fed.counts)
    return copied


async def _refuse_filled(target: Cluster, topics: Collection[str]) -> None:
    reader = AIOKafkaConsumer(*topics, enable_auto_commit=False, **target.for_aiokafka())
    async with connected(reader):
        places = [
            TopicPartition(topic, number) for topic in topics for number in reader.partitions_for_topic(topic) or ()
        ]
        begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    filled = sorted({place.topic for place in places if ends[place] > begins[place]})
    if filled:
        raise NotEmpty(f"{', '.join(filled)} on {target.bootstrap} hold records already; only new topics are filled")
