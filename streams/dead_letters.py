"""Dead letters: a record that cannot be accepted, as it came, with the reason in its headers. Once."""

from kairos.instants import Millis, rfc3339
from kairos.ports import Output, Record
from kairos.wire import BadRecord
from streams.topics import DEAD_LETTERS

__all__ = ["dead_letter"]


def dead_letter(record: Record, stage: str, error: BadRecord, now: Millis) -> Output:
    """Write the dead letter of one record: its own key, value and headers, and ours under `kairos.errors.`.

    The value of a tombstone stays a tombstone; the headers say why. No value is ever quoted in a header.
    """
    ours = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "stage": stage,
        "class": error.code,
        "message": str(error),
        "attempts": "1",
        "first_failed_at": rfc3339(now),
    }
    reasons = tuple((f"kairos.errors.{name}", text.encode()) for name, text in ours.items())
    return Output(DEAD_LETTERS, record.key, record.value, (*record.headers, *reasons))
