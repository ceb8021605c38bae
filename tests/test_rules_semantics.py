"""What the rules mean, point by point, where it is not told by the test of one part.

Elsewhere: windows and what is missing (`test_rules_match`), sequences and `consume` (`test_rules_past`), activation
(`test_memories`), cooldowns and gates (`test_rules_decide`), hours (`test_rules_words`), duplicates and profiles
(`test_customers`), names that are contents (`test_rules_book`), what does not happen (`test_rules_absent`).
"""

from typing import Any

import pytest

from kairos.customer import Customer
from kairos.decisions import Arm, Reason
from kairos.events import AppUsage
from kairos.instants import DAY, HOUR, MINUTE, SECOND
from kairos.offers import Channel
from rules.candidates import Candidate
from rules.decide import arm
from rules.firings import last_fired
from rules.limits import hold, in_cooldown
from rules.places import distance
from tests.customer_table import NOON as TABLE_NOON
from tests.customer_table import Table
from tests.rules_strategies import NOON, book_of, event_of
from tests.test_rules_decide import one, through
from tests.test_rules_match import NOBODY, food, live, rule
from tests.test_rules_past import login


def test_conditions_run_in_event_time_and_limits_in_processing_time() -> None:
    book = book_of(rule(when={"count": {"same_as": "on", "within": "1h", "at_least": 2}}))
    resting, customer = one(limits={"cooldown": "1h"}), Customer()
    hold(customer, Candidate(resting, Arm.TREATMENT, Channel.SMS), NOON + DAY, NOON)

    assert live(book, [food(NOON), food(NOON + MINUTE)]) == [False, True]
    assert in_cooldown(customer, resting, NOON + DAY + MINUTE)


def test_a_late_event_is_remembered_and_makes_no_offer_when_it_is_no_longer_fresh() -> None:
    book, customer = book_of(rule(when={"count": {"same_as": "on", "within": "1d", "at_least": 2}})), Customer()
    for event in (food(NOON), food(NOON - HOUR)):
        book.observe(event, customer)

    assert through(one(fresh="10m"), now=NOON + 10 * MINUTE).reason is None
    assert through(one(fresh="10m"), now=NOON + 10 * MINUTE + 1).reason is Reason.STALE
    assert book.match(food(NOON), customer, lambda: NOBODY)


def test_an_event_too_far_ahead_is_a_dead_letter_and_leaves_no_trace() -> None:
    table = Table()

    said = table.hear(table.pays(ago=-6 * MINUTE))

    assert (len(said.dead), said.decisions) == (1, [])
    assert table.store.get(b"c1", "h") is None


@pytest.mark.parametrize("found", list(Arm))
def test_after_a_match_the_rule_rests_and_what_was_counted_stays_unless_it_consumes(found: Arm) -> None:
    for consume, expected in ((False, -1), (True, NOON // SECOND)):
        resting, customer = one(consume=consume, limits={"cooldown": "1d"}), Customer()
        hold(customer, Candidate(resting, found, Channel.SMS), NOON + HOUR, NOON)

        assert in_cooldown(customer, resting, NOON + 2 * HOUR)
        assert last_fired(customer, "r") == expected


def test_cooldowns_outlive_a_change_of_the_rule() -> None:
    before, after, customer = one(limits={"cooldown": "1d"}), one(name="new", limits={"cooldown": "2d"}), Customer()
    hold(customer, Candidate(before, Arm.CONTROL, Channel.SMS), NOON, NOON)

    assert in_cooldown(customer, after, NOON + 2 * DAY - 1)
    assert not in_cooldown(customer, after, NOON + 2 * DAY)


def test_the_arm_depends_on_the_salt_and_the_customer_and_not_on_the_version() -> None:
    control: dict[str, Any] = {"experiment": {"control": "50%", "salt": "winter"}}
    before, after = one(**control), one(**control, name="new", limits={"cooldown": "2d"})
    people = [f"c{number}" for number in range(200)]

    assert [arm(before, who) for who in people] == [arm(after, who) for who in people]
    assert {arm(before, who) for who in people} == set(Arm)


def test_a_decision_names_the_versions_it_was_made_by() -> None:
    table = Table()

    decision = table.hear(table.profile(), table.pays(category="fuel")).decision

    assert decision["versions"]["rules"] == table.versions.book.hash
    assert table.now == TABLE_NOON


def test_distances_are_those_of_great_circles_and_hours_are_half_open() -> None:
    assert round(distance(31.2304, 121.4737, 39.9042, 116.4074) / 1000) == 1067
    night = book_of(rule(on={"event": "app_usage", "where": {"at": {"time": "21:00-08:00"}}}))
    nine, eight = NOON + 9 * HOUR, NOON + 20 * HOUR
    uses = [event_of(AppUsage(app="a"), at) for at in (nine - SECOND, nine, eight - SECOND, eight)]
    assert live(night, uses) == [False, True, True, False]


def test_events_in_one_second_are_no_past_of_each_other() -> None:
    book = book_of(rule(when={"last_seen": {"event": "login", "within": "1d"}}))

    assert live(book, [login(NOON), food(NOON + 999), food(NOON + SECOND)]) == [False, False, True]
