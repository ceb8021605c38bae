"""The estimate: the same matches as the engine event by event, and soon over millions of events."""

import time
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer, Standing
from kairos.events import AppUsage, Event, Profile
from kairos.instants import DAY, HOUR
from rules import interpret
from rules.book import Book
from rules.columns import Columns, columns_of
from rules.estimate import Firings, NotInColumns, estimate
from rules.judged import Seen
from rules.lives import Forgotten, Happening, lived
from rules.schema import Rule, Status
from tests.rules_strategies import NOON, book_of, events, rules, standings, unhurried
from tests.test_rules_match import food, rule


def of(event: Event, customer: str) -> Event:
    return Event(event.id, event.type, event.at, customer, event.category, event.data)


people = st.dictionaries(st.sampled_from(["a", "b", "c"]), standings.map(lambda found: found.profile), max_size=3)
logs = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), events), max_size=40).map(
    lambda told: [of(event, customer) for customer, event in told]
)


def profile_of(customer: str, profile: Profile, at: int = 0) -> Event:
    return Event("00" * 16, "customer", at, customer, None, profile)


def columns(*happenings: Happening) -> Columns:
    return Columns(columns_of(happenings))


def told(found: Firings, stored: Columns) -> list[tuple[str, int]]:
    return sorted(zip(stored.keys(found.customers.tolist()), found.at.tolist(), strict=True))


def replayed(asked: Rule, people: dict[str, Profile], log: list[Event]) -> list[tuple[str, int]]:
    """Play the log event by event through the reference, with the cooldown and no other gate."""
    asked = asked.model_copy(update={"status": Status.ACTIVE})
    customers = {name: Customer() for name in "abc"}
    decided: dict[str, int] = {}
    fired = []
    for event in sorted(log, key=lambda one: one.at):
        standing = partial(Standing, people.get(event.customer, Profile()))
        customer = customers[event.customer]
        interpret.observe([asked], event, customer)
        rested = event.at - decided.get(event.customer, -(10**15)) >= asked.limits.cooldown
        if interpret.holds(asked, Seen(event, customer, standing)) and rested:
            decided[event.customer] = event.at
            fired.append((event.customer, event.at))
    return sorted(fired)


@unhurried
@given(rules(0, only_counts=True), people, logs)
def test_an_estimate_finds_exactly_what_a_replay_finds(
    said: dict[str, Any], people: dict[str, Profile], log: list[Event]
) -> None:
    asked = book_of(said).rules["rule-0"]
    stored = columns(*(profile_of(*one) for one in people.items()), *log)

    assert told(estimate(asked, stored), stored) == replayed(asked, people, log)


@unhurried
@given(rules(0, only_counts=True), people, logs)
def test_lives_that_go_by_in_order_match_as_often_as_the_estimate(
    said: dict[str, Any], people: dict[str, Profile], log: list[Event]
) -> None:
    asked = book_of(said | {"status": "active", "limits": {}}).rules["rule-0"]
    book, ordered = Book.of((asked,)), sorted(log, key=lambda one: one.at)
    happenings = [*(profile_of(*one) for one in people.items()), *ordered]

    seen = [one for one in lived(book, happenings) if book.match(one.event, one.customer, one.standing)]

    stored = columns(*happenings)
    assert sorted((one.event.customer, one.event.at) for one in seen) == told(estimate(asked, stored), stored)


def test_what_comes_after_the_trigger_is_not_in_the_columns() -> None:
    absent = {"absent": {"event": "login", "for": "1h"}}

    with pytest.raises(NotInColumns, match="absent"):
        estimate(book_of(rule(when={"all": [absent]})).rules["r"], columns(food(NOON)))


def test_who_is_forgotten_and_comes_back_is_somebody_new() -> None:
    twice = book_of(rule(when={"all": [{"count": {"same_as": "on", "within": "1h", "at_least": 2}}]})).rules["r"]

    known = columns(food(NOON), food(NOON + 1000))
    forgotten = columns(food(NOON), Forgotten("c7"), food(NOON + 1000))

    assert (estimate(twice, known).matched, estimate(twice, forgotten).matched) == (1, 0)


def test_an_older_profile_that_comes_late_does_not_count() -> None:
    asked = book_of(rule(who={"all": [{"tag": "vip"}]})).rules["r"]
    newest = profile_of("c7", Profile(tags=frozenset({"vip"})), NOON)

    assert estimate(asked, columns(newest, profile_of("c7", Profile()), food(NOON))).matched == 1


def test_a_flag_is_no_number_in_the_columns_either() -> None:
    asked = book_of(rule(who={"all": [{"attr": {"cards": 1}}]})).rules["r"]
    flagged, counted = profile_of("c7", Profile(attrs={"cards": True})), profile_of("c8", Profile(attrs={"cards": 1}))

    found = columns(flagged, counted, food(NOON), of(food(NOON), "c8"))

    assert told(estimate(asked, found), found) == [("c8", NOON)]


def test_a_log_without_events_is_no_mistake() -> None:
    asked = book_of(rule(when={"all": [{"last_seen": {"event": "login", "at_least": "1d"}}]})).rules["r"]

    found = estimate(asked, columns())

    assert (found.triggers, found.matched, len(found.at)) == (0, 0, 0)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_hours_and_days_are_those_of_the_zone_over_a_whole_year(zone: str) -> None:
    where = {"at": {"time": ["23:30-01:15"], "days": "sun-mon", "zone": zone}}
    asked = book_of(rule(on={"event": "app_usage", "where": where})).rules["r"]
    log = [food(NOON + step * 7 * HOUR // 5) for step in range(6200)]

    matched = {event.at for event in log if asked.on.selector.meets(event)}

    assert matched
    assert set(estimate(asked, columns(*log)).at.tolist()) == matched


@pytest.mark.slow
def test_two_million_events_are_estimated_as_a_plain_loop_counts_them() -> None:
    number, chance = 2_000_000, np.random.default_rng(7)
    classes = [f"class-{n}" for n in range(26)]
    usage = [AppUsage(app="a", app_class=name) for name in classes]
    who, what = chance.integers(0, 50_000, number).tolist(), chance.zipf(1.6, number).clip(1, 26).tolist()
    at = np.sort(chance.integers(NOON, NOON + 30 * DAY, number)).tolist()
    log = (Event("", "app_usage", at[n], f"C{who[n]}", classes[what[n] - 1], usage[what[n] - 1]) for n in range(number))
    people = (profile_of(f"C{n}", Profile(attrs={"age": n % 80}, tags=frozenset({f"t{n % 9}"}))) for n in range(50_000))
    stored = columns(*people, *log)
    asked = book_of(
        rule(
            on={"event": "app_usage", "where": {"app_class": ["class-0", "class-3"]}},
            who={"all": [{"attr": {"age": {"at_least": 22, "at_most": 55}}}, {"not": {"tag": "t3"}}]},
            when={"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 3}}]},
        )
    ).rules["r"]

    begun = time.perf_counter()
    found = estimate(asked, stored)
    took = time.perf_counter() - begun

    # Shown by pytest -s: how long an estimate takes belongs to the machine, not to the test.
    print(f"{found.matched:,} matches of {found.triggers:,} triggers in {took:.2f} s")
    recent: dict[int, list[int]] = {}
    matched = 0
    for n in range(number):
        if what[n] in (1, 4):
            times = recent.setdefault(who[n], [])
            times.append(at[n] // 1000)
            if len(times) >= 3 and times[-3] > times[-1] - 7 * 86_400:
                matched += 22 <= who[n] % 80 <= 55 and who[n] % 9 != 3
    assert found.matched == matched > 100_000
