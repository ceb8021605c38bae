"""Limits by customer, day and month, over the pools of a programme, and word of a pool that runs low."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from kairos.decisions import Arm, Reason
from kairos.instants import DAY, HOUR
from streams.ledger_records import read_pool, write_pool
from tests.ledger_table import AT, NOON, Table, pool, reserve, wish
from tests.test_policy_zones import ZONES, around, changes


def tried(table: Table, *decisions: str, of: str = "cafe") -> list[Reason | None]:
    said = [table.reserve(decision, wish(decision, of)).answer for decision in decisions]
    return [next(iter(answer.refused.values()), None) for answer in said]


def on_the_wall(at: int, zone: str) -> date:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()


def test_a_day_has_its_coupons_and_the_next_one_has_them_again() -> None:
    table = Table(pool(count=9, per_day=2))

    assert tried(table, "d1", "d2", "d3") == [None, None, Reason.DAY_LIMIT]
    table.days_later(1)

    assert tried(table, "d4", "d5", "d6") == [None, None, Reason.DAY_LIMIT]
    assert table.totals().held == 4


def test_a_day_begins_at_midnight_in_the_files_zone() -> None:
    table = Table(pool(count=9, per_day=1))
    tried(table, "d1")

    # It is eight in the evening in Shanghai.
    table.now = NOON + 4 * HOUR - 1
    assert tried(table, "d2") == [Reason.DAY_LIMIT]
    table.now += 1

    assert tried(table, "d3") == [None]


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_on_which_clocks_are_changed_has_its_coupons_once_however_long_it_is(zone: str) -> None:
    for day in changes(zone):
        table, given = Table(pool(count=9, per_day=1, zone=zone)), list[date]()
        moments = list(around(day))
        for at in moments:
            table.now = at
            if tried(table, f"d{at}") == [None]:
                given.append(on_the_wall(at, zone))

        assert given == sorted({on_the_wall(at, zone) for at in moments})


def test_another_zone_gives_no_day_twice() -> None:
    table = Table(pool(count=9, per_day=1, zone="Pacific/Kiritimati"))
    tried(table, "d1")

    table.define(pool(count=9, per_day=1, zone="Pacific/Pago_Pago"))

    assert tried(table, "d2") == [Reason.DAY_LIMIT]


def test_a_month_has_its_money() -> None:
    table = Table(pool(count=9, value=1000, budget_per_month=2999))

    assert tried(table, "d1", "d2", "d3") == [None, None, Reason.MONTH_LIMIT]
    table.now += 31 * DAY

    assert table.now == round(datetime(2027, 1, 1, 12, tzinfo=UTC).timestamp() * 1000)
    assert tried(table, "d4") == [None]


def test_what_is_released_on_its_day_can_be_given_that_day_and_not_on_another() -> None:
    table = Table(pool(count=9, value=1000, budget_per_day=1000))
    tried(table, "d1")
    table.change("release", "d1")
    assert tried(table, "d2") == [None]
    table.days_later(1)
    assert tried(table, "d3") == [None]

    table.change("release", "d2")

    assert tried(table, "d4") == [Reason.DAY_LIMIT]


def test_one_customer_has_as_many_coupons_as_allowed_whichever_decisions_they_came_from() -> None:
    table = Table(pool(count=9, per_customer=1))
    mine = [reserve(d, wish(d, customer="C1")) for d in ("d1", "d2", "d3")]

    first, second = table.hear(*mine[:2]).answers
    table.change("release", "d1")
    (third,) = table.hear(mine[2]).answers

    assert (first.refused, list(second.refused.values()), third.refused) == ({}, [Reason.COUPON_LIMIT], {})
    assert tried(table, "another") == [None]


def test_both_arms_are_refused_alike_by_what_one_customer_may_have() -> None:
    for arm in Arm:
        table = Table(pool(count=9, per_customer=1))

        said = table.hear(*[reserve(d, wish(d, customer="C1", arm=arm)) for d in ("d1", "d2")])

        assert [list(answer.refused.values()) for answer in said.answers] == [[], [Reason.COUPON_LIMIT]]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"count": 2}, Reason.PROGRAMME_LIMIT),
        ({"budget": 2999}, Reason.PROGRAMME_LIMIT),
        ({"per_day": 2}, Reason.DAY_LIMIT),
        ({"budget_per_day": 2999}, Reason.DAY_LIMIT),
        ({"budget_per_month": 2999}, Reason.MONTH_LIMIT),
        ({"per_customer": 0}, Reason.COUPON_LIMIT),
    ],
)
def test_a_programmes_limit_holds_over_its_pools_together(limits: dict[str, int], reason: Reason) -> None:
    table = Table(pool("cafe", 9), pool("tea", 9))
    table.limit("takeaway", **limits)
    given = 0 if "per_customer" in limits else 2

    found = tried(table, "d1", "d3") + tried(table, "d2", "d4", of="tea")

    assert found.count(None) == given
    assert set(found[given:]) <= {reason, None}
    assert found[-1] is reason
    assert table.totals().held + table.totals("tea").held == given


def test_a_programmes_first_limit_counts_what_its_pools_hold_already() -> None:
    table = Table(pool("cafe", 9), pool("tea", 9))
    tried(table, "d1")
    tried(table, "d2", of="tea")

    table.limit(count=3, per_day=9)

    assert tried(table, "d3", "d4") == [None, Reason.PROGRAMME_LIMIT]
    table.change("release", "d2")
    assert tried(table, "d5", "d6") == [None, Reason.PROGRAMME_LIMIT]


def test_a_programme_in_one_currency_gives_nothing_in_another_while_its_money_is_limited() -> None:
    table = Table(pool("cafe", 9), pool("tea", 9, currency="JPY"))
    table.limit(budget=10_000)

    assert tried(table, "d1", of="tea") == [Reason.POOL_NOT_VALID]


@pytest.mark.parametrize("foreign", ["a-tea", "tea"])
def test_a_programmes_first_limit_of_money_gives_nothing_while_its_pools_hold_two_currencies(foreign: str) -> None:
    table = Table(pool("cafe", 9), pool(foreign, 9, currency="JPY"))
    tried(table, "d1")
    tried(table, "d2", of=foreign)

    table.limit(budget=100_000)
    by_money = tried(table, "d3") + tried(table, "d4", of=foreign)
    table.limit(count=9)
    by_count = tried(table, "d5")
    for decision in ("d1", "d2", "d5"):
        table.change("release", decision)
    table.limit(budget=100_000)

    assert by_money == [Reason.POOL_NOT_VALID] * 2
    assert by_count == [None]
    assert tried(table, "d6") == [None]


def test_what_a_pool_gave_and_took_back_in_another_currency_is_not_held_against_a_programmes_first_limit() -> None:
    table = Table(pool("bar", 9), pool("cafe", 9), pool("tea", 9, currency="JPY"))
    for name in table.pools:
        tried(table, name, of=name)
    table.change("release", "tea")

    table.limit(budget=3_999)

    assert tried(table, "d1", "d2") == [None, Reason.PROGRAMME_LIMIT]


def test_limits_that_are_published_while_a_day_runs_count_what_it_gave_before() -> None:
    table = Table(pool(count=9))
    tried(table, "d1", "d2")

    table.define(pool(count=9, per_day=2))

    assert tried(table, "d3") == [Reason.DAY_LIMIT]


def test_a_pool_that_runs_low_is_told_of_once_for_each_time_it_comes_down() -> None:
    table = Table(pool(count=4, low=2))
    said = [table.reserve(f"d{n}").alerts for n in range(4)]

    assert [[(low.left, low.low) for low in alerts] for alerts in said] == [[], [(2, 2)], [], []]
    for n in range(2):
        assert table.change("release", f"d{n}").alerts == []
    assert table.reserve("d5").alerts == []

    for n in (2, 3):
        assert table.change("release", f"d{n}").alerts == []

    (again,) = table.reserve("d6").alerts
    assert (again.pool, again.programme, again.merchant, again.left) == ("cafe", "takeaway", "cafe", 2)
    assert again.at == AT


def test_a_pool_that_lowered_limits_emptied_is_told_of_when_somebody_asks() -> None:
    table = Table(pool(count=9, low=1))
    table.reserve("d1")
    table.define(pool(count=1, low=1))

    assert [low.left for low in table.reserve("d2").alerts] == [0]
    assert table.reserve("d3").alerts == []


def test_new_codes_end_the_shortage_and_the_next_one_is_told_again() -> None:
    table = Table(pool(count=9, codes="imported", low=1))
    table.stock("A", "B")

    assert len(table.reserve("d1").alerts) == 1
    table.stock("C")

    assert [len(table.reserve(d).alerts) for d in ("d2", "d3")] == [1, 0]


def test_what_an_older_release_reserved_is_given_back_and_no_day_is_counted_below_nothing() -> None:
    table = Table(pool(count=9, per_day=1))
    tried(table, "d1")
    header = read_pool(table.store, b"takeaway", "cafe")
    header.day.count, header.day.number = 0, 0
    write_pool(table.store, b"takeaway", "cafe", header)

    table.change("release", "d1")

    assert tried(table, "d2", "d3") == [None, Reason.DAY_LIMIT]
