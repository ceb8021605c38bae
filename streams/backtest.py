"""Backtest: what a book of rules would have done over a recorded log, decided by the very functions that run live.

It is a `streams.replay.Replay` with coupons in stock: the codes that a merchant sends as a file are in no log, so a
pool of imported codes is taken to hold as many as its definition allows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from kairos.offers import CouponPool, Programme
from kairos.ports import Output, Record
from streams.backtest_log import Arrays, met_by
from streams.backtest_quick import Quick
from streams.pools import Totals, totals
from streams.replay import Replay
from streams.versions import Versions

__all__ = ["Backtest", "in_stock", "of_sample", "stocked"]

L = TypeVar("L", CouponPool, Programme)
_SHARED = ("count", "budget", "per_day", "budget_per_day", "budget_per_month")
"""The limits that all customers share."""


def stocked(versions: Versions, sample: int = 1) -> Versions:
    """Give the versions under which a backtest runs; their hashes are those of what was read.

    Parameters
    ----------
    versions
        What is to be tried.
    sample
        The log holds one in so many of the bank's customers: pools are as much smaller, rounded down.

    """
    pools = {name: in_stock(of_sample(pool, sample)) for name, pool in versions.pools.items()}
    programmes = {name: of_sample(limits, sample) for name, limits in versions.programmes.items()}
    for name, limits in programmes.items():
        slices = tuple(one.model_copy(update={"minor": one.minor // sample}) for one in limits.slices)
        programmes[name] = limits.model_copy(update={"slices": slices})
    return replace(versions, pools=pools, programmes=programmes)


def in_stock(pool: CouponPool) -> CouponPool:
    """Give a pool of imported codes as one that makes its own."""
    return pool.model_copy(update={"codes": "generated"})


def of_sample(limited: L, sample: int) -> L:
    """Give what limits coupons as it is for one in so many customers; what one customer may have stays.

    Examples
    --------
    >>> pool = CouponPool(
    ...     pool="p", programme="x", merchant="m", value=50_00, count=40_000, budget=1_000_000_00, per_customer=2
    ... )
    >>> small = of_sample(pool, 1_000)
    >>> small.count, small.budget, small.per_day, small.per_customer
    (40, 100000, None, 2)

    """
    told = {name: getattr(limited, name, None) for name in _SHARED}
    return limited.model_copy(update={name: value // sample for name, value in told.items() if value is not None})


class Backtest:
    """One run over a log.

    Parameters
    ----------
    versions
        What is in force, see `stocked`.

    """

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self._replay = Replay(versions)

    def run(self, events: Iterable[Record], progress: Callable[[int], None] | None = None) -> Iterator[Output]:
        """Take the log's records in their order; give every record that any stage would have written."""
        return self._replay.run(events, progress)

    def quick(self, arrays: Arrays) -> Quick:
        """Give the run that lives through those customers alone whom a rule may meet, with the same decisions."""
        return Quick(self._replay, arrays, met_by(self.versions.book, arrays))

    def pools(self) -> dict[str, Totals]:
        """Give how each pool stands, by its name."""
        store = self._replay.stores["ledger"]
        return {name: totals(store, pool) for name, pool in self.versions.pools.items()}
