"""Sharing: which worker gets which partitions, so that as few as possible change hands when workers come and go.

A partition number is given as a whole, in all topics of the stage. Everybody says what it has; who leads the group
leaves it where it is, as far as the shares stay even.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

__all__ = ["keeper", "share"]

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(list[int]).decode


def share(count: int, having: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """Share the numbers below `count` among workers; gives each one's, sorted.

    Parameters
    ----------
    count
        How many partitions there are.
    having
        What each worker says it has. Where two say the same, one was away for a while: either may keep it.

    Examples
    --------
    Of four partitions, two go to the worker that comes; when it leaves, they come back.

    >>> share(4, {"a": [0, 1, 2, 3], "b": []})
    {'a': [0, 1], 'b': [2, 3]}
    >>> share(5, {"b": [2, 3], "c": [0, 4]})
    {'b': [1, 2, 3], 'c': [0, 4]}

    """
    least, over = divmod(count, len(having)) if having else (0, 0)
    free, found = set(range(count)), dict[str, list[int]]()
    # Who has more may keep the one that is over.
    for member in sorted(having, key=lambda one: (-len(list(having[one])), one)):
        kept = sorted(free & set(having[member]))[: least + (over > 0)]
        over -= len(kept) > least
        free -= set(kept)
        found[member] = kept
    waiting = sorted(free, reverse=True)
    for member in sorted(found):
        while waiting and len(found[member]) < least:
            found[member].append(waiting.pop())
    for member in sorted(found, key=lambda one: (len(found[one]), one))[: len(waiting)]:
        found[member].append(waiting.pop())
    return {member: sorted(found[member]) for member in sorted(found)}


def keeper(having: Callable[[], Iterable[int]]) -> type[AbstractPartitionAssignor]:
    """Make the assignor of one worker and stage; `having` tells which partitions it has whenever the group asks."""

    class Keeper(AbstractPartitionAssignor):
        # The group agrees on a name, and its leader on the shares. Workers of earlier versions know this name alone;
        # one of them that leads shares as Kafka's range assignor does. A second name beside it would not do: the
        # client joins the group once for each, and every joining is another rebalance.
        name = "range"
        version = 0

        @classmethod
        def assign(
            cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
        ) -> dict[str, ConsumerProtocolMemberAssignment]:
            topics = sorted({topic for member in members.values() for topic in member.subscription})
            count = max((len(cluster.partitions_for_topic(topic) or ()) for topic in topics), default=0)
            shares = share(count, {name: _read(member.user_data) for name, member in members.items()})
            return {
                name: ConsumerProtocolMemberAssignment(cls.version, [(topic, numbers) for topic in topics], b"")
                for name, numbers in shares.items()
            }

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(cls.version, list(topics), _encode(sorted(having())))

        @classmethod
        def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
            pass

    return Keeper


def _read(said: bytes) -> list[int]:
    try:
        return _decode(said)
    except msgspec.DecodeError:
        return []
