"""A till knows a code and no customer: the redemption finds its way, once, whatever was typed."""

import json

import pytest

from kairos.instants import DAY
from kairos.offers import CouponPool
from kairos.reservations import command
from streams.coupon_codes import check_letter, generated_code
from streams.ledger_desk import KEPT
from streams.ledger_records import read_oddities
from streams.topics import FEEDBACK, LEDGER_COMMANDS
from tests.ledger_table import AT, Said, Table, pool, reserve, wish


def why(said: Said) -> str:
    (letter,) = said.dead
    return dict(letter.headers)["kairos.errors.class"].decode()


@pytest.mark.parametrize("codes", ["generated", "imported"])
def test_a_code_alone_redeems_its_coupon_and_tells_its_customer(codes: str) -> None:
    table = Table(pool(codes=codes))
    if codes == "imported":
        table.stock("AAA-1")
    code = table.reserve("d1").code

    said = table.redeem(code, amount=4200)

    (told,) = [output for output in said.outputs if output.topic == FEEDBACK]
    assert told.key == b"customer of d1"
    assert json.loads(told.value or b"") == {
        "what": "redeemed",
        "offer": wish("d1").offer.id,
        "decision": "d1",
        "channel": "*",
        "purpose": "*",
        "code": code,
        "amount": 4200,
        "simulated": False,
    }
    head = dict(told.headers)
    assert (head["ce_source"], head["ce_id"]) == (b"/kairos/ledger", b"d1:redeemed")
    assert [(e.what, e.decision, e.pool) for e in said.entries] == [("redeemed", "d1", "cafe")]
    assert table.totals().redeemed == 1


def test_the_same_redemption_told_again_changes_nothing_and_another_one_is_told_to_people() -> None:
    table = Table(pool())
    code = table.reserve("d1").code
    table.redeem(code, "till-1")

    assert table.redeem(code, "till-1").outputs == []
    assert why(table.redeem(code, "till-2")) == "redeemed_before"

    assert table.totals().redeemed == 1
    assert read_oddities(table.store, b"takeaway").repeated == 1


def test_a_redemption_that_the_customers_own_word_came_before_is_the_same_one() -> None:
    table = Table(pool())
    code = table.reserve("d1").code
    table.change("redeem", "d1")

    assert table.redeem(code, "till-1").outputs == []
    assert why(table.redeem(code, "till-2")) == "redeemed_before"


def test_a_code_that_was_taken_back_is_nobodys_and_one_given_on_is_its_new_holders() -> None:
    table = Table(pool(codes="imported"))
    table.stock("AAA")
    table.reserve("d1")
    table.change("release", "d1")

    assert why(table.redeem("AAA", "till-1")) == "not_out"
    table.reserve("d2")

    assert [e.decision for e in table.redeem("AAA", "till-1").entries] == ["d2"]


def forgotten(of: CouponPool, *codes: str) -> Table:
    """A ledger that gave d1 a coupon, took it back, and has forgotten d1 since."""
    table = Table(of)
    if codes:
        table.stock(*codes)
    table.reserve("d1")
    table.change("release", "d1")
    table.now += KEPT + DAY
    table.change("confirm", "nobody")
    return table


def test_a_decision_that_was_forgotten_and_is_refused_later_holds_no_code() -> None:
    table = forgotten(pool())
    code = generated_code(table.pools["cafe"], 0, "d1")
    table.pools = {"cafe": pool(count=0)}

    assert table.reserve("d1").answer.granted is None

    assert why(table.redeem(code)) == "not_out"


def test_a_decision_that_was_forgotten_and_is_given_another_code_holds_only_that() -> None:
    table = forgotten(pool(codes="imported"), "AAA", "BBB")

    assert table.reserve("d1").code == "BBB"

    assert why(table.redeem("AAA")) == "not_out"
    assert [entry.decision for entry in table.redeem("BBB").entries] == ["d1"]


def test_a_code_that_waits_to_be_given_is_no_bodys_code() -> None:
    table = Table(pool(codes="imported"))
    table.stock("AAA")

    assert why(table.redeem("AAA")) == "unknown_code"


def test_programmes_are_asked_one_after_the_other_and_the_last_one_says_that_nobody_knows_it() -> None:
    table = Table(pool(), pool("ride", programme="travel"))
    code = table.hear(reserve("d1", wish("d1", "ride", programme="travel"))).code

    first = table.redeem(code, onward=("travel", "cards"))
    (onward,) = first.outputs
    assert (onward.topic, onward.key) == (LEDGER_COMMANDS, b"travel")
    second = table.hear(command.validate_json(onward.value or b""))

    assert [e.programme for e in second.entries] == ["travel"]
    (lost,) = table.redeem("NOBODYS", onward=("travel",)).outputs
    assert why(table.hear(command.validate_json(lost.value or b""))) == "unknown_code"


def test_a_coupon_of_a_pool_that_was_deleted_is_redeemed_all_the_same() -> None:
    table = Table(pool())
    code = table.reserve("d1").code
    table.pools = {}

    said = table.redeem(code)

    assert [(e.merchant, e.value) for e in said.entries] == [("cafe", 1000)]


@pytest.mark.parametrize("typed", [str.lower, lambda c: f" {c[:5]}-{c[5:]} ", lambda c: c.replace("0", "o")])
def test_a_made_code_is_understood_as_people_type_it(typed: object) -> None:
    table = Table(pool(prefix="LOL"))
    code = table.reserve("d1").code

    assert table.redeem(typed(code)).entries  # type: ignore[operator]  # each is a function of a text


@pytest.mark.parametrize(
    "odd", ["\x00", "cafe\x00A", "券", "A" * 200, " ", "-", "A,B", "\udcff".encode("utf-8", "replace").decode()]
)
def test_odd_codes_are_told_as_unknown(odd: str) -> None:
    table = Table(pool())
    table.reserve("d1")

    assert why(table.redeem(odd)) == "unknown_code"


def test_leading_zeros_are_part_of_a_code() -> None:
    table = Table(pool(count=9, codes="imported"))
    table.stock("007", "7")
    table.hear(reserve("d1"), reserve("d2"))

    assert [e.decision for e in table.redeem("7").entries] == ["d2"]
    assert [e.decision for e in table.redeem("007", "till-2").entries] == ["d1"]


def test_one_wrong_letter_and_two_exchanged_ones_are_seen_by_the_check_letter() -> None:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    body = generated_code(pool(), 77, "d1")[1:-1]

    for place, right in enumerate(body):
        assert all(
            check_letter(body[:place] + x + body[place + 1 :]) != check_letter(body) for x in letters if x != right
        )
    for one in range(len(body)):
        for other in range(one):
            exchanged = body[:other] + body[one] + body[other + 1 : one] + body[other] + body[one + 1 :]
            assert exchanged == body or check_letter(exchanged) != check_letter(body)


def test_with_a_key_codes_are_others_and_the_same_in_every_replay() -> None:
    codes = []
    for key in (b"", b"k" * 32, b"k" * 32, b"l" * 32):
        table = Table(pool())
        table.key = key
        codes.append(table.reserve("d1").code)

    assert codes[1] == codes[2]
    assert len(set(codes)) == 3


def test_a_redemption_ahead_of_our_clock_is_told_as_of_now() -> None:
    table = Table(pool())
    code = table.reserve("d1").code

    said = table.redeem(code, at=AT.replace(year=2030))

    (told,) = [output for output in said.outputs if output.topic == FEEDBACK]
    assert dict(told.headers)["ce_time"] == b"2026-12-01T12:00:00.000Z"
