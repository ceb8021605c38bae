"""Pools: the merchants' coupons as people write them down, and as the ledger reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from kairos.instants import moment
from kairos.money import Currency
from kairos.offers import CouponPool, Identifier
from rules.asked import Written
from rules.check import checked
from rules.problems import Problem, by_place, mistake
from rules.schema import Valid
from rules.words import Amount, Format, Zone

__all__ = ["LoadedPools", "load_pools", "pools_of_content"]


class Pool(Written):
    """One pool: what a coupon is worth, and how many, or how much of them together, may be given out."""

    id: Identifier
    programme: Identifier
    merchant: Identifier
    value: Amount
    count: Annotated[int, Field(strict=True, ge=0, le=100_000_000)]
    budget: Amount | None = None
    codes: Literal["generated", "imported"] = "generated"
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")] = "K"
    valid: Valid = Field(default_factory=Valid)

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if self.budget is not None and self.budget.currency != self.value.currency:
            raise mistake(f"the value is in {self.value.currency}, the budget in {self.budget.currency}")
        return self

    def record(self) -> CouponPool:
        """Give the pool as the ledger knows it."""
        return CouponPool(
            pool=self.id,
            programme=self.programme,
            merchant=self.merchant,
            value=self.value.minor,
            currency=self.value.currency,
            count=self.count,
            budget=None if self.budget is None else self.budget.minor,
            codes=self.codes,
            prefix=self.prefix,
            valid_from=None if self.valid.from_ is None else moment(self.valid.from_),
            valid_until=None if self.valid.until is None else moment(self.valid.until),
        )


class PoolFile(Written):
    """A file of pools; plain amounts are in its currency, days in its zone."""

    format: Format
    zone: Zone
    currency: Currency
    pools: Annotated[tuple[Pool, ...], Field(max_length=10_000)]


_published: TypeAdapter[tuple[CouponPool, ...]] = TypeAdapter(tuple[CouponPool, ...])


@dataclass(frozen=True, slots=True)
class LoadedPools:
    """What became of a file of pools: the pools by id and their published form, or the problems.

    The published form is JSON: what the ledger knows of each pool, in the order of their ids.
    """

    pools: tuple[CouponPool, ...]
    problems: tuple[Problem, ...]
    content: bytes


def load_pools(text: str | bytes, file: str = "pools.yaml") -> LoadedPools:
    """Read a file of pools."""
    made, tree, problems = checked(file, text, PoolFile)
    found = list(problems)
    taken: set[str] = set()
    for place, pool in enumerate(made.pools if made else ()):
        if pool.id in taken:
            where = tree.find(("pools", place, "id"))
            found.append(where.problem(file, f"the id {pool.id!r} is already taken"))
        taken.add(pool.id)
    if made is None or found:
        return LoadedPools((), by_place(found), b"")
    pools = _ordered(pool.record() for pool in made.pools)
    return LoadedPools(pools, (), _published.dump_json(pools))


def pools_of_content(content: bytes) -> tuple[CouponPool, ...]:
    """Read the published form, by id.

    Raises
    ------
    ValueError
        The content is no published pools.

    """
    return _ordered(_published.validate_json(content))


def _ordered(pools: Iterable[CouponPool]) -> tuple[CouponPool, ...]:
    return tuple(sorted(pools, key=lambda pool: pool.pool))
