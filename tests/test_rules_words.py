"""The words of the language: times of day, places, existence, joined conditions, named selectors and segments."""

import json
from typing import Any

import pytest

from kairos.customer import Customer, Standing
from kairos.events import AppUsage, Login, Profile
from kairos.instants import DAY, HOUR, MINUTE, SECOND
from rules.book import load
from tests.rules_strategies import NOON, Since, book_of, event_of, written
from tests.test_rules_match import food, live, rule


def usage(where: dict[str, Any]) -> dict[str, Any]:
    return rule(on={"event": "app_usage", "where": where})


@pytest.mark.parametrize(
    ("clock", "fits"),
    [
        ({"time": "12:00-12:01"}, True),
        ({"time": "11:00-12:00"}, False),
        ({"time": "21:00-08:00"}, False),
        ({"time": "11:59-02:00"}, True),
        ({"time": ["06:00-07:00", "11:30-12:30"]}, True),
        ({"days": "mon-fri"}, True),
        ({"days": ["sat", "sun"]}, False),
        ({"days": "sat-tue", "time": "12:00-12:01"}, True),
        ({"time": "04:00-04:01", "zone": "UTC"}, True),
        # Noon of a Tuesday is Tuesday's also within hours that began on Monday.
        ({"time": "14:00-13:00", "days": "tue"}, True),
        ({"time": "14:00-13:00", "days": "mon"}, False),
    ],
)
def test_hours_are_half_open_may_cross_midnight_and_are_meant_in_their_zone(clock: dict[str, Any], fits: bool) -> None:
    # The first of December 2026 is a Tuesday; noon is meant in Shanghai.
    assert live(book_of(usage({"at": clock})), [food(NOON)]) == [fits]


def test_near_is_within_the_radius_and_an_event_without_a_place_is_near_to_nothing() -> None:
    book = book_of(usage({"near": {"lat": 31.2304, "lon": 121.4737, "radius": "3km"}}))
    bund = event_of(AppUsage(app="a", lat=31.2397, lon=121.4998), NOON)
    airport = event_of(AppUsage(app="a", lat=31.1443, lon=121.8083), NOON)
    half = event_of(AppUsage(app="a", lat=31.2304), NOON)

    assert live(book, [bund, airport, half, food(NOON)]) == [True, False, False, False]


def test_only_exists_asks_for_what_is_missing() -> None:
    for there in (True, False):
        assert live(book_of(usage({"seconds": {"exists": there}})), [food(NOON), food(NOON, 5)]) == [not there, there]


def test_what_is_unknown_speaks_neither_for_a_joined_condition_nor_against_it() -> None:
    young, vip = {"attr": {"age": {"below": 30}}}, {"tag": "vip"}
    unknown, known = Standing(Profile()), Standing(Profile(attrs={"age": 40}, tags=frozenset({"vip"})))

    def fires(who: dict[str, Any], standing: Standing) -> bool:
        return live(book_of(rule(who=who)), [food(NOON)], standing) == [True]

    assert not fires(young, unknown)
    assert not fires({"not": young}, unknown)
    assert not fires({"not": {"all": [young, {"not": vip}]}}, unknown)
    assert fires({"not": {"all": [young, vip]}}, unknown)
    assert fires({"any": [young, vip]}, known)
    assert fires({"not": {"any": [young, {"not": vip}]}}, known)
    assert fires({"attr": {"age": {"exists": False}}}, unknown)


def test_calendar_days_begin_at_midnight_in_the_zone() -> None:
    today = book_of(rule(when={"all": [{"count": {"same_as": "on", "days": 1, "at_least": 2}}]}))
    midnight = NOON - 12 * HOUR

    assert live(today, [food(midnight - SECOND), food(NOON)]) == [False, False]
    assert live(today, [food(midnight), food(NOON)]) == [False, True]


def test_at_most_is_only_said_of_what_was_remembered_for_long_enough() -> None:
    few = {"count": {"event": "login", "within": "7d", "at_most": 0}}
    waits, accepts = book_of(rule(when=few)), book_of(rule(when=few, warm="accept"))
    young, old = Since(NOON // 1000 - 6 * 86_400), Since((NOON - 7 * DAY) // 1000)

    def fires(book: Any, since: Since) -> bool:
        return bool(book.match(food(NOON), Customer(), lambda: Standing(Profile()), since))

    assert (fires(waits, young), fires(waits, old), fires(accepts, young)) == (False, True, True)
    assert live(waits, [event_of(Login(), NOON - MINUTE), food(NOON)]) == [False, False]


def test_named_selectors_and_segments_are_their_contents() -> None:
    named = {
        "format": 1,
        "zone": "Asia/Shanghai",
        "currency": "CNY",
        "selectors": {"takeaway": {"event": "app_usage", "where": {"app_class": "food_delivery"}}},
        "segments": {
            "adults": {"attr": {"age": {"at_least": 18}}},
            "aimed-at": {"all": [{"segment": "adults"}, {"not": {"tag": "staff"}}]},
        },
        "rules": [
            rule(
                on={"selector": "takeaway"},
                who={"segment": "aimed-at"},
                when={"count": {"selector": "takeaway", "within": "1d", "at_least": 2}},
            )
        ],
    }
    takeaway = {"event": "app_usage", "where": {"app_class": "food_delivery"}}
    adults = {"all": [{"attr": {"age": {"at_least": 18}}}, {"not": {"tag": "staff"}}]}
    plain = rule(on=takeaway, who=adults, when={"count": {**takeaway, "within": "1d", "at_least": 2}})

    loaded = load({"a.yaml": json.dumps(named)})

    assert loaded.book is not None, loaded.problems
    assert loaded.book.hash == book_of(plain).hash


def test_what_is_wrong_with_a_named_selector_is_told_once_where_it_stands() -> None:
    text = written(rule(on={"selector": "takeaway"}), rule(id="b", on={"selector": "takeawy"}))
    file = text.replace('"rules"', '"selectors": {"takeaway": {"event": "app_usage", "where": {"clas": 1}}}, "rules"')

    found = [problem.what for problem in load({"a.yaml": file}).problems]

    assert found == [
        "event app_usage has no field 'clas'; did you mean 'app_class'?",
        "there is no selector 'takeawy' in this file; did you mean 'takeaway'?",
    ]


def test_a_score_stands_alone() -> None:
    score = {"score": {"model": "m", "at_least": 0.5}}
    assert len(book_of(rule(who={"all": [score, {"tag": "vip"}]})).rules) == 1
    for who in ({"not": score}, {"any": [score, {"tag": "vip"}]}):
        (problem,) = load({"a.yaml": written(rule(who=who))}).problems
        assert problem.what == "a score is asked after all gates; it cannot stand inside any or not"
