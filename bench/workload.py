"""The workload: the same records for every engine, made by a seed and dated as if they happened just now."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random

from console.population import CLASSES, TRADES, apps_of
from kairos.instants import Millis, rfc3339
from kairos.ports import Record
from streams.topics import APP_USAGE, TRANSACTIONS, partition_of

__all__ = ["PARTITIONS", "WORKLOADS", "Workload", "events"]

PARTITIONS = 4
_APART: Millis = 2
"""How far two events lie apart: a batch spans seconds, and the last event is older than the clock."""


@dataclass(frozen=True)
class Workload:
    """Which customers the records belong to.

    Parameters
    ----------
    customers
        How many.
    skew
        Whether few of them are much busier than the others.

    """

    title: str
    customers: int
    skew: bool

    @cached_property
    def keys(self) -> list[bytes]:
        """Every customer."""
        return [b"L%06d" % number for number in range(self.customers)]

    @cached_property
    def placed(self) -> list[int]:
        """The partition of each customer."""
        return [partition_of(key, PARTITIONS) for key in self.keys]

    def drawn(self, chance: Random, number: int) -> list[bytes]:
        """Draw the customers of so many events."""
        if not self.skew:
            return chance.choices(self.keys, k=number)
        # Shares of a Pareto with tail index 1.16, the one behind "80 % come from 20 %".
        weights = list(accumulate((rank + 1) ** -0.862 for rank in range(self.customers)))
        return chance.choices(self.keys, cum_weights=weights, k=number)


WORKLOADS = {
    "skewed": Workload("20,000 customers, Pareto", 20_000, skew=True),
    "uniform": Workload("300,000 customers, uniform", 300_000, skew=False),
}
"""The workloads by the name that `--keys` takes."""


def events(keys: list[bytes], last: Millis, seed: str, apart: float = _APART) -> Iterator[Record]:
    """Give one record for each key: 65 % app usage, 30 % transactions, 5 % pages and logins.

    Parameters
    ----------
    keys
        Whose events they are, in their order.
    last
        When the last one happens.
    seed
        The same seed gives the same values.
    apart
        How far two events lie apart.

    """
    chance = Random(seed)
    values = [_value(chance) for _ in range(5_000)]
    first = last - round(apart * (len(keys) - 1))
    source, json = ("ce_source", b"/bench"), ("content-type", b"application/json")
    for place, key in enumerate(keys):
        at = first + round(apart * place)
        topic, type_, value = values[chance.randrange(5_000)]
        id_, time = f"{seed}-{place:x}".encode(), rfc3339(at).encode()
        headers = (("ce_specversion", b"1.0"), ("ce_id", id_), source, ("ce_type", type_), ("ce_time", time), json)
        yield Record(topic, 0, place, key, value, headers, at)


def _value(chance: Random) -> tuple[str, bytes, bytes]:
    kind = chance.random()
    if kind < 0.65:
        class_ = chance.choice(CLASSES)
        value = (
            f'{{"app":"{chance.choice(apps_of(class_))}","app_class":"{class_}",'
            f'"seconds":{chance.randrange(5, 900)},"link":"synthetic"'
        )
        return APP_USAGE, b"kairos.app_usage.v1", _padded(value)
    if kind < 0.95:
        value = (
            f'{{"amount":{chance.randrange(100, 90_000)},"currency":"CNY","direction":"debit","kind":"purchase",'
            f'"card":"debit","channel":"pos","merchant":"shop-{chance.randrange(3000)}",'
            f'"merchant_category":"{chance.choice(TRADES)}","link":"synthetic"'
        )
        return TRANSACTIONS, b"kairos.transaction.v1", _padded(value)
    if kind < 0.98:
        return APP_USAGE, b"kairos.page_view.v1", _padded('{"page":"credit-card","link":"synthetic"')
    return APP_USAGE, b"kairos.login.v1", _padded('{"channel":"mobile_bank","link":"synthetic"')


def _padded(value: str) -> bytes:
    """Fill up to the size that the bank's records had in the measurements, about 195 bytes."""
    return f'{value},"device":"{"x" * max(0, 182 - len(value))}"}}'.encode()
