"""Absences in sentences of the business: who looked at a coupon and did not pay with it is reminded once."""

from typing import Any

import pytest

from kairos.ids import absence_id, decision_id, event_id
from kairos.instants import HOUR, MINUTE, SECOND
from rules.absences import MOST
from rules.book import Book
from streams.deadlines import NEVER, Deadlines
from streams.topics import APP_USAGE
from tests.absence_table import IDLE, LATE, Waiting, rule, text
from tests.customer_table import NOON

T = 30 * MINUTE


def test_nobody_paid_so_it_fires_when_the_time_is_over_and_not_before() -> None:
    table = Waiting()
    table.hear(table.looks())

    early, on_time, again = (table.fired(after=wait) for wait in (T + LATE - 1, 1, 1))

    assert (early, on_time, again) == ([], ["30"], [])


def test_the_decision_says_what_did_not_happen_after_what() -> None:
    table = Waiting()
    looked = table.looks(id_="look")
    table.hear(looked)

    decision = table.hear(after=T + LATE).decision

    name = absence_id("abandoned", event_id("/test", "look"))
    assert decision["id"] == decision_id("c1", name, table.versions.book.hash)
    assert decision["absence"] == {
        "event": name,
        "rule": "abandoned",
        "deadline": "2026-12-01T04:30:00Z",
        "rules": table.versions.book.hash,
    }
    event = decision["event"]
    assert (event["id"], event["type"], event["at"]) == (event_id("/test", "look"), "page_view", "2026-12-01T04:00:00Z")
    assert (event["topic"], event["offset"]) == (APP_USAGE, looked.offset)
    assert (decision["state"], decision["facts"]["event.category"]) == ("offered", "coupon")


@pytest.mark.parametrize(
    ("paid", "fires"),
    [(0, ["30"]), (1, []), (T, []), (T + 1, ["30"])],
    ids=["at the same instant", "just after", "at the deadline", "just after the deadline"],
)
def test_a_payment_in_the_time_after_the_look_cancels_it_and_no_other_does(paid: int, fires: list[str]) -> None:
    table = Waiting()
    table.hear(table.looks())
    table.now = NOON + T + 1

    told = table.fired(table.buys(ago=T + 1 - paid)) + table.rest()

    assert told == fires


def test_a_payment_that_arrives_late_but_before_the_deadline_fired_cancels() -> None:
    table = Waiting()
    table.hear(table.looks())

    told = table.later(T + LATE).fired(table.buys(ago=20 * MINUTE))

    assert told + table.rest() == []


def test_a_payment_that_arrives_after_the_firing_recalls_nothing() -> None:
    table = Waiting()
    table.hear(table.looks())
    fired = table.hear(after=T + LATE)

    late = table.hear(table.buys(ago=20 * MINUTE))

    assert fired.decision["state"] == "offered"
    assert (late.decisions, late.ended, late.commands) == ([], [], [])


def test_who_paid_before_the_look_was_told_of_is_not_reminded() -> None:
    table = Waiting()
    table.later(MINUTE).hear(table.buys())

    told = table.later(SECOND).fired(table.looks(ago=30 * SECOND))

    assert told + table.rest() == []


def test_another_coupon_another_customer_and_a_payment_without_a_coupon_cancel_nothing() -> None:
    table = Waiting()
    table.hear(table.profile("c2"), table.looks())

    table.later(MINUTE).hear(table.buys("c-2"), table.buys(key="c2"), table.buys(None))

    assert table.rest() == ["30"]


def test_a_look_that_names_no_coupon_arms_nothing() -> None:
    table = Waiting()

    table.hear(table.looks(None))

    assert table.rest() == []


@pytest.mark.parametrize(("rearm", "fires"), [("keep", ["30"]), ("restart", ["40"])])
def test_a_second_look_keeps_the_deadline_or_moves_it_as_the_rule_says(rearm: str, fires: list[str]) -> None:
    table = Waiting(rule(rearm=rearm))
    table.hear(table.looks())
    table.later(10 * MINUTE).hear(table.looks())

    assert table.rest() == fires
    assert Deadlines(table.store).first == NEVER


def test_a_look_after_the_deadline_waits_anew_though_nothing_has_fired_yet() -> None:
    table = Waiting()
    table.drained = frozenset()
    table.later(0).hear(table.looks())
    table.later(T + MINUTE).hear(table.looks())
    table.drained = Waiting().drained

    assert table.rest(2 * HOUR) == ["30", "61"]


def test_an_event_that_comes_twice_arms_once() -> None:
    table = Waiting()
    table.hear(table.looks(id_="1"), table.looks(id_="1"))
    table.later(MINUTE).hear(table.looks(id_="1"))

    assert table.rest(2 * HOUR) == ["30"]


