"""The customer as the engine keeps it: one packed hot record, and a profile beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from kairos.events import Attribute
from kairos.instants import Millis
from kairos.permissions import Word

__all__ = ["Customer", "Person", "Spending", "Standing", "pack", "unpack"]


class Spending(msgspec.Struct, array_like=True, gc=False):
    """A summary of the debits in one merchant category: how many, how much (minor units), the last one (ms)."""

    count: int = 0
    minor: int = 0
    last: Millis = 0


class Customer(msgspec.Struct, array_like=True):
    """What every event may read or change; mutable inside one batch, versioned for ever.

    Parameters
    ----------
    version
        The layout of this record. A field is only ever added at the end.
    seen
        The names of recent events, packed by `kairos.recent`.
    tags
        Decayed tags from app usage, six bytes each, packed by `models.tags`.
    remembered
        What the rules remember of the past, by feature, packed by `rules.features`.
    spending
        Debits by merchant category.
    decided
        When each rule last decided for this customer; the cooldown's memory.
    contacts
        When each channel was last used, packed seconds, the caps' memory.
    pending, met
        Which absences are waited for, and what ended some lately, packed by `rules.absences`.
    fired
        When each rule that consumes last fired, packed by `rules.firings`.
    groups
        When each rule of a group last decided for this customer, by the group: they share their cooldowns.
    decisions
        When each rule that may only decide so often did, packed seconds.
    purposes
        When the customer was last contacted for each purpose, packed seconds: the same contacts, seen otherwise.
    ignored
        When messages by each channel were found ignored, packed seconds; a reaction ends the row.
    deferred
        Which rules wait for the end of quiet hours, and until when.

    """

    version: int = 1
    seen: bytes = b""
    tags: bytes = b""
    remembered: dict[str, bytes] = msgspec.field(default_factory=dict)
    spending: dict[str, Spending] = msgspec.field(default_factory=dict)
    decided: dict[str, Millis] = msgspec.field(default_factory=dict)
    contacts: dict[str, bytes] = msgspec.field(default_factory=dict)
    pending: bytes = b""
    met: bytes = b""
    fired: dict[str, bytes] = msgspec.field(default_factory=dict)
    groups: dict[str, dict[str, Millis]] = msgspec.field(default_factory=dict)
    decisions: dict[str, bytes] = msgspec.field(default_factory=dict)
    purposes: dict[str, bytes] = msgspec.field(default_factory=dict)
    ignored: dict[str, bytes] = msgspec.field(default_factory=dict)
    deferred: dict[str, Millis] = msgspec.field(default_factory=dict)


class Person(Protocol):
    """What the bank says of a customer, see `kairos.events.Profile`; the stage keeps it in a form of its own."""

    @property
    def attrs(self) -> Mapping[str, Attribute]:
        """The attributes."""
        ...

    @property
    def tags(self) -> frozenset[str]:
        """The offline tags."""
        ...

    @property
    def consent(self) -> Sequence[Word]:
        """What the bank knows of consent."""
        ...

    @property
    def do_not_contact(self) -> bool:
        """Whether the customer is to be left alone."""
        ...

    @property
    def personalisation(self) -> bool:
        """Whether the customer agreed to what is made for them alone."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a customer is when a decision is made: the bank's profile, and what the customer said since."""

    profile: Person
    said: Sequence[Word] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Customer).decode


def pack(customer: Customer) -> bytes:
    """Write the hot record as versioned msgpack."""
    return _encode(customer)


def unpack(packed: bytes | None) -> Customer:
    """Read the hot record; None is a customer never seen.

    Examples
    --------
    >>> unpack(pack(Customer(tags=b"abcdef"))).tags
    b'abcdef'
    >>> unpack(None).version
    1

    """
    return Customer() if packed is None else _decode(packed)
