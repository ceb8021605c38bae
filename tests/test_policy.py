"""The contact policy: hours, calendars, caps and what a purpose may pass."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kairos.customer import Customer, Standing
from kairos.decisions import Arm, Reason
from kairos.events import Consent, Profile
from kairos.instants import DAY, Millis, from_rfc3339
from kairos.offers import Channel
from rules.candidates import Candidate
from rules.decide import gates
from rules.hours import Use, closed, opens
from rules.limits import hold
from rules.policy import Policy, load_policy
from rules.schema import Rule
from rules.sending import held_back
from rules.stops import NOTHING
from tests.connector_contract import an_offer
from tests.rules_strategies import NOON, book_of
from tests.test_rules_match import food, rule

YES = Consent(purpose="*", channel="*", granted=True, at=datetime(2020, 1, 1, tzinfo=UTC))
SMS, PUSH = Channel.SMS, Channel.PUSH


def policy(text: str) -> Policy:
    loaded = load_policy(f"format: 1\nzone: Asia/Shanghai\n{text}")
    assert isinstance(loaded, Policy), loaded
    return loaded


def one(**changes: Any) -> Rule:
    (found,) = book_of(rule(fresh="400d", **changes)).rules.values()
    return found


def then(**changes: Any) -> dict[str, Any]:
    return {**rule()["then"], **changes}


def asked(rule: Rule, policy: Policy, customer: Customer, now: Millis = NOON, **attrs: Any) -> Candidate:
    standing = Standing(Profile(consent=(YES,), personalisation=True, attrs=attrs))
    (candidate,) = gates(food(NOON), customer, standing, [rule], policy, now)
    return candidate


def test_hours_are_half_open_and_may_cross_midnight() -> None:
    night = policy('hours: {sms: "21:00-08:00", push: "08:00-21:00"}')
    clock = {
        time: from_rfc3339(f"2026-12-01T{time}+08:00") for time in ("07:59:59", "08:00:00", "20:59:59", "21:00:00")
    }

    assert [not closed(night, Use(SMS), at) for at in clock.values()] == [True, False, False, True]
    assert [not closed(night, Use(PUSH), at) for at in clock.values()] == [False, True, True, False]


def test_a_channel_that_the_policy_forgets_is_not_open() -> None:
    found = policy('hours: {sms: "00:00-24:00"}\ncaps: {sms: {within: 1d, at_most: 64}}')

    assert found.hours[PUSH] == Policy.default().hours[PUSH]
    assert found.caps[PUSH] == Policy.default().caps[PUSH]


def test_a_published_policy_is_the_same_policy() -> None:
    found = policy("caps: {sms: {within: 30d, at_most: 1}}")

    assert Policy.of_content(found.content) == found
    assert Policy.of_content(found.content).hash == found.hash != Policy.default().hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hours: {sms: 8-21}", "expected hours such as \"08:00-21:00\", got '8-21'"),
        ("hours: {smss: 08:00-21:00}", "'smss' is not known here; did you mean 'sms'?"),
        ("hours: {sms: 08:00-08:00}", '08:00-08:00 is no time at all; the whole day is "00:00-24:00"'),
        ("caps: {sms: {within: 7d}}", "the key 'at_most' is missing"),
        ("caps: {sms: {within: 7d, at_most: 100}}", "should be less than or equal to 64"),
        ("cap: {}", "unknown key 'cap'; did you mean 'caps'?"),
    ],
)
def test_a_slip_in_the_policy_is_told(text: str, expected: str) -> None:
    problems = load_policy(f"format: 1\nzone: UTC\n{text}")

    assert isinstance(problems, tuple)
    assert [problem.what for problem in problems] == [expected]
    assert problems[0].line == 3


class TestCalendar:
    YEAR = policy(
        """
classes: {loans: {products: [cash-loan], hours: {sms: "09:00-18:00"}}}
calendar:
  - {name: 春节, from: 2027-02-05, until: 2027-02-11}
  - {name: 清明, on: 2027-04-05, channels: sms}
  - {name: 系统升级, from: "2027-01-09T22:00:00+08:00", until: "2027-01-10T06:00:00+08:00"}
  - {name: 高考, from: 2027-06-07, until: 2027-06-08, classes: [loans]}
