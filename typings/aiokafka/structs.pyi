from typing import NamedTuple

class RecordMetadata(NamedTuple):
    topic: str
    partition: int
    topic_partition: object
    offset: int
    timestamp: int | None
    timestamp_type: int
    log_start_offset: int | None

class OffsetAndTimestamp(NamedTuple):
    offset: int
    timestamp: int | None

class OffsetAndMetadata(NamedTuple):
    offset: int
    metadata: str
