"""The topics: their names, keys, partitions and retention, as data; nothing else in Kairos names a topic.

The names are a contract with the bank's producers and gateways. Time in a record's value is the event's; the
record's own timestamp is the broker's (`LogAppendTime`), or a replayed or simulated past would be deleted by its
retention the moment it arrives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal

from kafka.partitioner import murmur2
from pydantic import BaseModel, ConfigDict, PositiveInt

from kairos.offers import Channel

__all__ = ["FOREIGN", "OFFERS", "TOPICS", "Group", "Partitions", "Topic", "partition_of"]

APP_USAGE: Final = "kairos.events.app-usage.v1"
TRANSACTIONS: Final = "kairos.events.transactions.v1"
CUSTOMERS: Final = "kairos.customers.v1"
FEEDBACK: Final = "kairos.feedback.v1"
LEDGER_COMMANDS: Final = "kairos.ledger.commands.v1"
LEDGER_ANSWERS: Final = "kairos.ledger.answers.v1"
LEDGER_ENTRIES: Final = "kairos.ledger.entries.v1"
ALERTS: Final = "kairos.alerts.v1"
DECISIONS: Final = "kairos.decisions.v1"
OFFERS_SMS: Final = "kairos.offers.sms.v1"
OFFERS_PUSH: Final = "kairos.offers.push.v1"
OFFERS_LIST: Final = "kairos.offers.list.v1"
PERMISSIONS: Final = "kairos.permissions.v1"
DELIVERY_MARKS: Final = "kairos.delivery.marks.v1"
EXAMPLES: Final = "kairos.examples.v1"
CATALOGUE: Final = "kairos.catalogue.v1"
DEAD_LETTERS: Final = "kairos.dead-letters.v1"
CUSTOMERS_CHANGELOG: Final = "kairos.customers.changelog.v1"
CUSTOMERS_JOURNAL: Final = "kairos.customers.journal.v1"
LEDGER_CHANGELOG: Final = "kairos.ledger.changelog.v1"
LEDGER_JOURNAL: Final = "kairos.ledger.journal.v1"
LEARNING_CHANGELOG: Final = "kairos.learning.changelog.v1"
LEARNING_JOURNAL: Final = "kairos.learning.journal.v1"
CARD_FEED: Final = "bank.card-feed"

OFFERS: Final[Mapping[Channel, str]] = {
    Channel.SMS: OFFERS_SMS,
    Channel.PUSH: OFFERS_PUSH,
    Channel.LIST: OFFERS_LIST,
}
"""The topic of each channel."""

Group = Literal["customers", "ledger", "learning", "catalogue"]
"""Topics that are cut alike: one worker owns the same partition number of all of them."""

Key = Literal[
    "customer",
    "programme",
    "objective",
    "content hash",
    "record of the store",
    "partition and process",
    "none",
    "as it came",
]

TOMBSTONES: Final = timedelta(days=7)
"""How long a compacted topic keeps a deletion. A store that slept longer is wiped and restored whole."""

_WRITTEN_OVER: Final = {
    "segment.bytes": str(16 * 1024 * 1024),
    "segment.ms": "3600000",
    "min.cleanable.dirty.ratio": "0.1",
}
"""For few keys that are written over many times a second, and read whole by whoever begins."""
_BIG: Final = str(8 * 1024 * 1024)
"""The state of a busy customer, a rule book or a model is one record, and may be large."""


class Partitions(BaseModel):
    """How many partitions each group has. Once there is data this never changes: keys would move.

    Examples
    --------
    >>> Partitions(customers=16).of("customers"), Partitions().of("catalogue")
    (16, 1)

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customers: PositiveInt = 4
    ledger: PositiveInt = 2
    learning: PositiveInt = 1

    def of(self, group: Group) -> int:
        """Give the count of one group; the catalogue is read whole by everybody and has one."""
        counts = {"customers": self.customers, "ledger": self.ledger, "learning": self.learning, "catalogue": 1}
        return counts[group]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, as the contract has it.

    Parameters
    ----------
    keep
        How long a record stays; None keeps the newest record of each key for ever (compaction).
    more
        Further settings of Kafka's, over those that follow from `keep`.

    """

    name: str
    key: Key
    group: Group
    keep: timedelta | None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """Kafka's settings of this topic."""
        return {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": _BIG,
            **self._cleanup(),
            **self.more,
        }

    def _cleanup(self) -> dict[str, str]:
        if self.keep is not None:
            return {"cleanup.policy": "delete", "retention.ms": _ms(self.keep)}
        return {
            "cleanup.policy": "compact",
            "delete.retention.ms": _ms(TOMBSTONES),
            "min.compaction.lag.ms": _ms(timedelta(minutes=1)),
            # Without a limit, what a customer asked us to forget could stay in a quiet partition for ever.
            "max.compaction.lag.ms": _ms(timedelta(days=7)),
            "segment.ms": _ms(timedelta(days=1)),
            "min.cleanable.dirty.ratio": "0.3",
        }


