"""The ledger's records: what a programme's key holds in the store. This table is the contract of the layout.

kind  id                     value
----  ---------------------  --------------------------------------------------------------------------
`p`   pool                   `Pool`: counts and money by state, the generated serial, the imported queue
`r`   decision id            `Reservation`: what was answered, and what became of the coupon
`c`   pool, NUL, code        version, decision id: a code that was imported or given out, and to which decision last
`q`   pool, NUL, number      an imported code that is free, in the order in which it became so
`g`   nothing                `Standing`: what the whole programme holds, and what was moved of its slices
`n`   pool, NUL, customer    how many coupons of the pool the customer had; without a pool, of the programme
`m`   move                   version: a part of a budget that was moved away, or came, once
`h`   nothing                `Oddities`: commands that changed nothing, counted
`t`   instant, decision id   version: a reservation that holds nothing and may be forgotten after the instant

Numbers and instants are eight bytes, big-endian, so that they sort. The structures are msgpack arrays whose first
field is the version; a field is only ever added at the end.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

from kairos.decisions import Reason
from kairos.ports import Store
from streams.ledger_opened import Opened

__all__ = [
    "CODE",
    "CUSTOMER",
    "FORGET",
    "FREE",
    "MOVE",
    "VERSION",
    "Amount",
    "Oddities",
    "Period",
    "Pool",
    "Reservation",
    "Standing",
    "State",
    "coupons_of",
    "forget_reservation",
    "number",
    "pools_of",
    "read_oddities",
    "read_pool",
    "read_reservation",
    "read_standing",
    "within",
    "write_coupons",
    "write_oddities",
    "write_pool",
    "write_reservation",
    "write_standing",
]

CODE, FREE, FORGET, CUSTOMER, MOVE = "c", "q", "t", "n", "m"
VERSION = b"\x01"

State = Literal["answered", "reserved", "confirmed", "redeemed", "released"]
"""`answered` holds no coupon: refused, without a pool, or virtual."""


class Amount(msgspec.Struct, array_like=True, gc=False):
    """So many coupons, worth so much (minor units) when each was reserved."""

    count: int = 0
    minor: int = 0


class Period(msgspec.Struct, array_like=True, gc=False):
    """What was reserved on a day, or in a month, and is still held; the number grows with time."""

    number: int = 0
    count: int = 0
    minor: int = 0


class Pool(msgspec.Struct, array_like=True):
    """A pool's header: the coupons that are in each state now, and how many were ever released.

    Parameters
    ----------
    currency
        What the money held is counted in.
    serial
        The next generated code's.
    head, tail
        The first free imported code's number, and the number of the next one to become free.
    duplicates
        Imported codes that were refused because the pool had them.
    day, month
        The newest ones, and what was reserved in them.
    low
        Whether people were told that few are left.

    """

    version: int = 1
    currency: str = ""
    reserved: Amount = msgspec.field(default_factory=Amount)
    confirmed: Amount = msgspec.field(default_factory=Amount)
    redeemed: Amount = msgspec.field(default_factory=Amount)
    released: Amount = msgspec.field(default_factory=Amount)
    serial: int = 0
    head: int = 0
    tail: int = 0
    duplicates: int = 0
    day: Period = msgspec.field(default_factory=Period)
    month: Period = msgspec.field(default_factory=Period)
    low: bool = False

    @property
    def held(self) -> Amount:
        """What counts against the limits: reserved, confirmed and redeemed together."""
        one, two, three = self.reserved, self.confirmed, self.redeemed
        return Amount(one.count + two.count + three.count, one.minor + two.minor + three.minor)


class Standing(msgspec.Struct, array_like=True):
    """What all pools of a programme hold together, and what came of shared budgets, less what went (minor units).

    It is there from the moment on when the programme has a limit; the pools tell what was held before. `currency` is
    `?` where coupons of several are held.
    """

    version: int = 1
    currency: str = ""
    held: Amount = msgspec.field(default_factory=Amount)
    day: Period = msgspec.field(default_factory=Period)
    month: Period = msgspec.field(default_factory=Period)
    moved: dict[str, int] = msgspec.field(default_factory=dict)


class Reservation(msgspec.Struct, array_like=True):
    """What a decision was answered, and the coupon it holds or held.

    Parameters
    ----------
    day
        On which day the coupon was reserved, counted from the beginning of the calendar.
    counted
        Among whose coupons of one customer it counts: 1 the pool's, 2 the programme's, 3 both.
    merchant, currency, subsidy
        Of the coupon, as it was defined then.
    redeemed_by
        The till's word that the code was redeemed, where there was one.

    """

    version: int = 1
    state: State = "answered"
    customer: str = ""
    granted: str | None = None
    virtual: bool = False
    refused: dict[str, Reason] = msgspec.field(default_factory=dict)
    pool: str = ""
    code: str | None = None
    imported: bool = False
    minor: int = 0
    day: int = 0
    counted: int = 0
    merchant: str = ""
    currency: str = ""
    subsidy: dict[str, int] = msgspec.field(default_factory=dict)
    redeemed_by: str = ""


class Oddities(msgspec.Struct, array_like=True, gc=False):
    """Commands of a programme that changed nothing: a zero is a sign of health.

    `repeated` reservations were answered again as before; `unknown` changes name a decision never answered or
    forgotten; `contradictory` ones release what was redeemed, or confirm or redeem what was released.
    """

    version: int = 1
    repeated: int = 0
    unknown: int = 0
    contradictory: int = 0


S = TypeVar("S", bound=msgspec.Struct)
_encode = msgspec.msgpack.Encoder().encode
_decode_pool = msgspec.msgpack.Decoder(Pool).decode
_decode_reservation = msgspec.msgpack.Decoder(Reservation).decode
_decode_standing = msgspec.msgpack.Decoder(Standing).decode
_decode_oddities = msgspec.msgpack.Decoder(Oddities).decode


def read_pool(store: Store, programme: bytes, pool: str) -> Pool:
    """Read a pool's header; one never used is empty."""
    return _read(store, (programme, "p", pool.encode()), _decode_pool) or Pool()


