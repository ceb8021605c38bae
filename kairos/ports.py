"""The seams of the house: what a stage gives to its step, what a step gives back, what a connector is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from kairos.instants import SECOND, Millis
from kairos.offers import Offer

__all__ = [
    "LATENESS",
    "Again",
    "Batch",
    "Connector",
    "Headers",
    "InDoubt",
    "Output",
    "Receipt",
    "Record",
    "Refused",
    "Step",
    "Store",
    "Unavailable",
]

Headers = Sequence[tuple[str, bytes]]
LATENESS: Millis = 5 * SECOND
"""How much later than its neighbours a record may come, unless a setting says otherwise.

A page view and a card payment of one moment reach Kafka by different ways, some seconds apart. Less would remind a
customer who has just paid; more only makes every reminder later.
"""
V = TypeVar("V")
"""What a stage knows of the catalogue."""


class Record(msgspec.Struct, gc=False):
    """A record as Kafka holds it; `at` is the time Kafka wrote beside it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    at: Millis = 0


class Output(NamedTuple):
    """A record to be written, in the same commit as the state."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Store(Protocol):
    """Sorted records of one partition, named by (key, kind, id); what is put is there at once for the same step.

    `key` is the record's owner (a customer, a programme), `kind` one character, `id` tells records of a kind apart.
    """

    def get(self, key: bytes, kind: str, id_: bytes = b"") -> bytes | None:
        """Give the value, or None."""
        ...

    def put(self, key: bytes, kind: str, id_: bytes, value: bytes) -> None:
        """Write a value."""
        ...

    def delete(self, key: bytes, kind: str, id_: bytes = b"") -> None:
        """Remove a value; one that is not there is no error."""
        ...

    def scan(self, key: bytes, kind: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Give (id, value) of one kind, by id, from `start` on. Nothing may be written while it runs."""
        ...


@dataclass(frozen=True, slots=True)
class Again:
    """That the records of a batch were taken before, and are read once more for what is new in the state.

    Parameters
    ----------
    ranges
        For each topic the offset from which and the one up to which they are given, retained ones only.
    reached
        Whether with them everything was given that was taken before; what is taken from now on is taken once.

    """

    ranges: Mapping[str, tuple[int, int]]
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Batch(Generic[V]):
    """What one step works on: the records that arrived, in the order of their topics and offsets, and the moment.

    Parameters
    ----------
    partition
        The partition number; with it the stage's state.
    partitions
        How many the stage has.
    records
        What came in; empty for a tick.
    now
        Processing time. It never goes back within a partition.
    versions
        The catalogue as it stood when the batch was taken.
    drained
        The topics with event time in which nothing was left unread when the batch was taken.
    lateness
        How much later than its neighbours a record may come.
    again
        What of the past is read again; None for what happens now.

    """

    partition: int
    partitions: int
    records: Sequence[Record]
    now: Millis
    versions: V
    drained: frozenset[str] = frozenset()
    lateness: Millis = LATENESS
    again: Again | None = None


Step = Callable[[Store, Batch[V]], list[Output]]
"""A stage's pure function: it reads and writes the store, and gives the records to be written with it."""


class Receipt(StrEnum):
    """What a gateway said of an offer."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


class Unavailable(Exception):
    """The gateway is down or too busy; the same offer may be tried again. `after` is its wish in seconds, if any."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Refused(Exception):
    """The gateway refused this offer for good."""


class InDoubt(Exception):
    """Nobody knows whether the gateway took the offer; it must not be sent again where keys are not honoured."""


class Connector(Protocol):
    """Hands offers to one outside system.

    `honours_key` says whether the same offer id, sent twice, reaches the customer once; only then is an offer
    in doubt sent again. `tests/connector_contract.py` checks every implementation.
    """

    honours_key: bool

    async def send(self, offer: Offer) -> Receipt:
        """Hand over one offer.

        Raises
        ------
        Unavailable
            Nothing was taken; to be called again later.
        Refused
            It will never be taken; a dead letter.
        InDoubt
            The answer was lost.

        """
        ...