"""
    )

    @pytest.mark.parametrize(
        ("at", "use", "reasons"),
        [
            ("2027-02-04T20:59:59", Use(SMS), []),
            ("2027-02-05T12:00:00", Use(SMS), ["blackout"]),
            ("2027-02-05T00:00:00", Use(PUSH), ["blackout", "quiet_hours"]),
            ("2027-02-11T20:00:00", Use(PUSH), ["blackout"]),
            ("2027-02-12T08:00:00", Use(PUSH), []),
            ("2027-04-05T12:00:00", Use(SMS), ["blackout"]),
            ("2027-04-05T12:00:00", Use(PUSH), []),
            ("2027-04-06T08:00:00", Use(SMS), []),
            ("2027-01-09T22:00:00", Use(Channel.LIST), ["blackout"]),
            ("2027-01-10T06:00:00", Use(Channel.LIST), []),
            ("2027-06-08T12:00:00", Use(SMS, "cash-loan"), ["blackout"]),
            ("2027-06-08T12:00:00", Use(SMS, "fund"), []),
        ],
    )
    def test_what_is_closed_is_closed_from_its_first_second_to_its_last(
        self, at: str, use: Use, reasons: list[str]
    ) -> None:
        assert list(closed(self.YEAR, use, from_rfc3339(f"{at}+08:00"))) == reasons

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("calendar: [{name: x}]", "say on: 2027-01-01 for one day, or from: and until: for several"),
            ("calendar: [{name: x, on: 2027-02-30}]", "expected a day such as 2026-12-01, got '2027-02-30'"),
            ("calendar: [{name: x, from: 2027-02-05, until: 2027-02-01}]", "until must not be before from"),
            ("calendar: [{name: x, on: 2027-02-05, classes: [loan]}]", "there is no class 'loan'"),
            ("calendar: [{name: x, on: 2027-02-05, chanels: sms}]", "unknown key 'chanels'; did you mean 'channels'?"),
            ("ignored: {after: 3, within: 30d, rest: 30d}", "a message is waited for 29d at most"),
            ("purposes: {service: {bypass: [hours]}}", "bypass and because stand together"),
            (
                "purposes: {service: {bypass: [consent], because: x}}",
                "'consent' is not known here; it is one of: calend",
            ),
        ],
    )
    def test_a_slip_is_told(self, text: str, expected: str) -> None:
        problems = load_policy(f"format: 1\nzone: UTC\n{text}")

        assert isinstance(problems, tuple)
        assert [problem.what[: len(expected)] for problem in problems] == [expected]

    def test_a_class_of_products_narrows_the_hours_of_its_channel(self) -> None:
        early = from_rfc3339("2026-12-01T08:30:00+08:00")

        assert closed(self.YEAR, Use(SMS, "cash-loan"), early) == (Reason.QUIET_HOURS,)
        assert closed(self.YEAR, Use(PUSH, "cash-loan"), early) == closed(self.YEAR, Use(SMS, "fund"), early) == ()

    def test_the_next_opening_is_behind_all_that_closes(self) -> None:
        eve = from_rfc3339("2027-02-04T21:00:00+08:00")

        assert opens(self.YEAR, Use(SMS), eve, eve + 9 * DAY) == from_rfc3339("2027-02-12T08:00:00+08:00")
        assert opens(self.YEAR, Use(SMS, "cash-loan"), eve, eve + 9 * DAY) == from_rfc3339("2027-02-12T09:00:00+08:00")
        assert opens(self.YEAR, Use(SMS), eve, eve + 7 * DAY) is None

    def test_hours_that_never_meet_never_open(self) -> None:
        never = policy('hours: {sms: "08:00-10:00"}\nclasses: {x: {products: [p], hours: {sms: "20:00-21:00"}}}')

        assert opens(never, Use(SMS, "p"), NOON, NOON + 400 * DAY) is None

    def test_where_clocks_are_changed_it_opens_by_the_clock_on_the_wall(self) -> None:
        berlin = load_policy("format: 1\nzone: Europe/Berlin")
        assert isinstance(berlin, Policy)
        night = from_rfc3339("2027-03-27T22:00:00+01:00")

        assert opens(berlin, Use(SMS), night, night + DAY) == from_rfc3339("2027-03-28T08:00:00+02:00")


class TestZones:
    ABROAD = policy('customer_zone: home\nhours: {sms: "00:00-24:00", push: "07:00-22:00"}')
    EVENING = from_rfc3339("2026-12-01T22:30:00+08:00")

    def test_hours_are_those_of_the_customers_own_zone(self) -> None:
        found = asked(one(then=then(channels=["push"])), self.ABROAD, Customer(), self.EVENING, home="Europe/Berlin")

        assert found.channel is PUSH

    @pytest.mark.parametrize("home", ["Mars/Olympus", "", 8, None])
    def test_an_unknown_zone_of_a_customer_is_the_banks_zone_without_night_sends(self, home: object) -> None:
        attrs = {} if home is None else {"home": home}

        assert asked(one(), self.ABROAD, Customer(), self.EVENING, **attrs).reason is Reason.QUIET_HOURS
        assert asked(one(), self.ABROAD, Customer(), NOON, **attrs).channel is SMS
        assert held_back(self.ABROAD, NOTHING, an_offer(channel=SMS), self.EVENING) is Reason.QUIET_HOURS

    def test_at_the_moment_of_sending_the_zone_is_the_one_that_was_known(self) -> None:
        offer = an_offer(channel=PUSH).model_copy(update={"zone": "Europe/Berlin"})

        assert held_back(self.ABROAD, NOTHING, offer, self.EVENING) is None
        assert held_back(policy(""), NOTHING, offer, self.EVENING) is Reason.QUIET_HOURS


class TestPassing:
    OWED = policy(
        """
