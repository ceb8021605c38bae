"""The file of pools as people write it: pools, limits of whole programmes, and budgets that programmes share."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from kairos.instants import moment
from kairos.money import Currency
from kairos.offers import CouponPool, Identifier, Programme, Slice
from rules.asked import Written
from rules.bounds import Valid
from rules.problems import mistake
from rules.words import Amount, Format, Zone

__all__ = ["Budget", "Pool", "PoolFile", "ProgrammeLimits"]

_Count = Annotated[int, Field(strict=True, ge=0, le=100_000_000)]


class _Limits(Written):
    """What a pool and a programme are limited by alike."""

    budget: Amount | None = None
    per_customer: _Count | None = None
    per_day: _Count | None = None
    budget_per_day: Amount | None = None
    budget_per_month: Amount | None = None

    def limited(self, zone: str) -> dict[str, Any]:
        """Give the limits as the ledger knows them."""
        money = {name: getattr(self, name) for name in ("budget", "budget_per_day", "budget_per_month")}
        return {
            "zone": zone,
            "per_customer": self.per_customer,
            "per_day": self.per_day,
            **{name: None if amount is None else amount.minor for name, amount in money.items()},
        }

    def currencies(self) -> dict[str, str]:
        """Give what each amount of money is in."""
        money = {name: getattr(self, name) for name in ("budget", "budget_per_day", "budget_per_month")}
        return {name: amount.currency for name, amount in money.items() if amount is not None}


class Pool(_Limits):
    """One pool: what a coupon is worth, who pays it, and how many, or how much of them together, may be given out."""

    id: Identifier
    programme: Identifier
    merchant: Identifier
    value: Amount
    count: _Count
    subsidy: Annotated[dict[Identifier, Amount], Field(min_length=1, max_length=20)] | None = None
    codes: Literal["generated", "imported"] = "generated"
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")] = "K"
    low: _Count | None = None
    valid: Valid = Field(default_factory=Valid)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        paid = self.subsidy or {}
        others = {**self.currencies(), **{f"subsidy of {payer}": amount.currency for payer, amount in paid.items()}}
        for name, currency in others.items():
            if currency != self.value.currency:
                raise mistake(f"the value is in {self.value.currency}, the {name} in {currency}")
        total = sum(amount.minor for amount in paid.values())
        if paid and total != self.value.minor:
            said = type(self.value)(total, self.value.currency)
            raise mistake(f"a coupon is worth {self.value}, the subsidy adds up to {said}")
        return self

    def record(self, zone: str) -> CouponPool:
        """Give the pool as the ledger knows it."""
        return CouponPool(
            pool=self.id,
            programme=self.programme,
            merchant=self.merchant,
            value=self.value.minor,
            currency=self.value.currency,
            count=self.count,
            codes=self.codes,
            prefix=self.prefix,
            valid_from=None if self.valid.from_ is None else moment(self.valid.from_),
            valid_until=None if self.valid.until is None else moment(self.valid.until),
            subsidy={payer: amount.minor for payer, amount in (self.subsidy or {}).items()},
            low=self.low,
            **self.limited(zone),
        )


class ProgrammeLimits(_Limits):
    """What limits all pools of a programme together."""

    id: Identifier
    count: _Count | None = None


class Budget(Written):
    """Money that programmes share. It lies with `programme` until parts of it are moved to the others."""

    id: Identifier
    programme: Identifier
    others: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=100)]
    amount: Amount

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len({self.programme, *self.others}) <= len(self.others):
            raise mistake("a programme is named twice")
        return self

    def slice_of(self, programme: str) -> Slice | None:
        """Give a programme's part as it is before anything is moved, or None where it has none."""
        if programme not in (self.programme, *self.others):
            return None
        whole = self.amount.minor if programme == self.programme else 0
        return Slice(budget=self.id, home=self.programme, minor=whole, currency=self.amount.currency)


class PoolFile(Written):
    """A file of pools; plain amounts are in its currency, days and months in its zone."""

    format: Format
    zone: Zone
    currency: Currency
    pools: Annotated[tuple[Pool, ...], Field(max_length=10_000)]
    programmes: Annotated[tuple[ProgrammeLimits, ...], Field(max_length=1_000)] = ()
    budgets: Annotated[tuple[Budget, ...], Field(max_length=1_000)] = ()

    def limits(self) -> tuple[Programme, ...]:
        """Give what limits whole programmes, by programme: their own limits and their slices of shared budgets."""
        own = {limits.id: limits for limits in self.programmes}
        sharing = {name for budget in self.budgets for name in (budget.programme, *budget.others)}
        return tuple(self._limit(name, own.get(name)) for name in sorted(own.keys() | sharing))

    def _limit(self, name: str, own: ProgrammeLimits | None) -> Programme:
        found = (budget.slice_of(name) for budget in self.budgets)
        slices = tuple(slice_ for slice_ in found if slice_ is not None)
        limits: dict[str, Any] = {"zone": self.zone} if own is None else {"count": own.count, **own.limited(self.zone)}
        return Programme(programme=name, currency=self.money_of(name), slices=slices, **limits)

    def money_of(self, programme: str) -> Currency:
        """Give the currency that the pools of a programme are in, the first one's if they differ."""
        return next((pool.value.currency for pool in self.pools if pool.programme == programme), self.currency)
