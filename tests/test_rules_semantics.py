"""What the rules mean, point by point, where it is not told by the test of one part.

`docs/semantics.md` names for each of the 18 points the tests that hold it; that they exist is tested here, too.
"""

import ast
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kairos.customer import Customer, Standing
from kairos.decisions import Arm, Reason
from kairos.events import AppUsage, Event, Profile
from kairos.ids import decision_id, event_id
from kairos.instants import DAY, HOUR, MINUTE, SECOND, from_rfc3339
from kairos.offers import Channel
from rules.book import load
from rules.candidates import Candidate
from rules.decide import convinced
from rules.firings import last_fired
from rules.limits import hold, in_cooldown
from rules.lives import lived
from rules.places import distance
from streams.topics import APP_USAGE
from tests.absence_table import ABSENT, Waiting
from tests.absence_table import rule as waiting
from tests.customer_table import NOON as TABLE_NOON
from tests.customer_table import Table
from tests.rules_strategies import NOON, book_of, event_of, written
from tests.test_rules_decide import EVERYTHING, WILLING, arm, one, through
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


def test_seven_days_are_168_hours_and_calendar_days_are_those_of_the_zone_when_the_clocks_change() -> None:
    # In Berlin the 25th of October 2026 has 25 hours.
    noon, next_noon = from_rfc3339("2026-10-24T12:00:00+02:00"), from_rfc3339("2026-10-25T12:00:00+01:00")
    hours = book_of(rule(when={"count": {"same_as": "on", "within": "1d", "at_least": 2}}))
    days = book_of(rule(when={"count": {"same_as": "on", "days": 2, "zone": "Europe/Berlin", "at_least": 2}}))

    assert live(hours, [food(noon), food(next_noon)]) == [False, False]
    assert live(hours, [food(noon + HOUR + SECOND), food(next_noon)]) == [False, True]
    assert live(days, [food(noon - 12 * HOUR), food(next_noon)]) == [False, True]
    assert live(days, [food(noon - 12 * HOUR - SECOND), food(next_noon)]) == [False, False]


def test_what_comes_late_makes_nothing_fire_in_the_past_and_counts_for_what_comes_after_it() -> None:
    book = book_of(rule(when={"count": {"same_as": "on", "within": "1h", "at_least": 2}}))

    assert live(book, [food(NOON), food(NOON - MINUTE), food(NOON + SECOND)]) == [False, False, True]


def test_the_same_events_told_again_after_a_crash_make_decisions_of_the_same_names() -> None:
    first, again = Table(), Table()

    decisions = [table.hear(table.profile(), table.pays(id_="1", category="fuel")).decision for table in (first, again)]

    assert decisions[0] == decisions[1]
    assert decisions[0]["id"] == decision_id("c1", event_id("/test", "1"), first.versions.book.hash)


def test_a_wait_begins_only_where_who_and_the_other_conditions_hold() -> None:
    twice = "{count: {same_as: on, within: 1h, at_least: 2}}, " + ABSENT % "keep"
    staff, table = Waiting(waiting()), Waiting(waiting(when=twice))
    staff.hear(staff.profile(tags=["staff"]))

    staff.hear(staff.looks())
    staff.later(MINUTE).hear(staff.profile())
    table.hear(table.looks("c-1"))
    table.later(MINUTE).hear(table.looks("c-2"))

    assert (staff.rest(), table.rest()) == ([], ["31"])