def test_each_coupon_is_waited_for_by_itself() -> None:
    table = Waiting()
    table.hear(table.looks("c-1"), table.looks("c-2"))
    table.later(MINUTE).hear(table.buys("c-1"))

    assert table.rest() == ["30"]


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ({"consent": []}, "no_consent"),
        ({"do_not_contact": True}, "do_not_contact"),
        ({"personalisation": False}, "no_personalisation"),
    ],
)
def test_consent_is_asked_again_when_it_fires(profile: dict[str, Any], reason: str) -> None:
    table = Waiting()
    table.hear(table.looks())
    table.later(MINUTE).hear(table.profile(**profile))

    decision = table.hear(after=T).decision

    assert (decision["state"], decision["reason"]) == ("suppressed", reason)


def test_who_became_staff_in_the_meantime_is_no_longer_spoken_of() -> None:
    table = Waiting()
    table.hear(table.looks())
    table.later(MINUTE).hear(table.profile(tags=["staff"]))

    assert table.rest() == []


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (rule(status="paused"), "rule_paused"),
        (rule(until="2026-11-30"), "not_valid"),
        (rule(control="90%"), "control"),
        (rule(status="draft"), None),
        (Book.empty().content, None),
        (rule(when=""), None),
    ],
    ids=["paused", "no longer valid", "an experiment", "a draft", "gone", "no longer waiting"],
)
def test_the_rules_in_force_decide_when_it_fires_and_the_record_tells_which_began_to_wait(
    content: bytes, verdict: str | None
) -> None:
    table = Waiting()
    began = table.versions.book.hash
    table.hear(table.looks())
    table.put_in_force(content)

    told = table.hear(after=T + LATE).decisions

    if verdict is None:
        assert told == []
        return
    (decision,) = told
    assert decision["verdicts"][0]["verdict"] == verdict
    assert (decision["absence"]["rules"], decision["versions"]["rules"]) == (began, table.versions.book.hash)
    assert began != table.versions.book.hash


def test_freshness_counts_from_the_deadline() -> None:
    in_time, too_late = Waiting(), Waiting()
    for table in (in_time, too_late):
        table.hear(table.looks())

    decisions = [table.hear(after=T + wait).decision for table, wait in ((in_time, 599_000), (too_late, 601_000))]

    assert [(row["state"], row["reason"]) for row in decisions] == [("offered", None), ("suppressed", "stale")]


def test_after_a_night_without_the_engine_nobody_is_reminded_of_yesterday_and_each_is_counted() -> None:
    table = Waiting()
    table.hear(*[table.looks(f"c-{number}") for number in range(5)])

    told = table.hear(after=10 * HOUR)

    assert (told.offers, [row["reason"] for row in told.decisions]) == ([], ["stale"] * 5)


def test_a_look_that_comes_when_its_time_is_over_is_decided_at_once_and_stale_if_it_is_old() -> None:
    table = Waiting()
    table.now += 2 * HOUR
    table.hear()
    table.hear(after=IDLE)

    just, old = table.hear(table.looks("c-1", ago=T + 2 * MINUTE + LATE)), table.hear(table.looks("c-2", ago=HOUR))

    assert (just.decision["state"], old.decision["reason"]) == ("offered", "stale")


def test_more_than_so_many_are_not_waited_for_and_the_decision_says_so() -> None:
    table = Waiting()

    told = table.hear(*[table.looks(f"c-{number}") for number in range(MOST + 2)])

    assert [(row["reason"], row["absence"]["rule"]) for row in told.decisions] == [
        ("too_many_pending", "abandoned")
    ] * 2
    assert len(table.hear(after=T + LATE).decisions) == MOST


def test_a_customer_who_is_forgotten_is_not_waited_for() -> None:
    table = Waiting()
    table.hear(table.looks("c-1"), table.looks("c-2"))

    table.later(MINUTE).hear(table.tombstone())
    kept = [name for name, _ in table.state() if name[2:3] == b"e" or b"c1a" in name[:6]]

    assert kept == []
    assert table.rest() == []


def test_a_rule_that_waits_and_one_that_does_not_decide_one_event_each_by_itself() -> None:
    table = Waiting(rule(text(id="at-once", when="")))

    now, later = table.hear(table.looks()), table.hear(after=T + LATE)

    assert [v["rule"] for v in now.decision["verdicts"]] == ["at-once"]
    assert [v["rule"] for v in later.decision["verdicts"]] == ["abandoned"]
    assert now.decision["absence"] is None


def test_an_event_of_a_customer_who_waits_for_nothing_leaves_no_trace_of_it() -> None:
    table = Waiting()

    table.hear(table.uses(), table.pays(category="fuel"))

    assert (table.customer("c1").pending, table.customer("c1").met) == (b"", b"")
