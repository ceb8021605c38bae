"""The customers' stage in sentences of the business."""

from typing import Any

import pytest

from kairos.customer import Spending, pack
from kairos.instants import DAY, HOUR, MINUTE, SECOND
from streams.topics import TRANSACTIONS
from tests.customer_table import Table, versions

CONTROL = versions(control="90%")


def offered(table: Table | None = None, category: str = "dining") -> tuple[Table, str]:
    """Give a table on which a customer has just been offered something, and the decision."""
    table = table or Table()
    table.hear(table.profile())
    asked = table.hear(table.pays(category=category))
    if category != "fuel":
        answers, _ = table.ledger(asked)
        asked = table.hear(*answers)
    assert asked.decision["state"] == "offered"
    return table, asked.decision["id"]


def test_an_event_that_comes_twice_counts_once_in_one_batch_and_in_two() -> None:
    table = Table()
    table.hear(table.profile())

    first = table.hear(table.pays(id_="1", category="fuel"), table.pays(id_="1", category="fuel"))
    again = table.hear(table.pays(id_="1", category="fuel"))

    assert len(first.decisions) == 1
    assert again.outputs == []
    assert table.customer("c1").spending["fuel"].count == 1


def test_events_of_a_batch_are_taken_in_the_order_in_which_they_happened() -> None:
    late, ordered = Table(versions(cooldown="1h")), Table(versions(cooldown="1h"))
    for table in (late, ordered):
        table.hear(table.profile())
    one, two = (late.pays(category="fuel", id_=i, ago=ago) for i, ago in (("1", 5 * MINUTE), ("2", 1 * MINUTE)))

    decisions = late.hear(two, one).decisions

    assert [row["event"]["offset"] for row in decisions] == [one.offset, two.offset]
    assert [row["state"] for row in decisions] == ["offered", "suppressed"]


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (None, "no_consent"),
        ({"consent": []}, "no_consent"),
        ({"granted": False}, "no_consent"),
        ({"personalisation": False}, "no_personalisation"),
        ({"do_not_contact": True}, "do_not_contact"),
    ],
)
def test_what_is_unknown_or_refused_is_no(profile: dict[str, Any] | None, reason: str) -> None:
    table = Table()
    if profile is not None:
        table.hear(table.profile(**profile))

    said = table.hear(table.pays())

    assert (said.decision["state"], said.decision["reason"], said.commands) == ("suppressed", reason, [])


def test_an_opt_out_after_an_offer_is_a_permission_at_once_and_silences_what_comes() -> None:
    table, _ = offered(category="fuel")

    left = table.hear(table.feedback("opted_out", channel="sms"), after=SECOND)
    after = table.hear(table.pays(category="fuel"), after=SECOND)

    assert [row["channel"] for row in left.permissions[0]["consent"]] == ["*", "sms"]
    assert after.decision["channel"] == "push"
    table.hear(table.feedback("opted_out"), after=SECOND)
    assert table.hear(table.pays(category="fuel"), after=SECOND).decision["reason"] == "no_consent"


def test_saying_no_again_and_again_takes_no_more_room() -> None:
    table = Table()

    for _ in range(3):
        table.hear(table.feedback("opted_out", channel="sms"), after=SECOND)

    assert len(table.hear(table.profile()).permissions[0]["consent"]) == 2


def test_a_control_customer_gets_the_same_decision_withheld_and_the_ledger_is_asked_virtually() -> None:
    treated, control = Table(), Table(CONTROL)
    for table in (treated, control):
        table.hear(table.profile())

    (got, sent), (withheld, unsent) = (table.ask(table.pays()) for table in (treated, control))

    assert (got.decision["state"], withheld.decision["state"]) == ("offered", "withheld")
    assert withheld.decision["reason"] == "control"
    assert [v["rule"] for v in got.decision["verdicts"]] == [v["rule"] for v in withheld.decision["verdicts"]]
    assert [v["rank"] for v in withheld.decision["verdicts"]] == [1, 2]
    assert (len(sent.offers), len(unsent.offers)) == (1, 0)
    assert treated.customer("c1").contacts == control.customer("c1").contacts
    assert control.store.get(b"c1", "d", bytes.fromhex(withheld.decision["id"])) is None