caps: {sms: {within: 7d, at_most: 1}}
gap: 1h
purposes:
  service: {bypass: [hours, calendar, caps, gap, ignored], because: 合同约定的通知}
calendar: [{name: x, on: 2026-12-01}]
"""
    )
    NIGHT = from_rfc3339("2026-12-01T23:00:00+08:00")

    def test_a_purpose_passes_what_it_may_and_the_candidate_says_which_gates_it_passed(self) -> None:
        customer = Customer()
        hold(customer, Candidate(one(), Arm.TREATMENT, SMS), self.NIGHT, self.NIGHT)

        found = asked(one(purpose="service"), self.OWED, customer, self.NIGHT)

        assert found.channel is SMS
        assert found.passed == (Reason.BLACKOUT, Reason.QUIET_HOURS, Reason.GAP, Reason.CONTACT_CAP)
        assert asked(one(), self.OWED, customer, self.NIGHT).reason is Reason.BLACKOUT

    def test_nothing_is_said_to_be_passed_that_was_open(self) -> None:
        assert asked(one(purpose="service"), self.OWED, Customer(), NOON + DAY).passed == ()

    def test_consent_and_a_customer_who_is_not_to_be_contacted_are_never_passed(self) -> None:
        for profile, reason in (
            (Profile(personalisation=True), Reason.NO_CONSENT),
            (Profile(consent=(YES,), personalisation=True, do_not_contact=True), Reason.DO_NOT_CONTACT),
            (Profile(consent=(YES,)), Reason.NO_PERSONALISATION),
        ):
            (found,) = gates(food(NOON), Customer(), Standing(profile), [one(purpose="service")], self.OWED, NOON)
            assert found.reason is reason

    def test_at_the_moment_of_sending_it_passes_the_hours_again(self) -> None:
        assert held_back(self.OWED, NOTHING, an_offer().model_copy(update={"purpose": "service"}), self.NIGHT) is None
        assert held_back(self.OWED, NOTHING, an_offer(), self.NIGHT) is Reason.BLACKOUT
