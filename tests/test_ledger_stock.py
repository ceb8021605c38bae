"""Codes: imported ones are given out once each, generated ones never meet."""

from kairos.decisions import Reason
from streams.coupon_codes import check_letter
from tests.ledger_table import Table, pool, reserve


def test_imported_codes_are_given_out_in_the_order_of_the_file() -> None:
    table = Table(pool(count=9, codes="imported"))
    table.stock("AAA", "BBB", "CCC")

    assert [table.reserve(d).code for d in ("d1", "d2")] == ["AAA", "BBB"]
    assert (table.totals().codes, table.totals().left) == (1, 1)


def test_a_pool_of_imported_codes_is_out_of_stock_without_codes_whatever_its_limit() -> None:
    table = Table(pool(count=9, codes="imported"))

    assert list(table.reserve("d1").answer.refused.values()) == [Reason.OUT_OF_STOCK]
    table.stock("AAA")

    assert table.reserve("d2").code == "AAA"


def test_a_released_imported_code_is_free_again_behind_those_that_wait() -> None:
    table = Table(pool(count=9, codes="imported"))
    table.stock("AAA", "BBB")
    table.reserve("d1")

    table.change("release", "d1")

    assert [table.reserve(d).code for d in ("d2", "d3")] == ["BBB", "AAA"]
    assert table.reserve("d4").answer.granted is None


def test_a_code_imported_twice_is_refused_once_and_the_rest_is_kept() -> None:
    table = Table(pool(count=9, codes="imported"))
    table.stock("AAA", "BBB")
    table.reserve("d1")

    said = table.stock("AAA", "CCC", "CCC")

    (letter,) = said.dead
    assert dict(letter.headers)["kairos.errors.class"] == b"duplicate_codes"
    assert dict(letter.headers)["kairos.errors.message"].startswith(b"2 of 3 codes")
    assert (table.totals().codes, table.totals().duplicates) == (2, 2)
    assert [table.reserve(d).code for d in ("d2", "d3")] == ["BBB", "CCC"]


def test_only_pools_of_one_merchant_must_not_share_a_code() -> None:
    cafe, tea = (pool(name, 9, codes="imported", merchant="cafe") for name in ("cafe", "tea"))
    table = Table(cafe, tea, pool("taxi", 9, codes="imported"))
    table.stock("AAA")

    assert [len(table.stock("AAA", of=name).dead) for name in ("tea", "taxi")] == [1, 0]


def test_codes_may_come_before_the_pools_definition() -> None:
    table = Table()
    assert table.stock("AAA").outputs == []

    table.define(pool(count=9, codes="imported"))

    assert table.reserve("d1").code == "AAA"


def test_codes_for_a_pool_that_cannot_take_them_are_a_dead_letter() -> None:
    table = Table(pool(), pool("far", programme="travel", codes="imported"))

    said = [table.stock("AAA"), table.stock("AAA", of="far")]

    assert [dict(s.dead[0].headers)["kairos.errors.class"] for s in said] == [b"not_imported", b"wrong_programme"]
    assert list(table.store.items()) == []


def test_generated_codes_look_alike_and_are_all_different() -> None:
    table = Table(pool(count=1000, prefix="CAFE"))

    said = table.hear(*[reserve(f"d{n}") for n in range(1000)])

    codes = {offer.coupon.code for offer in said.offers if offer.coupon}
    # The serial alone tells them apart, whatever the letters behind it; the last one checks the others.
    assert len(codes) == len({code[4:10] for code in codes}) == 1000
    assert {(len(code), code[:4], code.isalnum()) for code in codes} == {(19, "CAFE", True)}
    assert {check_letter(code[4:-1]) == code[-1] for code in codes} == {True}