def test_a_control_customer_without_a_coupon_is_withheld_at_once() -> None:
    table = Table(CONTROL)
    table.hear(table.profile())

    said = table.hear(table.pays(category="fuel"))

    assert (said.decision["state"], said.offers, said.commands) == ("withheld", [], [])


def test_without_a_coupon_the_next_candidate_wins_and_without_any_the_reasons_are_told() -> None:
    table = Table(versions(cafe=1, tea=1))
    for key in ("c1", "c2", "c3"):
        table.hear(table.profile(key))

    told = [table.ask(table.pays(key))[0].decision for key in ("c1", "c2", "c3")]

    fates = [[(v["rule"], v["verdict"]) for v in decision["verdicts"]] for decision in told]
    assert fates == [
        [("cafe", "won"), ("tea", "outranked")],
        [("cafe", "out_of_stock"), ("tea", "won")],
        [("cafe", "out_of_stock"), ("tea", "out_of_stock")],
    ]
    assert [decision["state"] for decision in told] == ["offered", "offered", "suppressed"]
    assert told[2]["reason"] == "out_of_stock"


def test_who_got_nothing_may_be_asked_again_at_once() -> None:
    table = Table(versions(cafe=0, tea=0, cooldown="30d"))
    table.hear(table.profile())

    table.ask(table.pays())

    assert (table.customer("c1").decided, table.customer("c1").contacts) == ({}, {})


def test_a_second_answer_changes_nothing() -> None:
    table = Table()
    table.hear(table.profile())
    answers, _ = table.ledger(table.hear(table.pays()))
    table.hear(*answers)
    before = table.state()

    again = table.hear(*answers)

    assert (again.outputs, table.state()) == ([], before)


def test_what_comes_back_before_the_answer_counts_once_the_answer_is_there() -> None:
    table = Table()
    table.hear(table.profile())
    asked = table.hear(table.pays())
    answers, written = table.ledger(asked)
    decision = written.offers[0]["decision"]

    early = table.hear(table.feedback("accepted", decision=decision), table.feedback("delivered", decision=decision))
    said = table.hear(*answers)

    assert early.outputs == []
    assert (said.decision["state"], said.commands, said.ended) == ("offered", ["confirm"], ["delivered"])


@pytest.mark.parametrize(
    ("story", "commands", "ended"),
    [
        ("accepted", ["confirm"], []),
        ("accepted delivered", ["confirm"], ["delivered"]),
        ("delivered accepted delivered", ["confirm"], ["delivered"]),
        ("rejected", ["release"], ["failed"]),
        ("expired", ["release"], ["expired"]),
        ("accepted undelivered", ["confirm", "release"], ["failed"]),
        ("accepted unknown", ["confirm"], []),
        ("delivered redeemed redeemed", ["confirm", "redeem"], ["delivered"]),
        ("redeemed delivered accepted", ["redeem"], ["delivered"]),
        ("redeemed undelivered", ["redeem"], ["delivered"]),
        ("opened clicked", [], ["delivered"]),
    ],
)
def test_the_ledger_hears_once_what_became_of_a_coupon(story: str, commands: list[str], ended: list[str]) -> None:
    table, decision = offered()

    told = [table.hear(table.feedback(what, decision=decision), after=SECOND) for what in story.split()]

    assert [kind for said in told for kind in said.commands] == commands
    assert [state for said in told for state in said.ended] == ended


def test_an_offer_without_a_coupon_is_no_business_of_the_ledgers() -> None:
    table, decision = offered(category="fuel")

    said = table.hear(table.feedback("accepted", decision=decision), table.feedback("redeemed", decision=decision))

    assert (said.commands, said.ended) == ([], ["delivered"])


