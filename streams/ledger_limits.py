"""Limits: whether one more coupon may be given; what is held, by day, month, programme and customer."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kairos.decisions import Reason
from kairos.offers import CouponPool, Limited, Programme
from kairos.ports import Store
from streams.ledger_records import Amount, Period, Pool, Standing, pools_of, read_standing, write_standing

__all__ = ["Turn", "add", "month_of", "of_pool", "of_programme", "since", "standing_of", "turn_at"]


class Turn(NamedTuple):
    """A day and its month, counted on from the beginning of the calendar."""

    day: int
    month: int


def turn_at(at: datetime, zone: str) -> Turn:
    """Give the day and the month of a moment in a zone.

    Examples
    --------
    >>> from datetime import UTC
    >>> turn_at(datetime(2026, 12, 31, 16, tzinfo=UTC), "Asia/Shanghai")
    Turn(day=739982, month=24324)

    """
    day = at.astimezone(ZoneInfo(zone)).date().toordinal()
    return Turn(day, month_of(day))


def month_of(day: int) -> int:
    """Give the month of a day."""
    found = date.fromordinal(day)
    return found.year * 12 + found.month - 1


def since(period: Period, number: int) -> Period:
    """Give what counts at a day or in a month: nothing yet, where it is a new one.

    It never goes back, or another zone in the file of pools would give one day twice.
    """
    return period if number <= period.number else Period(number)


def of_pool(pool: CouponPool, header: Pool, at: datetime, turn: Turn) -> Reason | None:
    """Why a pool cannot give one more coupon at this moment, or None if it can."""
    if (pool.valid_from and at < pool.valid_from) or (pool.valid_until and at >= pool.valid_until):
        return Reason.POOL_NOT_VALID
    held = header.held
    # Money in two currencies cannot be held against one budget.
    if held.count and header.currency != pool.currency:
        return Reason.POOL_NOT_VALID
    if held.count >= pool.count or (pool.codes == "imported" and header.head == header.tail):
        return Reason.OUT_OF_STOCK
    if pool.budget is not None and held.minor + pool.value > pool.budget:
        return Reason.OVER_BUDGET
    return _of_periods(pool, since(header.day, turn.day), since(header.month, turn.month), pool.value)


def of_programme(limits: Programme, standing: Standing, pool: CouponPool, turn: Turn) -> Reason | None:
    """Why a programme as a whole cannot give one more coupon of a pool at this moment, or None if it can."""
    held = standing.held
    money = (limits.budget, limits.budget_per_day, limits.budget_per_month)
    if limits.slices or any(amount is not None for amount in money):
        currencies = {pool.currency, limits.currency, *(slice_.currency for slice_ in limits.slices)}
        if len(currencies) > 1 or (held.count and standing.currency != pool.currency):
            return Reason.POOL_NOT_VALID
    if limits.count is not None and held.count >= limits.count:
        return Reason.PROGRAMME_LIMIT
    if limits.budget is not None and held.minor + pool.value > limits.budget:
        return Reason.PROGRAMME_LIMIT
    for slice_ in limits.slices:
        if held.minor + pool.value > slice_.minor + standing.moved.get(slice_.name, 0):
            return Reason.OVER_SLICE
    return _of_periods(limits, since(standing.day, turn.day), since(standing.month, turn.month), pool.value)


def _of_periods(limits: Limited, day: Period, month: Period, value: int) -> Reason | None:
    if limits.per_day is not None and day.count >= limits.per_day:
        return Reason.DAY_LIMIT
    if limits.budget_per_day is not None and day.minor + value > limits.budget_per_day:
        return Reason.DAY_LIMIT
    if limits.budget_per_month is not None and month.minor + value > limits.budget_per_month:
        return Reason.MONTH_LIMIT
    return None


def add(on: Pool | Standing, turn: Turn, count: int, minor: int) -> None:
    """Count what was reserved on a day; what is given back counts only while it is that day, or that month."""
    if count > 0:
        on.day, on.month = since(on.day, turn.day), since(on.month, turn.month)
    for period, number in ((on.day, turn.day), (on.month, turn.month)):
        if count > 0 or period.number == number:
            period.count += count
            period.minor += minor


def standing_of(store: Store, programme: bytes, *, limited: bool) -> Standing | None:
    """Give how a programme stands; None where it has no limit and never had one.

    The first limit counts what is held already, for the pools know it.
    """
    found = read_standing(store, programme)
    if found is not None or not limited:
        return found
    found = Standing()
    headers = [header for _, header in pools_of(store, programme)]
    for header in headers:
        held = header.held
        found.held = Amount(found.held.count + held.count, found.held.minor + held.minor)
        if held.count:
            found.currency = header.currency if found.currency in ("", header.currency) else "?"
    found.day, found.month = _newest([h.day for h in headers]), _newest([h.month for h in headers])
    write_standing(store, programme, found)
    return found


def _newest(periods: list[Period]) -> Period:
    newest = max((period.number for period in periods), default=0)
    last = [period for period in periods if period.number == newest]
    return Period(newest, sum(period.count for period in last), sum(period.minor for period in last))
