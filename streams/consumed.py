"""Consumed: a client's record as the house knows records."""

from aiokafka import ConsumerRecord

from kairos.ports import Record

__all__ = ["as_record"]


def as_record(row: ConsumerRecord) -> Record:
    """Give a consumed record as ours."""
    return Record(row.topic, row.partition, row.offset, row.key, row.value, row.headers, row.timestamp)
