"""The file of pools: limits, payers, programmes and shared budgets, and every slip in them."""

import pytest

from kairos.offers import Slice
from rules.pools import load_pools, published_pools

HEAD = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\npools:\n"
CAFE = "  - {id: cafe, programme: lunch, merchant: m, value: 30, count: 9}\n"
RIDE = "  - {id: ride, programme: travel, merchant: r, value: 8, count: 9}\n"


def slips(text: str) -> list[str]:
    return [str(problem).removeprefix("pools.yaml:") for problem in load_pools(HEAD + text).problems]


def test_limits_and_payers_are_published_in_minor_units() -> None:
    more = (
        "per_customer: 1, per_day: 5, budget_per_day: 90, budget_per_month: 900.50, low: 2, subsidy: {bank: 10, m: 20}"
    )

    loaded = load_pools(HEAD + CAFE.replace("count: 9", f"count: 9, {more}"))

    (pool,) = loaded.pools
    assert (pool.per_customer, pool.per_day, pool.budget_per_day, pool.budget_per_month) == (1, 5, 9000, 90050)
    assert (pool.low, pool.subsidy, pool.zone) == (2, {"bank": 1000, "m": 2000}, "Asia/Shanghai")
    assert published_pools(loaded.content).pools == loaded.pools


def test_a_file_that_uses_nothing_new_is_published_as_older_releases_read_it() -> None:
    content = load_pools(HEAD + CAFE).content

    assert content == b'[{"pool":"cafe","programme":"lunch","merchant":"m","value":3000,"count":9}]'


def test_programmes_and_shared_budgets_are_published_with_the_slices_of_each_programme() -> None:
    loaded = load_pools(
        HEAD
        + CAFE
        + RIDE
        + "programmes:\n  - {id: lunch, budget: 500, per_customer: 2}\n"
        + "budgets:\n  - {id: spring, programme: lunch, others: [travel], amount: 100}\n"
    )

    assert loaded.problems == ()
    lunch, travel = loaded.programmes
    assert (lunch.programme, lunch.budget, lunch.per_customer) == ("lunch", 50_000, 2)
    assert lunch.slices == (Slice(budget="spring", home="lunch", minor=10_000, currency="CNY"),)
    assert (travel.budget, travel.slices[0].minor, travel.slices[0].name) == (None, 0, "lunch/spring")
    assert published_pools(loaded.content).programmes == loaded.programmes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CAFE.replace("9}", "-1}"), "5:65: should be greater"),
        (CAFE.replace("9}", "9, budget: -1}"), "5:76: expected an amount"),
        (CAFE.replace("9}", "9, per_day: 1.5}"), "5:77: expected a whole number"),
        (
            CAFE.replace("9}", "9, subsidy: {bank: 10, m: 10}}"),
            "5:5: a coupon is worth 30.00 CNY, the subsidy adds up to",
        ),
        (CAFE.replace("9}", "9, subsidy: {bank: 40, m: -10}}"), "5:"),
        (CAFE.replace("9}", "9, budget_per_day: 5 JPY}"), "5:5: the value is in CNY, the budget_per_day in JPY"),
        (CAFE + CAFE.replace("cafe", "tea"), "6:10: codes of m begin with 'K' in the pool 'cafe', too; name another"),
        (CAFE + "programmes:\n  - {id: lnch, count: 1}\n", "7:10: no pool belongs to the programme 'lnch'"),
        (CAFE + "programmes:\n" + "  - {id: lunch, count: 1}\n" * 2, "8:10: the id 'lunch' is already taken"),
        (
            CAFE + "programmes:\n  - {id: lunch, budget: 1 JPY}\n",
            "5:54: the value is in CNY, the budget of its programme",
        ),
        (
            CAFE + "budgets:\n  - {id: b, programme: lunch, others: [lunch], amount: 1}\n",
            "7:5: a programme is named twice",
        ),
        (CAFE + "budgets:\n  - {id: b, programme: lunch, others: [no], amount: 1}\n", "7:5: no pool belongs to the"),
    ],
)
def test_a_slip_is_told_with_its_place(text: str, problem: str) -> None:
    found = slips(text)

    assert len(found) == 1
    assert found[0].startswith(problem)


def test_content_with_a_zone_that_nobody_has_is_refused_before_it_is_in_force() -> None:
    content = b'[{"pool":"a","programme":"p","merchant":"m","value":1,"count":1,"zone":"Asia/Atlantis"}]'

    with pytest.raises(ValueError, match="Atlantis"):
        published_pools(content)