def test_the_gates_are_asked_in_one_order() -> None:
    # Everything is in the way; line by line, what is in the way first is taken away.
    nobody, silent, closed = Profile(do_not_contact=True), Profile(), Profile(consent=(EVERYTHING,))
    night, noon = NOON + 10 * HOUR, NOON + DAY
    opened: list[tuple[dict[str, Any], Profile, int, Reason]] = [
        ({"valid": {"until": "2026-11-30"}, "status": "paused"}, nobody, night, Reason.NOT_VALID),
        ({"valid": {}}, nobody, night, Reason.RULE_PAUSED),
        ({"status": "active"}, nobody, night, Reason.STALE),
        ({"fresh": "2d"}, nobody, night, Reason.DO_NOT_CONTACT),
        ({}, silent, night, Reason.NO_CONSENT),
        ({}, closed, night, Reason.NO_PERSONALISATION),
        ({}, WILLING, night, Reason.QUIET_HOURS),
        ({}, WILLING, noon, Reason.COOLDOWN),
        ({"limits": {"per_customer": 1}}, WILLING, noon, Reason.CUSTOMER_LIMIT),
        ({"limits": {}}, WILLING, noon, Reason.CONTACT_CAP),
    ]
    asks: dict[str, Any] = {"who": {"score": {"model": "m", "at_least": 0.5}}, "limits": {"cooldown": "9d"}}
    customer = Customer()
    for _ in range(3):
        hold(customer, Candidate(one(limits={"per_customer": 1}), Arm.TREATMENT, Channel.SMS), NOON, NOON)

    for change, profile, now, expected in opened:
        asks |= change
        assert through(one(**asks), profile, customer, now).reason is expected

    assert convinced(through(one(**asks), now=noon), {}).reason is Reason.SCORE_TOO_LOW
    assert convinced(through(one(**asks), now=noon), {"m": 0.5}).is_open


def test_one_of_several_rules_wins_an_event_and_of_equal_ones_the_first_by_its_id() -> None:
    table = Table()

    _, written_ = table.ask(table.profile(), table.pays())

    assert [offer["rule"] for offer in written_.offers] == ["cafe"]


def test_no_rule_is_triggered_by_what_another_one_did() -> None:
    for event in ("decision", "offer", "feedback"):
        (problem,) = load({"a.yaml": written(rule(on={"event": event}))}).problems

        assert problem.what.startswith(f"'{event}' is not known here; it is one of: app_usage, login")


def test_a_value_of_the_wrong_kind_is_refused_at_the_door_and_seen_by_no_rule() -> None:
    book = book_of(rule(when={"count": {"same_as": "on", "within": "1h", "at_least": 1}}))
    table = Table(Table().versions.having("rules", book.content))

    said = table.hear(table.event(APP_USAGE, "app_usage", "c1", {"app": "a", "seconds": "long"}))

    assert (len(said.dead), said.decisions) == (1, [])
    assert table.store.get(b"c1", "h") is None


def test_tags_and_attributes_are_those_of_the_moment_also_when_a_log_is_replayed() -> None:
    book = book_of(rule(who={"all": [{"tag": "vip"}]}))
    profile = partial(Event, "00" * 16, "customer", customer="c7", category=None)
    told = [food(NOON), profile(at=NOON, data=Profile(tags=frozenset({"vip"}))), food(NOON + SECOND)]
    told += [profile(at=NOON + SECOND, data=Profile()), food(NOON + MINUTE)]

    assert [bool(book.match(one.event, one.customer, one.standing)) for one in lived(book, told)] == [
        False,
        True,
        False,
    ]
    assert live(book, [food(NOON)], Standing(Profile(tags=frozenset({"vip"})))) == [True]


def test_a_rule_keeps_its_id_and_a_changed_one_is_another_book() -> None:
    before, after, again = (book_of(rule(limits={"cooldown": rest})) for rest in ("1d", "2d", "1d"))

    assert before.rules.keys() == after.rules.keys()
    assert before.hash == again.hash != after.hash


PAGE = Path(__file__).parent.parent / "docs" / "semantics.md"


def test_every_point_names_tests_that_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    points = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    named = [(point.split(".")[0], re.findall(r"`(test_\w+)::(test_\w+)`", point)) for point in points]

    assert [number for number, _ in named] == [str(number) for number in range(1, 19)]
    assert [number for number, tests in named if not tests] == []
    assert [
        f"{module}::{test}" for _, tests in named for module, test in tests if test not in functions_of(module)
    ] == []


def functions_of(module: str) -> set[str]:
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