def test_every_offered_decision_ends_and_is_forgotten_a_month_later() -> None:
    table, decision = offered()

    early, late, never = (table.hear(after=wait) for wait in (HOUR, MINUTE, MINUTE))
    table.hear(after=30 * DAY)

    assert (early.ended, late.ended, never.ended) == ([], ["unknown"], [])
    assert table.store.get(b"c1", "d", bytes.fromhex(decision)) is None
    assert list(table.store.scan(b"", "t")) == []


def test_a_delivered_offer_teaches_a_negative_after_the_wait_and_a_late_reaction_corrects_it() -> None:
    table, decision = offered()

    delivered = table.hear(table.feedback("delivered", decision=decision))
    waited = table.hear(after=10 * MINUTE)
    reacted = table.hear(table.feedback("redeemed", decision=decision), after=SECOND)

    assert (delivered.labels, waited.labels, reacted.labels) == ([], [(False, False)], [(True, True)])


def test_an_offer_that_reached_nobody_teaches_nothing() -> None:
    table, decision = offered()

    said = [table.hear(table.feedback(what, decision=decision)) for what in ("accepted", "undelivered")]
    said.append(table.hear(after=2 * DAY))

    assert [label for one in said for label in one.labels] == []


def test_feedback_for_another_customers_decision_does_nothing() -> None:
    table, decision = offered()

    others = table.hear(table.feedback("redeemed", "c2", decision))
    shouted = table.hear(table.feedback("redeemed", decision=decision.upper()))
    spaced = table.hear(table.feedback("redeemed", decision=" " + decision))

    assert (others.outputs, shouted.outputs, spaced.outputs) == ([], [], [])


def test_a_tombstone_forgets_the_profile_and_keeps_what_the_customer_refused() -> None:
    table = Table()
    table.hear(table.profile(), table.feedback("opted_out", channel="sms"))

    said = table.hear(table.tombstone())

    assert [row["granted"] for row in said.permissions[0]["consent"]] == [False]
    assert table.hear(table.pays()).decision["reason"] == "no_consent"


def test_a_tombstone_forgets_what_came_before_it_and_not_what_comes_after_it() -> None:
    forgotten, known = Table(), Table()

    forgotten.hear(forgotten.profile(), forgotten.tombstone())
    known.hear(known.tombstone(), known.profile())

    assert forgotten.hear(forgotten.pays(category="fuel")).decision["state"] == "suppressed"
    assert known.hear(known.pays(category="fuel")).decision["state"] == "offered"


def test_a_sum_that_no_record_can_hold_does_not_stop_the_stage() -> None:
    table = Table()
    spent = {"amount": 10**15, "direction": "debit", "merchant_category": "yachts"}
    customer = table.customer("c1")
    customer.spending["yachts"] = Spending(9_223, 9_223 * 10**15)
    table.store.put(b"c1", "h", b"", pack(customer))

    table.hear(table.event(TRANSACTIONS, "transaction", "c1", spent))
    table.hear(table.event(TRANSACTIONS, "transaction", "c1", spent))

    assert table.customer("c1").spending["yachts"].minor == 2**63 - 1


def test_an_older_profile_does_not_take_the_place_of_a_newer_one() -> None:
    table = Table()
    table.hear(table.profile(granted=False))

    table.hear(table.profile(granted=True, ago=HOUR))

    assert table.hear(table.pays()).decision["reason"] == "no_consent"


def test_each_profile_and_each_refusal_is_a_permission_record() -> None:
    table = Table()

    given = table.hear(table.profile())
    refused = table.hear(table.feedback("opted_out", channel="push", purpose="marketing"), after=SECOND)

    assert [(row["customer"], len(row["consent"])) for row in (*given.permissions, *refused.permissions)] == [
        ("c1", 1),
        ("c1", 2),
    ]
