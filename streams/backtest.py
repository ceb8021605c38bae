"""Backtest: what a book of rules would have done over a recorded log, decided by the very functions that run live.

It is a `streams.replay.Replay` with coupons in stock: the codes that a merchant sends as a file are in no log, so a
pool of imported codes is taken to hold as many as its definition allows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from kairos.offers import CouponPool
from kairos.ports import Output, Record
from streams.pools import Totals, totals
from streams.replay import Replay
from streams.versions import Versions

__all__ = ["Backtest", "of_sample", "stocked"]


def stocked(versions: Versions, sample: int = 1) -> Versions:
    """Give the versions under which a backtest runs; their hashes are those of what was read.

    Parameters
    ----------
    versions
        What is to be tried.
    sample
        The log holds one in so many of the bank's customers: pools are as much smaller, rounded down.

    """
    pools = {name: of_sample(pool, sample) for name, pool in versions.pools.items()}
    return replace(versions, pools=pools)


def of_sample(pool: CouponPool, sample: int) -> CouponPool:
    """Give a pool as it is for one in so many customers, with all its codes in stock.

    Examples
    --------
    >>> pool = CouponPool(
    ...     pool="p", programme="x", merchant="m", value=50_00, count=40_000, budget=1_000_000_00, codes="imported"
    ... )
    >>> small = of_sample(pool, 1_000)
    >>> small.count, small.budget, small.codes
    (40, 100000, 'generated')

    """
    budget = None if pool.budget is None else pool.budget // sample
    return pool.model_copy(update={"count": pool.count // sample, "budget": budget, "codes": "generated"})


class Backtest:
    """One run over a log.

    Parameters
    ----------
    versions
        What is in force, see `stocked`.

    """

    def __init__(self, versions: Versions) -> None:
        self._replay = Replay(versions)
        self._pools = versions.pools

    def run(self, events: Iterable[Record], progress: Callable[[int], None] | None = None) -> Iterator[Output]:
        """Take the log's records in their order; give every record that any stage would have written."""
        return self._replay.run(events, progress)

    def pools(self) -> dict[str, Totals]:
        """Give how each pool stands, by its name."""
        store = self._replay.stores["ledger"]
        return {name: totals(store, pool) for name, pool in self._pools.items()}
