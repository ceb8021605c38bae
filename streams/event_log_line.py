"""The lines of an event log: its header, and one record as it is written down."""

from typing import Final, Literal

import msgspec

from kairos.instants import from_rfc3339
from streams import card_feed
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS

__all__ = ["FORMAT", "TOPIC_OF_LINE", "BrokenLog", "Header", "Line"]

FORMAT: Final = "kairos-log/1"

TOPIC_OF_LINE: Final = {
    "app-usage": APP_USAGE,
    "transactions": TRANSACTIONS,
    "customers": CUSTOMERS,
    "feedback": FEEDBACK,
    "bank-feed": card_feed.TOPIC,
}
"""The topics by the short names that stand in a log."""


class BrokenLog(Exception):
    """The file is no event log; the message names the file and the line."""


class Header(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="format", tag=FORMAT
):
    """What a log says of itself.

    Parameters
    ----------
    title, note
        For people; the note says what in it is invented.
    origin
        `real` where the events were recorded, `simulated` where a program made all of them up.
    first, last
        When its first and its last record arrived, RFC 3339.
    counts
        How many lines, by topic and otherwise, where the writer knew it beforehand.
    broken
        How many lines are broken on purpose: they show the dead letters.

    """

    title: str
    origin: Literal["real", "simulated"]
    note: str
    first: str
    last: str
    counts: dict[str, int] = {}
    broken: int = 0

    def __post_init__(self) -> None:
        """Refuse instants that are none, so that nobody shifts by nonsense."""
        from_rfc3339(self.first)
        from_rfc3339(self.last)

    @property
    def topics(self) -> dict[str, int]:
        """How many lines go to each topic, as far as the writer knew it beforehand."""
        return {topic: self.counts[name] for name, topic in TOPIC_OF_LINE.items() if name in self.counts}


class Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One record of a log.

    Parameters
    ----------
    topic
        Where it goes, by its short name.
    key
        The record's key: the customer, in the bank's own feed the store.
    type, id, source, time
        The CloudEvents attributes, `type` as in `kairos.events.EventType`; a header that is not given is not sent.
    data
        The value, a JSON object. A line without `data` and `raw` is a tombstone.
    raw
        The value as text, sent as it stands: for feeds that are no JSON and for records that are broken.
    arrived
        When it arrived, where that is not `time`: the event came late, or names no time.
    broken
        On purpose, and with which code the door must refuse it (`kairos.wire.BadRecord`; `feed` in the bank's feed).

    """

    topic: Literal["app-usage", "transactions", "customers", "feedback", "bank-feed"]
    key: str | None = None
    type: str | None = None
    id: str | None = None
    source: str | None = None
    time: str | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    raw: str | None = None
    arrived: str | None = None
    broken: str | None = None
