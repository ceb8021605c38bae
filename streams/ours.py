"""Ours: a record that a stage writes, with its CloudEvents attributes."""

from kairos.instants import Millis
from kairos.offers import Written
from kairos.ports import Output
from kairos.wire import headers

__all__ = ["record"]


def record(topic: str, key: str, type_: str, id_: str, value: Written, now: Millis) -> Output:
    """Write one record of ours with its CloudEvents attributes."""
    return Output(topic, key.encode(), value.__pydantic_serializer__.to_json(value), headers(type_, id_, now))
