"""What becomes of a reservation, which limits hold, and what is forgotten."""

import pytest

from kairos.decisions import Reason
from kairos.instants import DAY
from streams.ledger_desk import KEPT
from streams.ledger_records import read_oddities
from tests.ledger_table import Table, pool, reserve, wish


def test_a_coupon_goes_from_reserved_to_confirmed_to_redeemed_and_always_counts() -> None:
    table = Table(pool(count=1))
    stands = []

    table.reserve("d1")
    for kind in ("confirm", "redeem"):
        stands.append(table.totals())
        table.change(kind, "d1")
    stands.append(table.totals())

    assert [(s.reserved, s.confirmed, s.redeemed) for s in stands] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert {(s.held, s.held_minor, s.left) for s in stands} == {(1, 1000, 0)}


@pytest.mark.parametrize("before", [(), ("confirm",)])
def test_a_coupon_that_was_definitely_not_sent_can_be_given_to_somebody_else(
    before: tuple[str, ...],
) -> None:
    table = Table(pool(count=1, budget=1000))
    first = table.reserve("d1")
    for kind in before:
        table.change(kind, "d1")

    table.change("release", "d1")

    assert (table.totals().held, table.totals().held_minor, table.totals().released) == (0, 0, 1)
    second = table.reserve("d2")
    assert second.code != first.code


def test_what_comes_twice_or_too_late_changes_nothing() -> None:
    table = Table(pool(count=4))
    for decision, kinds in {"d1": ["redeem"], "d2": ["release"], "d3": ["confirm"]}.items():
        table.reserve(decision)
        for kind in kinds:
            table.change(kind, decision)
    before = table.totals()

    for kind, decision in [("confirm", "d1"), ("redeem", "d1"), ("release", "d2"), ("confirm", "d3")]:
        table.change(kind, decision)
    assert read_oddities(table.store, b"takeaway").contradictory == 0
    for kind, decision in [("release", "d1"), ("confirm", "d2"), ("redeem", "d2")]:
        table.change(kind, decision)

    assert table.totals() == before
    assert read_oddities(table.store, b"takeaway").contradictory == 3


def test_news_of_a_decision_without_a_coupon_changes_nothing_and_of_an_unknown_one_is_counted() -> None:
    table = Table(pool())
    table.reserve("d1", wish("d1", None))

    said = [table.change("confirm", "d1"), table.change("confirm", "nobody")]

    assert [s.outputs for s in said] == [[], []]
    assert table.totals().held == 0
    assert read_oddities(table.store, b"takeaway").unknown == 1


def test_limits_lowered_below_what_is_out_grant_nothing_new_and_take_nothing_back() -> None:
    table = Table(pool(count=5))
    for n in range(3):
        table.reserve(f"d{n}")

    table.define(pool(count=2))
    assert table.reserve("d3").answer.granted is None
    table.change("release", "d0")
    assert table.reserve("d4").answer.granted is None
    table.change("release", "d1")

    assert table.reserve("d5").answer.granted is not None
    assert table.totals().held == 2


@pytest.mark.parametrize(
    ("lowered", "reason"),
    [
        ({"count": 1}, Reason.OUT_OF_STOCK),
        ({"budget": 1000}, Reason.OVER_BUDGET),
        ({"per_day": 1}, Reason.DAY_LIMIT),
        ({"budget_per_day": 1000}, Reason.DAY_LIMIT),
        ({"budget_per_month": 1000}, Reason.MONTH_LIMIT),
        ({"per_customer": 1}, Reason.COUPON_LIMIT),
    ],
)
def test_a_limit_lowered_below_what_is_held_is_the_reason_that_is_told(lowered: dict[str, int], reason: Reason) -> None:
    mine = [wish(d, customer="C1") for d in ("d0", "d1", "d2", "d3")]
    of_pool, of_programme = Table(pool(count=9, per_customer=9)), Table(pool(count=9, per_customer=9))
    # What a customer has of a programme is counted from when that is limited.
    of_programme.limit(per_customer=9)
    for table in (of_pool, of_programme):
        for one in mine[:3]:
            table.reserve(one.offer.decision, one)

    of_pool.define(pool(**{"count": 9, "per_customer": 9, **lowered}))  # type: ignore[arg-type]  # never the name
    of_programme.limit("takeaway", **lowered)
    said = [table.reserve("d3", mine[3]).answer for table in (of_pool, of_programme)]

    of_both = Reason.PROGRAMME_LIMIT if lowered.keys() & {"count", "budget"} else reason
    assert [list(answer.refused.values()) for answer in said] == [[reason], [of_both]]
    assert [table.totals().held for table in (of_pool, of_programme)] == [3, 3]


def test_a_pool_that_is_deleted_gives_nothing_moves_what_is_out_and_goes_on_when_it_is_back() -> None:
    table = Table(pool(count=3))
    for n in range(3):
        table.reserve(f"d{n}")
    (gone,) = table.pools.values()

    table.pools = {}
    refused = table.reserve("d3").answer.refused
    table.change("confirm", "d0")
    table.change("redeem", "d0")
    table.change("release", "d1")
    table.define(gone)
    said = [table.reserve(decision).answer for decision in ("d4", "d5")]

    assert list(refused.values()) == [Reason.UNKNOWN_POOL]
    assert [list(answer.refused.values()) for answer in said] == [[], [Reason.OUT_OF_STOCK]]
    assert (table.totals().redeemed, table.totals().reserved, table.totals().released) == (1, 2, 1)


def test_each_coupon_counts_with_the_value_it_was_reserved_with() -> None:
    table = Table(pool(count=9, value=1000, budget=3000))
    table.reserve("d1")
    table.define(pool(count=9, value=2000, budget=3000))
    table.reserve("d2")

    assert table.totals().held_minor == 3000
    table.change("release", "d1")
    assert table.totals().held_minor == 2000
    assert table.reserve("d3").answer.granted is None


def test_a_pool_whose_currency_changed_waits_until_nothing_of_the_old_one_is_out() -> None:
    table = Table(pool(count=9))
    table.reserve("d1")
    table.define(pool(count=9, currency="JPY"))

    assert list(table.reserve("d2").answer.refused.values()) == [Reason.POOL_NOT_VALID]
    table.change("release", "d1")

    assert table.reserve("d3").answer.granted is not None


def test_an_answer_that_holds_nothing_is_forgotten_when_nobody_can_ask_again() -> None:
    table = Table(pool(count=2))
    table.reserve("held")
    table.hear(*[reserve(d) for d in ("released", "refused", "late")])
    table.change("release", "released")
    filled = len(list(table.store.items()))

    table.now += KEPT
    table.reserve("x1", wish("x1", None))
    assert len(list(table.store.items())) == filled + 2
    table.now += 1
    table.hear(reserve("x2", wish("x2", None)), reserve("x3", wish("x3", None)))

    assert [id_ for id_, _ in table.store.scan(b"takeaway", "r")] == [b"held", b"x1", b"x2", b"x3"]
    assert len(list(table.store.scan(b"takeaway", "t"))) == 3
    assert (table.totals().reserved, table.totals().released) == (1, 1)


def test_a_dead_letter_replayed_after_thirty_days_still_meets_its_answer() -> None:
    assert KEPT > 30 * DAY
