"""Every state that a small ledger can come to: breadth first, by the real step, from an empty store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from kairos.offers import CouponPool
from kairos.ports import Batch, Output, Record
from streams.keys import compose, decompose
from streams.ledger import step
from streams.ledger_records import Pool, Reservation
from streams.memory_store import MemoryStore
from streams.topics import LEDGER_COMMANDS
from tests.ledger_table import NOON, Catalogue

KEY = b"takeaway"
HELD = ("reserved", "confirmed", "redeemed")
Definitions = Mapping[str, CouponPool]
_encode = msgspec.msgpack.Encoder().encode
_pool = msgspec.msgpack.Decoder(Pool).decode
_reservation = msgspec.msgpack.Decoder(Reservation).decode
_ODDITIES = compose(KEY, "h", b"")


@dataclass(frozen=True)
class State:
    """What lies in the store, and which of the definitions is in force. Counters that only ever grow are left out."""

    records: tuple[tuple[bytes, bytes], ...] = ()
    defined: int = 0

    def of_kind(self, kind: str) -> Iterator[tuple[bytes, bytes]]:
        for name, value in self.records:
            _, its, id_ = decompose(name)
            if its == kind:
                yield id_, value

    @cached_property
    def reservations(self) -> dict[str, Reservation]:
        return {id_.decode(): _reservation(value) for id_, value in self.of_kind("r")}

    @cached_property
    def pools(self) -> dict[str, Pool]:
        return {id_.decode(): _pool(value) for id_, value in self.of_kind("p")}

    def held(self, pool: str) -> list[Reservation]:
        return [found for found in self.reservations.values() if found.pool == pool and found.state in HELD]

    def free(self, pool: str) -> list[str]:
        return [code.decode() for id_, code in self.of_kind("q") if id_.startswith(pool.encode() + b"\0")]


@dataclass(frozen=True)
class Told:
    """One thing that can happen: a command, or other definitions."""

    name: str
    command: bytes | None = None
    defines: int | None = None


class Searched(NamedTuple):
    states: int
    steps: int


def search(
    events: Sequence[Told],
    definitions: Sequence[Definitions],
    check: Callable[[State, Told, State, list[Output]], None],
) -> Searched:
    """Let everything happen in every state, until no new one is found; `check` sees each step."""
    begin = State()
    known, waiting, steps = {begin: begin}, [begin], 0
    while waiting:
        following = []
        for before in waiting:
            for told in events:
                reached, outputs = _happens(before, told, definitions)
                after = known.setdefault(reached, reached)
                check(before, told, after, outputs)
                steps += 1
                if after is reached:
                    following.append(after)
        waiting = following
    return Searched(len(known), steps)


def _happens(before: State, told: Told, definitions: Sequence[Definitions]) -> tuple[State, list[Output]]:
    if told.command is None:
        return State(before.records, before.defined if told.defines is None else told.defines), []
    store = MemoryStore()
    for name, value in before.records:
        store.put(*decompose(name), value)
    versions = Catalogue(MappingProxyType(dict(definitions[before.defined])))
    record = Record(LEDGER_COMMANDS, 0, 0, KEY, told.command)
    outputs = step(store, Batch(0, 1, [record], NOON, versions))
    return State(tuple(_shrunk(store)), before.defined), outputs


def _shrunk(store: MemoryStore) -> Iterator[tuple[bytes, bytes]]:
    for name, value in store.items():
        if name == _ODDITIES:
            continue
        if name.startswith(compose(KEY, "p", b"")):
            header = _pool(value)
            header.duplicates = 0
            value = _encode(header)
        yield name, value
