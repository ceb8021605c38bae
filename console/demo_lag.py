"""Lag: how many records lie before each consumer group, by Kafka's own word on what the groups have committed."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import RetriableError

from streams import card_feed
from streams.cluster import Cluster
from streams.delivery_clients import GATEWAYS, group_of
from streams.stages import STAGES

__all__ = ["GROUPS", "Groups", "lag_of"]

DOOR = "kairos"
GROUPS: Mapping[str, tuple[str, ...]] = {
    **{stage.group: stage.inputs for stage in STAGES.values()},
    **{group_of(channel): (topic,) for channel, topic in GATEWAYS.items()},
    DOOR: (card_feed.TOPIC,),
}
"""Every consumer group of the demo, and what it reads."""


def lag_of(read: Iterable[str], nexts: Mapping[TopicPartition, int], committed: Mapping[TopicPartition, int]) -> int:
    """Count the records of some topics that a group has not committed yet.

    Parameters
    ----------
    read
        The group's topics.
    nexts
        The newest record of each partition, plus one.
    committed
        What the group has committed.

    Examples
    --------
    >>> nexts = {TopicPartition("events", 0): 10, TopicPartition("other", 0): 5}
    >>> lag_of(["events"], nexts, {TopicPartition("events", 0): 7}), lag_of(["events"], nexts, {})
    (3, 10)

    """
    wanted = set(read)
    return sum(max(0, n - max(0, committed.get(p, 0))) for p, n in nexts.items() if p.topic in wanted)


class Groups:
    """Asks Kafka about the groups; used as `with Groups(cluster) as groups`."""

    def __init__(self, cluster: Cluster) -> None:
        # The types of the client's group calls are not written down.
        self._admin: Any = KafkaAdminClient(**cluster.for_kafka_python())

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        with closing(self._admin):
            pass

    def lags(self, nexts: Mapping[TopicPartition, int]) -> dict[str, int]:
        """Count the lag of every group."""
        try:
            found = self._admin.list_group_offsets(dict.fromkeys(GROUPS))
        except RetriableError:
            # Kafka is still finding out who keeps the groups.
            found = {}
        committed = {g: {place: at.offset for place, at in found.get(g, {}).items()} for g in GROUPS}
        return {group: lag_of(read, nexts, committed[group]) for group, read in GROUPS.items()}

    def missing(self) -> list[str]:
        """Name the groups that have no members yet, or are still dealing out partitions."""
        try:
            found = self._admin.describe_groups(list(GROUPS))
        except RetriableError:
            # Kafka is still finding out who keeps the groups.
            return list(GROUPS)
        return [group for group in GROUPS if found.get(group, {}).get("group_state") != "Stable"]
