"""The gates in their order, the arms, and who wins."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer, Standing
from kairos.decisions import Arm, Reason
from kairos.events import Consent, Event, Profile
from kairos.instants import DAY, HOUR, MINUTE, moment
from kairos.offers import Channel
from rules.arms import drawn
from rules.book import Book
from rules.candidates import Candidate
from rules.decide import convinced, gates, rank
from rules.limits import hold, in_cooldown, release
from rules.policy import Policy
from rules.schema import Rule, Status
from tests.rules_strategies import NOON, book_of, books, events, lives, standings, unhurried
from tests.test_rules_match import food, rule

EVERYTHING = Consent(purpose="*", channel="*", granted=True, at=datetime(2020, 1, 1, tzinfo=UTC))
WILLING = Profile(consent=(EVERYTHING,), personalisation=True)


def one(**changes: Any) -> Rule:
    (found,) = book_of(rule(**changes)).rules.values()
    return found


def arm(rule: Rule, customer: str) -> Arm:
    return drawn(rule, customer, Policy.default()).arm


def then(**changes: Any) -> dict[str, Any]:
    return {**rule()["then"], **changes}


def through(
    rule: Rule,
    profile: Profile = WILLING,
    customer: Customer | None = None,
    now: int = NOON,
    said: tuple[Consent, ...] = (),
) -> Candidate:
    event = food(NOON)
    (candidate,) = gates(event, customer or Customer(), Standing(profile, said), [rule], Policy.default(), now)
    return candidate


def word(*, granted: bool, channel: str, at: int = NOON) -> Consent:
    return Consent(purpose="*", channel=channel, granted=granted, at=moment(at))


def test_a_copy_of_a_rule_comes_to_the_gates_by_its_own_word() -> None:
    forms = [{"name": name, "share": "50%", "template": name} for name in ("b", "c")]
    found = one(experiment={"treatments": forms})
    asked = through(found)

    paused = through(found.model_copy(update={"status": Status.PAUSED}))

    assert asked.reason is None
    assert asked.treatment in ("b", "c")
    assert (paused.reason, paused.treatment) == (Reason.RULE_PAUSED, asked.treatment)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({"uplift": 0.3}, None),
        ({"uplift": 0.29}, Reason.SCORE_TOO_LOW),
        ({"uplift": None}, Reason.SCORE_TOO_LOW),
        ({}, Reason.SCORE_TOO_LOW),
    ],
)
def test_a_score_that_is_too_low_or_unknown_refuses(scores: dict[str, float | None], reason: Reason | None) -> None:
    asked = one(who={"all": [{"score": {"model": "uplift", "at_least": 0.3}}]})

    assert convinced(through(asked), scores).reason is reason


def test_a_willing_customer_at_noon_gets_the_first_channel() -> None:
    candidate = through(one(then=then(channels=["push", "sms"])))

    assert (candidate.channel, candidate.reason, candidate.is_open) == (Channel.PUSH, None, True)


@pytest.mark.parametrize(
    ("changes", "now", "reason"),
    [
        ({"valid": {"until": "2026-11-30"}}, NOON, Reason.NOT_VALID),
        ({"valid": {"from": "2026-12-02"}}, NOON, Reason.NOT_VALID),
        ({"valid": {"from": "2026-12-01", "until": "2026-12-01"}}, NOON, None),
        ({"status": "paused"}, NOON, Reason.RULE_PAUSED),
        ({}, NOON + 10 * MINUTE, None),
        ({}, NOON + 10 * MINUTE + 1, Reason.STALE),
        ({"fresh": "1d"}, NOON + 8 * HOUR, None),
        ({"fresh": "1d"}, NOON + 9 * HOUR, Reason.QUIET_HOURS),
        ({"fresh": "1d", "then": then(channels=["sms", "list"])}, NOON + 9 * HOUR, None),
    ],
)
def test_each_gate_of_the_rule_gives_its_reason(changes: dict[str, Any], now: int, reason: Reason | None) -> None:
    assert through(one(**changes), now=now).reason is reason


def test_unknown_consent_is_no() -> None:
    unknown = Profile(personalisation=True)
    other = Profile(personalisation=True, consent=(word(granted=True, channel="list"),))

    assert {through(one(), profile).reason for profile in (unknown, other)} == {Reason.NO_CONSENT}


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (Profile(), Reason.NO_CONSENT),
        (Profile(personalisation=True), Reason.NO_CONSENT),
        (Profile(consent=(EVERYTHING,)), Reason.NO_PERSONALISATION),
        (WILLING.model_copy(update={"do_not_contact": True}), Reason.DO_NOT_CONTACT),
        (Profile(consent=(word(granted=True, channel="push"),), personalisation=True), Reason.NO_CONSENT),
    ],
)
def test_each_gate_of_the_customer_gives_its_reason(profile: Profile, reason: Reason) -> None:
    assert through(one(), profile).reason is reason


def test_an_opt_out_closes_one_channel_and_the_next_one_is_taken() -> None:
    both = one(then=then(channels=["sms", "push"]))

    assert through(both, said=(word(granted=False, channel="sms"),)).channel is Channel.PUSH
    assert through(both, said=(word(granted=False, channel="*"),)).reason is Reason.NO_CONSENT


def test_the_earlier_gate_gives_the_reason_when_several_are_shut() -> None:
    shut = one(valid={"until": "2026-11-30"}, status="paused")

    assert through(shut, Profile(do_not_contact=True), now=NOON + DAY).reason is Reason.NOT_VALID


def test_the_reason_is_that_of_the_furthest_gate_a_channel_reached() -> None:
    both, customer = one(then=then(channels=["sms", "push"])), Customer()
    for number in range(3):
        hold(
            customer,
            Candidate(one(id=f"x{number}"), Arm.TREATMENT, Channel.SMS),
            NOON - number * HOUR,
            NOON - number * HOUR,
        )

    assert through(both, said=(word(granted=False, channel="push"),), customer=customer).reason is Reason.CONTACT_CAP
    assert through(both, customer=customer).channel is Channel.PUSH


def test_the_cooldown_begins_at_the_decision_and_ends_to_the_millisecond() -> None:
    resting, customer = one(limits={"cooldown": "14d"}), Customer()
    hold(customer, Candidate(resting, Arm.CONTROL, Channel.SMS), NOON, NOON)

    assert in_cooldown(customer, resting, NOON + 14 * DAY - 1)
    assert not in_cooldown(customer, resting, NOON + 14 * DAY)
    assert through(resting, customer=customer, now=NOON + MINUTE).reason is Reason.COOLDOWN


def test_a_decision_silences_the_other_rules_of_its_group_for_their_own_cooldown() -> None:
    short = one(id="short", limits={"cooldown": "1d", "group": "g"})
    long = one(id="long", limits={"cooldown": "3d", "group": "g"})
    other, customer = one(id="other", limits={"cooldown": "3d"}), Customer()
    hold(customer, Candidate(short, Arm.CONTROL, Channel.SMS), NOON, NOON)

    assert [in_cooldown(customer, rule, NOON + 2 * DAY) for rule in (short, long, other)] == [False, True, False]
    assert not in_cooldown(customer, long, NOON + 3 * DAY)
    release(customer, "short", Channel.SMS, "marketing", NOON)
    assert not in_cooldown(customer, long, NOON)


def test_a_decision_that_is_taken_back_leaves_the_earlier_ones_of_its_group() -> None:
    first, second = (one(id=name, limits={"cooldown": "3d", "group": "g"}) for name in ("first", "second"))
    customer = Customer()
    hold(customer, Candidate(first, Arm.TREATMENT, Channel.SMS), NOON, NOON)
    hold(customer, Candidate(second, Arm.TREATMENT, Channel.SMS), NOON + DAY, NOON + DAY)

    release(customer, "second", Channel.SMS, "marketing", NOON + DAY)

    assert in_cooldown(customer, second, NOON + 2 * DAY)


@pytest.mark.parametrize("arm_", list(Arm))
def test_a_rule_decides_for_one_customer_so_often_and_no_more_in_both_arms(arm_: Arm) -> None:
    thrice, customer = one(limits={"per_customer": 3}), Customer()
    for day in (400, 200, 0):
        assert through(thrice, customer=customer).reason is None
        hold(customer, Candidate(thrice, arm_, Channel.SMS), NOON - day * DAY, NOON - day * DAY)

    assert through(thrice, customer=customer).reason is Reason.CUSTOMER_LIMIT
    release(customer, "r", Channel.SMS, "marketing", NOON)
    assert through(thrice, customer=customer).reason is None


def test_what_was_never_sent_is_given_back() -> None:
    customer = Customer()
    hold(customer, Candidate(one(), Arm.TREATMENT, Channel.SMS), NOON, NOON)
    hold(customer, Candidate(one(id="later"), Arm.TREATMENT, Channel.SMS), NOON + HOUR, NOON + HOUR)

    release(customer, "r", Channel.SMS, "marketing", NOON)

    assert customer.decided == {"later": NOON + HOUR}
    assert len(customer.contacts["sms"]) == 4
    release(customer, "later", Channel.SMS, "marketing", NOON)
    assert customer.decided == {"later": NOON + HOUR}


def test_a_refused_candidate_holds_nothing() -> None:
    with pytest.raises(ValueError, match="has no channel"):
        hold(Customer(), Candidate(one(), Arm.TREATMENT, reason=Reason.STALE), NOON, NOON)


@unhurried
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 5)), max_size=20))
def test_holding_and_releasing_in_any_order_leaves_nothing(held: list[tuple[str, int]]) -> None:
    limits = {"per_customer": 2, "group": "g"}
    customer, rules = Customer(), {name: one(id=name, limits=limits, consume=True) for name in ("a", "b")}
    for name, hours in held:
        hold(customer, Candidate(rules[name], Arm.TREATMENT, Channel.SMS), NOON + hours * HOUR, NOON + hours * HOUR)
    for name, hours in reversed(held):
        release(customer, name, Channel.SMS, "marketing", NOON + hours * HOUR)

    assert customer == Customer()


@unhurried
@given(books, events, standings, st.integers(0, 2 * DAY))
def test_both_arms_come_through_the_gates_alike(book: Book, event: Event, standing: Standing, later: int) -> None:
    standing = replace(standing, said=(EVERYTHING,))
    for found in book.rules.values():
        arms = [
            gates(event, Customer(), standing, [found.model_copy(update={"experiment": control})], Policy.default(), at)
            for control in (one(experiment={"control": share}).experiment for share in ("0%", "90%"))
            for at in (event.at + later,)
        ]
        assert [(c.channel, c.reason) for c in arms[0]] == [(c.channel, c.reason) for c in arms[1]]


@unhurried
@given(books, lives, standings)
def test_every_candidate_ends_as_a_wish_or_with_a_reason(book: Book, life: list[Event], standing: Standing) -> None:
    standing, customer = replace(standing, said=(EVERYTHING,)), Customer()
    for event in life:
        book.observe(event, customer)
        matched = book.match(event, customer, lambda: standing)
        candidates = gates(event, customer, standing, matched, Policy.default(), event.at)
        ranking = rank(candidates, {"rule-0": 0.2, "rule-1": 0.9})

        assert [c.rule.id for c in candidates] == sorted(r.id for r in matched)
        assert all((c.channel is None) == (c.reason is not None) for c in candidates)
        assert sorted(c.rule.id for c in (*ranking.wishes, *ranking.refused)) == [c.rule.id for c in candidates]
        assert all(c.is_open for c in ranking.wishes)
        assert all(c.reason for c in ranking.refused)
        assert len({c.rule.programme for c in ranking.wishes}) <= 1
        assert bool(ranking.wishes) == any(c.is_open for c in candidates)
        for wish in ranking.wishes:
            hold(customer, wish, event.at, event.at)


def test_the_best_score_brings_its_programme_and_the_others_are_outranked() -> None:
    candidates = [
        Candidate(one(id=id_, programme=programme), Arm.TREATMENT, Channel.SMS)
        for id_, programme in (("a", "one"), ("b", "two"), ("c", "two"), ("d", "two"))
    ]

    ranking = rank(candidates, {"a": 0.5, "b": 0.1, "c": 0.7, "d": 0.1})

    assert [c.rule.id for c in ranking.wishes] == ["c", "b", "d"]
    assert [(c.rule.id, c.reason) for c in ranking.refused] == [("a", Reason.OUTRANKED)]


def test_the_share_of_the_control_group_is_the_one_that_was_asked_for() -> None:
    split = one(experiment={"control": "20%"})

    found = sum(arm(split, f"c{number}") is Arm.CONTROL for number in range(5000))

    assert 900 < found < 1100


@unhurried
@given(st.text(max_size=8))
def test_a_growing_control_group_keeps_its_customers_and_programmes_split_on_their_own(customer: str) -> None:
    small, large = (one(experiment={"control": share}) for share in ("10%", "30%"))

    assert arm(small, customer) is Arm.TREATMENT or arm(large, customer) is Arm.CONTROL
    assert arm(one(), customer) is Arm.TREATMENT
    assert one(experiment={"control": "10%"}).salt == "p"
    assert one(experiment={"control": "10%", "salt": "s"}).salt == "s"


def test_an_event_may_come_a_little_from_the_future() -> None:
    event = food(NOON + MINUTE)
    assert gates(event, Customer(), Standing(WILLING), [one()], Policy.default(), NOON)[0].is_open
