"""The ledger in sentences of the business."""

import pytest

from kairos.decisions import Arm, Reason
from kairos.instants import moment
from kairos.offers import Channel
from streams.ledger_records import read_oddities
from streams.topics import LEDGER_ANSWERS, LEDGER_ENTRIES, OFFERS_LIST, OFFERS_PUSH, OFFERS_SMS
from tests.ledger_table import NOON, Table, pool, reserve, wish


def test_a_granted_reservation_sends_the_offer_with_its_coupon_and_answers_the_customer() -> None:
    table = Table(pool())

    said = table.reserve("d1")

    assert [(output.topic, output.key) for output in said.outputs] == [
        (OFFERS_SMS, b"customer of d1"),
        (LEDGER_ENTRIES, b"takeaway"),
        (LEDGER_ANSWERS, b"customer of d1"),
    ]
    assert said.offer.coupon is not None
    assert (said.offer.coupon.pool, said.offer.coupon.value, said.offer.coupon.currency) == ("cafe", 1000, "CNY")
    assert said.offer.model_copy(update={"coupon": None}) == wish("d1").offer
    assert (said.answer.id, said.answer.granted, said.answer.code) == ("d1", said.offer.id, said.code)
    assert (said.answer.virtual, said.answer.refused) == (False, {})
    assert table.totals().reserved == 1


def test_offer_and_answer_are_cloud_events_named_by_what_they_are() -> None:
    offer, entry, answer = (dict(output.headers) for output in Table(pool()).reserve("d1").outputs)

    assert (offer["ce_type"], offer["ce_id"]) == (b"kairos.offer.v1", wish("d1").offer.id.encode())
    assert (entry["ce_type"], entry["ce_id"]) == (b"kairos.ledger.entry.v1", b"d1:issued")
    assert (answer["ce_type"], answer["ce_id"]) == (b"kairos.ledger.answer.v1", b"d1")
    assert offer["ce_time"] == answer["ce_time"] == b"2026-12-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("channel", "topic"), [(Channel.SMS, OFFERS_SMS), (Channel.PUSH, OFFERS_PUSH), (Channel.LIST, OFFERS_LIST)]
)
def test_an_offer_goes_to_its_channels_topic(channel: Channel, topic: str) -> None:
    said = Table(pool()).reserve("d1", wish("d1", channel=channel))

    assert said.outputs[0].topic == topic


def test_an_offer_without_a_coupon_is_always_granted_and_sent() -> None:
    table = Table(pool(count=0))

    said = table.reserve("d1", wish("d1"), wish("d1", None))

    assert said.offer.coupon is None
    assert (said.answer.granted, said.answer.code) == (said.offer.id, None)
    assert said.answer.refused == {wish("d1").offer.id: Reason.OUT_OF_STOCK}


def test_the_last_coupon_goes_to_who_came_first_and_the_next_candidate_wins_for_the_other() -> None:
    table = Table(pool("cafe", 1), pool("tea", 1))

    said = table.hear(*[reserve(d, wish(d, "cafe"), wish(d, "tea")) for d in ("d1", "d2", "d3")])

    assert [o.coupon.pool for o in said.offers if o.coupon] == ["cafe", "tea"]
    first, second, third = said.answers
    assert first.refused == {}
    assert second.refused == {wish("d2").offer.id: Reason.OUT_OF_STOCK}
    assert third.granted is None
    assert list(third.refused.values()) == [Reason.OUT_OF_STOCK, Reason.OUT_OF_STOCK]


def test_the_budget_ends_before_the_coupons_do() -> None:
    table = Table(pool(count=100, budget=2999))

    granted = [table.reserve(f"d{n}").answer.granted is not None for n in range(4)]

    assert granted == [True, True, False, False]
    assert table.reserve("d9").answer.refused == {wish("d9").offer.id: Reason.OVER_BUDGET}
    assert table.totals().held_minor == 2000
    assert table.totals().left == 0


def test_a_pool_nobody_defined_and_a_pool_of_another_programme_are_both_unknown() -> None:
    table = Table(pool(programme="travel"))

    said = table.reserve("d1", wish("d1", "nowhere"), wish("d1", "cafe"))

    assert set(said.answer.refused.values()) == {Reason.UNKNOWN_POOL}
    assert (len(said.answer.refused), said.answer.granted, said.offers) == (2, None, [])


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [
        (0, None, None),
        (1, None, Reason.POOL_NOT_VALID),
        (None, 0, Reason.POOL_NOT_VALID),
        (None, 1, None),
        (-1, 1, None),
    ],
)
def test_a_pool_gives_from_its_first_moment_until_its_last(
    begins: int | None, ends: int | None, reason: Reason | None
) -> None:
    valid_from = None if begins is None else moment(NOON + begins)
    valid_until = None if ends is None else moment(NOON + ends)

    answer = Table(pool(valid_from=valid_from, valid_until=valid_until)).reserve("d1").answer

    assert list(answer.refused.values()) == ([] if reason is None else [reason])


def test_the_control_arm_is_answered_as_if_and_takes_nothing() -> None:
    table = Table(pool(count=1))

    said = table.hear(*[reserve(d, wish(d, arm=Arm.CONTROL)) for d in ("d1", "d2")])

    assert said.offers == []
    assert [(a.granted, a.virtual, a.code) for a in said.answers] == [
        (wish("d1").offer.id, True, None),
        (wish("d2").offer.id, True, None),
    ]
    assert table.totals().held == 0


def test_the_control_arm_is_refused_where_treatment_would_be() -> None:
    table = Table(pool(count=1))
    table.reserve("d1")

    said = table.reserve("d2", wish("d2", arm=Arm.CONTROL), wish("d2", None, arm=Arm.CONTROL))

    assert said.answer.refused == {wish("d2").offer.id: Reason.OUT_OF_STOCK}
    assert (said.answer.virtual, said.answer.granted) == (True, wish("d2", None).offer.id)
    assert said.offers == []


@pytest.mark.parametrize("arm", [Arm.TREATMENT, Arm.CONTROL])
@pytest.mark.parametrize("of", ["cafe", "empty", None])
def test_a_reservation_that_comes_again_is_answered_as_before_and_takes_nothing_more(of: str | None, arm: Arm) -> None:
    table = Table(pool(), pool("empty", 0))
    first = table.reserve("d1", wish("d1", of, arm=arm))
    table.define(pool("empty", 5))

    again = table.reserve("d1", wish("d1", of, arm=arm))

    assert again.answers == first.answers
    assert again.offers == []
    assert table.totals().held == len(first.offers) * (of == "cafe")
    assert read_oddities(table.store, b"takeaway").repeated == 1
