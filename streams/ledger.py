"""The ledger: the last gate, keyed by programme. It reserves budget and one code, or says why not.

A reservation is answered exactly once, to its customer; a granted offer of the treatment arm is written here, with
its coupon or, where its wish names no pool, without. The transport is exactly once, so a reservation that comes
again is somebody's replay: it is answered as before, and neither offered nor reserved a second time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from kairos.instants import moment
from kairos.offers import CouponPool, Programme
from kairos.ports import Batch, Output, Record, Store
from kairos.reservations import Change, Move, Moved, Order, Redemption, Reserve, Stock
from kairos.trace import followed
from kairos.wire import BadRecord
from rules.stops import Stops
from streams.coupon_codes import add_codes
from streams.dead_letters import dead_letter
from streams.keys import compose
from streams.ledger_change import change, redeem
from streams.ledger_commands import read_command
from streams.ledger_desk import Desk, forget_old
from streams.ledger_opened import Opened
from streams.ledger_records import read_pool
from streams.ledger_reserve import reserve
from streams.ledger_slices import arrive, leave
from streams.ledger_written import watch

__all__ = ["HasPools", "reads", "step"]

_LONGEST = 100
"""A programme's name has no more bytes than this."""


class HasPools(Protocol):
    """What the ledger knows of the catalogue."""

    @property
    def pools(self) -> Mapping[str, CouponPool]:
        """The pools' definitions by their names."""
        ...

    @property
    def programmes(self) -> Mapping[str, Programme]:
        """What limits whole programmes, by their names."""
        ...

    @property
    def stops(self) -> Stops:
        """What people have stopped."""
        ...

    @property
    def codes_key(self) -> bytes:
        """What codes are made with."""
        ...


V = TypeVar("V", bound=HasPools)


def step(store: Store, batch: Batch[V]) -> list[Output]:
    """Work through the commands of a batch in their order.

    Parameters
    ----------
    store
        The partition's records; see `streams.ledger_records`.
    batch
        Ledger commands keyed by programme, the moment, and the pools' definitions.

    """
    known, opened = batch.versions, Opened(store)
    desk = Desk(opened, batch.now, moment(batch.now), known.pools, known.stops, known.programmes, known.codes_key)
    # Twice as many as come, so that none pile up. A longer key is no programme's, and is about to be a dead letter.
    for key, count in Counter(r.key for r in batch.records if r.key and len(r.key) <= _LONGEST).items():
        forget_old(desk, key, 2 * count)
    outputs: list[Output] = []
    for record in batch.records:
        try:
            order = read_command(record, batch.partition, batch.partitions)
            first = len(outputs)
            outputs += _carry_out(desk, order)
            followed(outputs, first, record.headers)
        except BadRecord as error:
            outputs.append(dead_letter(record, "ledger", error, batch.now))
    opened.close()
    return outputs


def reads(records: Iterable[Record]) -> list[bytes]:
    """Name what the step will read whatever happens: the reservations, by the names that the records' headers tell."""
    names: list[bytes] = []
    for record in records:
        key = record.key
        if key and len(key) <= _LONGEST:
            told = next((value for name, value in record.headers if name == "ce_id"), b"")
            names.append(compose(key, "r", told.rpartition(b":")[0]))
    return names


def _carry_out(desk: Desk, order: Order) -> list[Output]:
    match order:
        case Reserve():
            return reserve(desk, order)
        case Change():
            return change(desk, order)
        case Redemption():
            return redeem(desk, order)
        case Move():
            return leave(desk, order)
        case Moved():
            return arrive(desk, order)
        case Stock():
            _stock(desk, order)
            return []


def _stock(desk: Desk, order: Stock) -> None:
    """Take in codes; they may come before the pool's definition does.

    Raises
    ------
    BadRecord
        The definition says that no codes can come, or some were there already. The rest is kept.

    """
    pool = desk.pools.get(order.pool)
    if pool is not None and pool.programme != order.programme:
        raise BadRecord("wrong_programme", f"the pool {order.pool} belongs to another programme")
    if pool is not None and pool.codes != "imported":
        raise BadRecord("not_imported", f"the pool {order.pool} makes its codes itself")
    refused = add_codes(desk.store, order.programme.encode(), order.pool, order.codes, _siblings(desk, pool))
    if pool is not None:
        # With more codes it is not low any more, and may be told of again.
        watch(desk, pool, read_pool(desk.store, order.programme.encode(), order.pool))
    if refused:
        raise BadRecord(
            "duplicate_codes", f"{refused} of {len(order.codes)} codes were in the pool already; the rest was taken in"
        )


def _siblings(desk: Desk, pool: CouponPool | None) -> list[str]:
    """Name the merchant's other pools of the programme: a till must not meet one code twice."""
    if pool is None:
        return []
    mine = (pool.programme, pool.merchant)
    return [p.pool for p in desk.pools.values() if (p.programme, p.merchant) == mine and p.pool != pool.pool]
