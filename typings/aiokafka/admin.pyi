from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata


class AIOKafkaAdminClient:
    def __init__(self, **settings: Any) -> None: ...
    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def list_consumer_group_offsets(
        self,
        group_id: str,
        group_coordinator_id: int | None = ...,
        partitions: list[TopicPartition] | None = ...,
    ) -> dict[TopicPartition, OffsetAndMetadata]: ...
