"""The estimate: the same matches as the engine event by event, and soon over millions of events."""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer, Standing
from kairos.events import AppUsage, Event, Profile
from kairos.instants import DAY, HOUR
from rules import firings, interpret
from rules.book import Book
from rules.columns import Columns
from rules.columns_made import columns_of
from rules.conditions.absent import Absent, SameAs
from rules.estimate import Firings, estimate
from rules.fields import CATEGORY
from rules.judged import Seen
from rules.lives import Forgotten, Happening, lived
from rules.schema import Rule, Status
from rules.trying import tried
from tests.rules_recount import held
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
    """Play the log event by event through the reference, with the rule's own limits and no gate."""
    asked = asked.model_copy(update={"status": Status.ACTIVE})
    life = {name: Life() for name in "abc"}
    ordered = sorted(log, key=lambda one: one.at)
    for event in ordered:
        one = life[event.customer]
        one.wait(asked, event.at - 1)
        interpret.observe([asked], event, one.record)
        one.end(asked, event)
        if interpret.holds(asked, Seen(event, one.record, partial(Standing, people.get(event.customer, Profile())))):
            if asked.absent is None:
                one.fire(asked, event.at)
            else:
                one.arm(asked, event)
    for one in life.values():
        one.wait(asked, ordered[-1].at if ordered else 0)
    return sorted((name, at) for name, one in life.items() for at in one.fired)


@dataclass
class Life:
    """A customer of the reference: what is waited for, by its values, and when the rule fired."""

    record: Customer = field(default_factory=Customer)
    waits: dict[tuple[Any, ...], tuple[int, int]] = field(default_factory=dict)
    fired: list[int] = field(default_factory=list)

    def fire(self, asked: Rule, at: int) -> None:
        limits = asked.limits
        if self.fired and at - self.fired[-1] < limits.cooldown:
            return
        if limits.per_customer is None or len(self.fired) < limits.per_customer:
            self.fired.append(at)
            if asked.consume:
                firings.fired(self.record, asked.id, at, at)

    def wait(self, asked: Rule, until: int) -> None:
        for values, (_, due) in sorted(self.waits.items(), key=lambda one: one[1][1]):
            if due <= until:
                del self.waits[values]
                self.fire(asked, due)

    def arm(self, asked: Rule, event: Event) -> None:
        assert asked.absent is not None
        values = self._values(asked.absent, event)
        if None not in values and (values not in self.waits or asked.absent.rearm == "restart"):
            known = self.waits.get(values)
            if known is None or known[0] < event.at:
                self.waits[values] = event.at, event.at + asked.absent.for_

    def end(self, asked: Rule, event: Event) -> None:
        if asked.absent is not None and any(one.selector.meets(event) for one in asked.absent.endings):
            values = self._values(asked.absent, event)
            if values in self.waits and self.waits[values][0] < event.at:
                del self.waits[values]

    def _values(self, absent: Absent, event: Event) -> tuple[Any, ...]:
        names = sorted(name for name, test in absent.where.items() if isinstance(test, SameAs))
        return tuple(event.category if name in CATEGORY.values() else getattr(event.data, name) for name in names)


@unhurried
@given(rules(0, consumes=False), people, logs)
def test_an_estimate_finds_exactly_what_a_replay_finds(
    said: dict[str, Any], people: dict[str, Profile], log: list[Event]
) -> None:
    asked = book_of(said).rules["rule-0"]
    stored = columns(*(profile_of(*one) for one in people.items()), *log)

    assert told(estimate(asked, stored), stored) == replayed(asked, people, log)


@unhurried
@given(rules(0), people, logs, st.none() | st.integers(1, 3))
def test_what_columns_cannot_tell_is_replayed_and_found_exactly(
    said: dict[str, Any], people: dict[str, Profile], log: list[Event], most: int | None
) -> None:
    limits = said["limits"] | ({} if most is None else {"per_customer": most})
    asked = book_of(said | {"limits": limits}).rules["rule-0"]
    ordered = [*(profile_of(*one) for one in people.items()), *sorted(log, key=lambda one: one.at)]

    found = tried(asked, columns(*ordered), lambda: ordered)

    assert sorted(found.fired) == replayed(asked, people, log)


@unhurried
@given(rules(0, consumes=False, waits=False), people, logs)
def test_lives_that_go_by_in_order_match_as_often_as_the_estimate(
    said: dict[str, Any], people: dict[str, Profile], log: list[Event]
) -> None:
    asked = book_of(said | {"status": "active", "limits": {}}).rules["rule-0"]
    book, ordered = Book.of((asked,)), sorted(log, key=lambda one: one.at)
    happenings = [*(profile_of(*one) for one in people.items()), *ordered]

    seen = [one for one in lived(book, happenings) if book.match(one.event, one.customer, one.standing)]

    stored = columns(*happenings)
    assert sorted((one.event.customer, one.event.at) for one in seen) == told(estimate(asked, stored), stored)


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
    usage = [AppUsage(app="a", app_class=name, seconds=90 - 3 * n) for n, name in enumerate(classes)]
    who, what = chance.integers(0, 50_000, number).tolist(), chance.zipf(1.6, number).clip(1, 26).tolist()
    at = np.sort(chance.integers(NOON, NOON + 30 * DAY, number)).tolist()
    log = [Event("", "app_usage", at[n], f"C{who[n]}", classes[what[n] - 1], usage[what[n] - 1]) for n in range(number)]
    people = (profile_of(f"C{n}", Profile(attrs={"age": n % 80}, tags=frozenset({f"t{n % 9}"}))) for n in range(50_000))
    stored = columns(*people, *log)
    asked = book_of(
        rule(
            on={"event": "app_usage", "where": {"app_class": ["class-0", "class-3"]}},
            who={"all": [{"attr": {"age": {"at_least": 22, "at_most": 55}}}, {"not": {"tag": "t3"}}]},
            when={"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 3}}]},
        )
    ).rules["r"]

    found = timed(asked, stored)

    recent: dict[int, list[int]] = {}
    matched = 0
    for n in range(number):
        if what[n] in (1, 4):
            times = recent.setdefault(who[n], [])
            times.append(at[n] // 1000)
            if len(times) >= 3 and times[-3] > times[-1] - 7 * 86_400:
                matched += 22 <= who[n] % 80 <= 55 and who[n] % 9 != 3
    assert found.matched == matched > 100_000
    much = {"sum": {"same_as": "on", "field": "seconds", "within": "7d", "at_least": 900}}
    mixed = {"distinct": {"same_as": "on", "field": "app_class", "within": "14d", "at_least": 6}}
    for when in (much, mixed):
        busy = book_of(rule(on={"event": "app_usage"}, when=when)).rules["r"]
        met = [one for one in told(timed(busy, stored), stored) if one[0].endswith("77")]
        assert met == by_hand(busy, [event for event in log if event.customer.endswith("77")]) != []


def timed(asked: Rule, stored: Columns) -> Firings:
    begun = time.perf_counter()
    found = estimate(asked, stored)
    took = time.perf_counter() - begun
    # Shown by pytest -s: how long an estimate takes belongs to the machine, not to the test.
    print(f"{found.matched:,} matches of {found.triggers:,} triggers in {took:.2f} s")
    return found


def by_hand(asked: Rule, log: list[Event]) -> list[tuple[str, int]]:
    """Go through all that happened to each customer, at each event."""
    lives: dict[str, list[Event]] = {}
    found = []
    for event in log:
        life = lives.setdefault(event.customer, [])
        life.append(event)
        if held(asked, asked.when, life):
            found.append((event.customer, event.at))
    return sorted(found)
