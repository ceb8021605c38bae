"""The engines: what runs, with which settings, and what is still there after a crash."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ENGINES", "Engine"]


@dataclass(frozen=True)
class Engine:
    """One row of the table.

    Parameters
    ----------
    title
        What the row is called.
    module
        The program.
    note
        Settings and durability, printed under the table.
    slow
        Whether it gets fewer records.
    warm
        Which prepared state it starts from, if any.
    quix
        Whether it runs in the environment of Quix Streams.

    """

    title: str
    module: str
    note: str
    slow: bool = False
    warm: Literal["plain", "rules10", "rules1000"] | None = None
    quix: bool = False


_STAGE = (
    "one process, 4 partitions, one transactional producer each; batches of at most 8,000 records a topic and 100 ms, "
    "with a backlog behind them 300 ms, and 4 MB of state; one Kafka transaction a batch (outputs, changelog, journal, "
    "offsets; acks=all, read_committed), then one RocksDB write. State, outputs and offsets exactly once; a lost disk "
    "is restored from the changelog"
)

ENGINES = {
    "getmany": Engine(
        "aiokafka `getmany`, bare",
        "bench.peers.getmany",
        "aiokafka 0.14, no group, no decoding, no state, nothing written: what reading costs in Python",
    ),
    "faust": Engine(
        "Faust agent, one table write an event",
        "bench.peers.faust_table",
        "faust-streaming 0.15, defaults (at_least_once), RocksDB by rocksdict, changelog by its producer; counts raw "
        "keys, decodes nothing. After a crash events are counted twice",
        slow=True,
    ),
    "quix": Engine(
        "Quix Streams, exactly-once",
        "bench.peers.quix_count",
        "quixstreams 3.28 on librdkafka, processing_guarantee=exactly-once, its default commit_interval of 5 s, "
        "RocksDB and changelog topic; counts raw keys, decodes nothing, starts empty. Counts exactly once; readers of "
        "what it writes wait for up to 5 s",
        quix=True,
    ),
    "stage": Engine(
        "Kairos, the empty stage",
        "bench.peers.empty_stage",
        f"{_STAGE}. The step reads and writes 600 bytes a customer, decodes nothing",
        warm="plain",
    ),
    "kairos10": Engine(
        "Kairos, customers with 10 rules",
        "bench.peers.customers",
        "as the empty stage, but the whole job: events decoded and checked by pydantic, duplicates dropped, tags, "
        "spending, windows, rules, decisions, offers, timers",
        warm="rules10",
    ),
    "kairos1000": Engine(
        "Kairos, customers with 1,000 rules",
        "bench.peers.customers",
        "as with 10 rules",
        warm="rules1000",
    ),
    "twice10": Engine(
        "Kairos, 10 rules, two processes",
        "bench.peers.customers_twice",
        "as `kairos worker --processes 2` runs it, two partitions each, on the two cores that the broker works on, too",
        warm="rules10",
    ),
    "twice1000": Engine(
        "Kairos, 1,000 rules, two processes",
        "bench.peers.customers_twice",
        "as two processes with 10 rules",
        warm="rules1000",
    ),
}
"""The engines by the name that `--only` takes, in the order of the table."""
