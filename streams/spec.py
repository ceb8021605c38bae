"""What makes a stage this stage: its topics, its function, its names. And how it is run: sizes and times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from kairos.instants import HOUR, Millis
from kairos.ports import LATENESS, Record, Step, Store
from streams.skips import Skip

__all__ = ["Running", "StageSpec", "Versioned"]


class Versioned(Protocol):
    """A view of the catalogue that knows the content hashes it is made of."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """The content hash of each kind in force."""
        ...


V = TypeVar("V", bound=Versioned)


@dataclass(frozen=True, slots=True)
class StageSpec(Generic[V]):
    """A stage, by its names. They are contracts, written out by hand: none of them may ever be derived.

    Parameters
    ----------
    name
        The stage's name; with a partition number behind it the transactional id.
    group
        The consumer group.
    inputs
        Co-partitioned input topics, in the order in which equal times are told apart.
    changelog, journal
        Its own two topics, with as many partitions as the inputs.
    step
        The pure function.
    first
        Input topics that are read to the end they had at start before any other is begun.
    aligned
        Output topics with the inputs' partition count and keys: they are written to the stage's own partition.
    timed
        Input topics whose events tell how far event time has come.
    abreast
        Input topics that are read side by side in event time. What carries a customer's word on consent is never
        among them: it must not wait for anybody's backlog.
    reads
        The composite keys that a batch is sure to read; they are fetched at once, beside the other partitions' work.
    again
        What of its inputs a state wants to read again: each topic's next offset, None for the oldest that there is.
        Without topics it wants steps without records; None is nothing.
    layout
        The layout of its state, every kind of record together: the one it writes, and the newest it reads. It is raised
        with every change after which an older release would read a record wrongly, or drop what it does not know.

    """

    name: str
    group: str
    inputs: tuple[str, ...]
    changelog: str
    journal: str
    step: Step[V]
    first: frozenset[str] = frozenset()
    aligned: frozenset[str] = frozenset()
    timed: frozenset[str] = frozenset()
    abreast: frozenset[str] = frozenset()
    reads: Callable[[Sequence[Record]], list[bytes]] | None = None
    again: Callable[[Store], Mapping[str, int | None] | None] | None = None
    layout: int = 1


@dataclass(frozen=True, slots=True)
class Running:
    """How a stage is run on this machine; none of it but `lateness`, which the journal tells, changes what is computed.

    Parameters
    ----------
    data
        The folder of the partitions' databases.
    most_records
        The largest batch of one topic.
    most_bytes
        How much state one batch may write, in bytes; until it is committed, that lies in memory twice.
    compute
        How long one batch may compute, so that heartbeats live; batches are sized by what the last ones took.
    catching_up
        How long it may where more than a largest batch waits behind it.
    again
        How long what is read again may compute at a time, beside batches of what happens now.
    wait
        How long to wait for records before a tick is considered.
    tick
        The shortest time between two ticks, when timers are looked at though nothing came.
    markers
        How often a place is committed to which only markers of other people's transactions were read.
    lateness
        How much later than its neighbours a record may come before event time goes on without it.
    ahead
        How far in event time a topic may be read ahead of one that is kept abreast of it.
    session
        How long Kafka waits for a worker that is silent.
    transaction
        How long Kafka waits for a commit that was begun.
    instance
        The worker's name for static membership; None joins anew each time.
    skips
        Records that may be passed by where a step raises on them, and on nothing else.

    """

    data: Path
    most_records: int = 8000
    most_bytes: int = 4 << 20
    compute: Millis = 100
    catching_up: Millis = 300
    again: Millis = 20
    wait: Millis = 200
    tick: Millis = 1000
    markers: Millis = 30_000
    lateness: Millis = LATENESS
    ahead: Millis = 1 * HOUR
    session: Millis = 10_000
    transaction: Millis = 20_000
    instance: str | None = None
    pauses: Path | None = None
    skips: tuple[Skip, ...] = ()
    client: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments for every Kafka client: servers and security."""
