"""Waits in an estimate: over at the same moments as in a replay, event by event."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kairos.events import Event, PageView, Transaction
from kairos.instants import DAY, MINUTE
from rules.absences import MOST
from rules.estimate import estimate
from rules.lives import Forgotten, Happening
from rules.schema import Rule
from rules.trying import tried
from tests.rules_strategies import NOON, book_of, event_of, unhurried
from tests.test_rules_estimate import columns, of, replayed, told
from tests.test_rules_match import food, rule

pays = st.builds(
    Transaction,
    amount=st.just(100),
    direction=st.just("debit"),
    merchant=st.none() | st.sampled_from("ab"),
    card=st.sampled_from(["debit", "credit"]),
)
days_of_paying = st.lists(
    st.builds(lambda data, quarter: event_of(data, NOON + 250 * quarter), pays, st.integers(0, 12)), max_size=30
)


@unhurried
@given(days_of_paying, st.sets(st.sampled_from(["merchant", "card"])), st.sampled_from(["keep", "restart"]))
def test_waits_that_meet_in_one_second_end_as_in_a_replay(log: list[Event], same: set[str], rearm: str) -> None:
    ends: dict[str, Any] = {name: {"same_as": "on"} for name in same} or {"card": "credit"}
    absent = {"event": "transaction", "where": ends, "for": "1s", "rearm": rearm}
    asked = book_of(rule(on={"event": "transaction"}, when={"absent": absent})).rules["r"]

    stored = columns(*(of(event, "a") for event in log))

    assert told(estimate(asked, stored), stored) == replayed(asked, {}, [of(event, "a") for event in log])


def abandoned(**changes: Any) -> Rule:
    absent = {"event": "transaction", "where": {"coupon": {"same_as": "on"}}, "for": "30m"}
    return book_of(rule(on={"event": "page_view"}, when={"absent": absent}, **changes)).rules["r"]


def looks(number: int, at: int) -> list[Event]:
    return [Event("", "page_view", at, "c7", "p", PageView(page="p", coupon=f"c{n}")) for n in range(number)]


def test_who_is_forgotten_is_not_waited_for_any_longer() -> None:
    log: list[Happening] = [*looks(1, NOON), food(NOON + 10 * MINUTE), Forgotten("c7"), of(food(NOON + DAY), "c8")]

    found = tried(abandoned(), columns(*log), lambda: log)
    again = tried(abandoned(consume=True), columns(*log), lambda: log)

    assert (found.fired, found.replayed, again.fired, again.replayed != "") == ((), "", (), True)


def test_who_was_forgotten_comes_back_as_somebody_new_in_a_replay_too() -> None:
    log: list[Happening] = [food(NOON), Forgotten("c7"), food(NOON + DAY)]

    for changes in ({}, {"consume": True}):
        asked = book_of(rule(limits={"cooldown": "7d"}, **changes)).rules["r"]
        found = tried(asked, columns(*log), lambda: log)

        assert (len(found.fired), found.replayed != "") == (2, bool(changes))


def test_where_somebody_waits_for_more_than_the_engine_lets_the_log_is_replayed() -> None:
    def firings(number: int) -> tuple[int, str]:
        log = [*looks(number, NOON), food(NOON + DAY)]
        found = tried(abandoned(), columns(*log), lambda: log)
        return len(found.fired), found.replayed

    assert (firings(MOST), firings(MOST + 1)) == ((MOST, ""), (MOST, "absent"))