def partition_of(key: bytes, count: int) -> int:
    """Find the partition of a key as Java's default partitioner does; librdkafka's default differs.

    Examples
    --------
    >>> [partition_of(b"c%d" % number, 4) for number in range(8)]
    [2, 3, 1, 1, 2, 3, 3, 3]

    """
    return _hash(key) % count


@lru_cache(maxsize=1 << 16)
def _hash(key: bytes) -> int:
    # Java's hash is signed; its partitioner drops the sign.
    return murmur2(key) & 0x7FFF_FFFF


def _ms(time: timedelta) -> str:
    return str(time // timedelta(milliseconds=1))


def _days(days: int) -> timedelta:
    return timedelta(days=days)


TOPICS: Final = (
    Topic(APP_USAGE, "customer", "customers", _days(7)),
    Topic(TRANSACTIONS, "customer", "customers", _days(7)),
    Topic(CUSTOMERS, "customer", "customers", None),
    Topic(FEEDBACK, "customer", "customers", _days(30)),
    Topic(LEDGER_COMMANDS, "programme", "ledger", _days(7)),
    Topic(LEDGER_ANSWERS, "customer", "customers", _days(7)),
    Topic(LEDGER_ENTRIES, "programme", "ledger", _days(5 * 365)),
    Topic(ALERTS, "programme", "ledger", _days(30)),
    Topic(DECISIONS, "customer", "customers", _days(5 * 365)),
    Topic(OFFERS_SMS, "customer", "customers", _days(3)),
    Topic(OFFERS_PUSH, "customer", "customers", _days(3)),
    Topic(OFFERS_LIST, "customer", "customers", _days(3)),
    Topic(PERMISSIONS, "customer", "customers", None),
    Topic(DELIVERY_MARKS, "partition and process", "customers", None, _WRITTEN_OVER),
    Topic(EXAMPLES, "objective", "learning", _days(30)),
    Topic(CATALOGUE, "content hash", "catalogue", None),
    Topic(DEAD_LETTERS, "as it came", "customers", _days(30)),
    Topic(CUSTOMERS_CHANGELOG, "record of the store", "customers", None),
    Topic(CUSTOMERS_JOURNAL, "none", "customers", _days(30)),
    Topic(LEDGER_CHANGELOG, "record of the store", "ledger", None),
    Topic(LEDGER_JOURNAL, "none", "ledger", _days(30)),
    Topic(LEARNING_CHANGELOG, "record of the store", "learning", None),
    Topic(LEARNING_JOURNAL, "none", "learning", _days(30)),
)
"""Every topic of Kairos."""

FOREIGN: Final = (Topic(CARD_FEED, "as it came", "customers", _days(7)),)
"""Topics of the bank's own that the door reads; declared only where no bank is, in the demo and in tests."""