def write_pool(store: Store, programme: bytes, pool: str, header: Pool) -> None:
    """Write a pool's header."""
    _write(store, (programme, "p", pool.encode()), header)


def read_reservation(store: Store, programme: bytes, decision: str) -> Reservation | None:
    """Read what a decision was answered, or None."""
    packed = store.get(programme, "r", decision.encode())
    return None if packed is None else _decode_reservation(packed)


def write_reservation(store: Store, programme: bytes, decision: str, reservation: Reservation) -> None:
    """Write what a decision was answered."""
    store.put(programme, "r", decision.encode(), _encode(reservation))


def forget_reservation(store: Store, programme: bytes, decision: bytes) -> None:
    """Remove what a decision was answered."""
    store.delete(programme, "r", decision)


def read_standing(store: Store, programme: bytes) -> Standing | None:
    """Read how a programme stands, or None where it never had a limit."""
    return _read(store, (programme, "g", b""), _decode_standing)


def write_standing(store: Store, programme: bytes, standing: Standing) -> None:
    """Write how a programme stands."""
    _write(store, (programme, "g", b""), standing)


def _read(store: Store, name: tuple[bytes, str, bytes], unpack: Callable[[bytes], S]) -> S | None:
    if isinstance(store, Opened):
        return store.opened(name, unpack)
    packed = store.get(*name)
    return None if packed is None else unpack(packed)


def _write(store: Store, name: tuple[bytes, str, bytes], record: msgspec.Struct) -> None:
    if isinstance(store, Opened):
        store.keep(name, record)
    else:
        store.put(*name, _encode(record))


def pools_of(store: Store, programme: bytes) -> list[tuple[str, Pool]]:
    """Give every pool that the programme ever used, defined or not."""
    return [(id_.decode(), _decode_pool(packed)) for id_, packed in store.scan(programme, "p")]


def coupons_of(store: Store, programme: bytes, pool: str, customer: str) -> int:
    """Count a customer's coupons of a pool; without a pool, of the programme."""
    packed = store.get(programme, CUSTOMER, within(pool, customer.encode()))
    return 0 if packed is None else int.from_bytes(packed)


def write_coupons(store: Store, programme: bytes, pool: str, customer: str, count: int) -> None:
    """Write how many coupons a customer has."""
    store.put(programme, CUSTOMER, within(pool, customer.encode()), number(count))


def read_oddities(store: Store, programme: bytes) -> Oddities:
    """Read how many commands of a programme changed nothing."""
    packed = store.get(programme, "h")
    return Oddities() if packed is None else _decode_oddities(packed)


def write_oddities(store: Store, programme: bytes, oddities: Oddities) -> None:
    """Write how many commands of a programme changed nothing."""
    store.put(programme, "h", b"", _encode(oddities))


def within(pool: str, id_: bytes) -> bytes:
    r"""Name something inside a pool; a pool's own name has no NUL.

    Examples
    --------
    >>> within("cafe-30", b"AB12")
    b'cafe-30\x00AB12'

    """
    return pool.encode() + b"\0" + id_


def number(place: int) -> bytes:
    """Write a number or an instant so that it sorts."""
    return place.to_bytes(8)
