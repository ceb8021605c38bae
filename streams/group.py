"""The group: a stage's partitions wait while it sorts itself, and those that stay go on where they were."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

__all__ = ["Group"]


class Group(ConsumerRebalanceListener):
    """What the group of a stage's workers has decided.

    The client forgets where it was reading whenever anything in the group changes, and gives out no records meanwhile.
    So a rebalance is a short rest for what stays, and nothing more: no store is closed, no producer begun anew. What
    goes is ended only when it has gone; its next owner fences whatever is still under way.

    Parameters
    ----------
    told
        Is told which partition numbers are ours, each time the group has decided. It must not wait for anything: no
        heartbeat is sent before it is done.

    Examples
    --------
    >>> group = Group(print)
    >>> async def rebalance():
    ...     await group.on_partitions_revoked([])
    ...     print(group.turn)
    ...     await group.on_partitions_assigned([TopicPartition("events", 2), TopicPartition("feedback", 2)])
    ...     print(await group.settled())
    >>> asyncio.run(rebalance())
    1
    {2}
    1

    """

    def __init__(self, told: Callable[[set[int]], None]) -> None:
        self.turn = 0
        self._told = told
        self._settled = asyncio.Event()

    async def settled(self) -> int:
        """Wait until the group has decided; gives which of its decisions this is."""
        await self._settled.wait()
        return self.turn

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Take note that the group begins to sort itself."""
        self.turn += 1
        self._settled.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take note of what the group has decided."""
        # Only whole partition numbers are worked on: every topic of a number comes to the same worker.
        self._told({place.partition for place in assigned})
        self._settled.set()
