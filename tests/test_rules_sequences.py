"""Sequences: steps one after another, and steps that belong together, each by an example."""

from typing import Any

from kairos.events import AppUsage, Event, Transaction
from kairos.instants import DAY, HOUR, SECOND
from rules import ties
from tests.rules_strategies import NOON, book_of, event_of
from tests.test_rules_match import food, live, rule
from tests.test_rules_past import PAID, login, pay


def travelled(**said: Any) -> dict[str, Any]:
    """Write a rule on payments that follow a look at trips and a login."""
    steps = [{"event": "app_usage", "where": {"app_class": "travel"}}, {"event": "login"}, {"same_as": "on"}]
    return rule(on=PAID, when={"sequence": {"within": "14d", "steps": steps}}, **said)


def travel(at: int) -> Event:
    return event_of(AppUsage(app="a", app_class="travel"), at)


def test_a_sequence_is_its_steps_one_after_another_within_its_time() -> None:
    book = book_of(travelled())

    assert live(book, [travel(NOON), login(NOON + DAY), pay(NOON + 2 * DAY, 1)])[-1] is True
    assert live(book, [login(NOON), travel(NOON + DAY), pay(NOON + 2 * DAY, 1)])[-1] is False
    assert live(book, [travel(NOON), login(NOON + DAY), pay(NOON + 14 * DAY, 1)])[-1] is False
    assert live(book, [travel(NOON), login(NOON + DAY), pay(NOON + 14 * DAY - SECOND, 1)])[-1] is True


def test_a_first_step_that_comes_after_the_second_completes_nothing() -> None:
    book = book_of(travelled())
    late = [login(NOON + DAY), travel(NOON), pay(NOON + 2 * DAY, 1)]

    assert live(book, late) == [False, False, False]
    assert live(book, [*late, login(NOON + 3 * DAY), pay(NOON + 4 * DAY, 1)])[-1] is True


def test_one_event_never_serves_two_steps() -> None:
    steps = [{"event": "app_usage"}, {"same_as": "on"}]
    book = book_of(rule(when={"sequence": {"within": "1d", "steps": steps}}))

    assert live(book, [food(NOON), food(NOON), food(NOON + SECOND)]) == [False, False, True]


def test_a_sequence_may_have_ended_before_the_trigger() -> None:
    steps = [{"event": "app_usage"}, {"event": "login"}]
    book = book_of(rule(on=PAID, when={"sequence": {"within": "1d", "steps": steps}}))

    assert live(book, [food(NOON), login(NOON + SECOND), pay(NOON + SECOND, 1)])[-1] is True
    assert live(book, [login(NOON), food(NOON + SECOND), pay(NOON + HOUR, 1)])[-1] is False


def paid_in(shop: str | None, at: int) -> Event:
    return event_of(Transaction(amount=100, direction="debit", merchant=shop), at)


def test_the_steps_of_a_sequence_may_belong_together_by_what_they_say() -> None:
    steps = {"within": "7d", "same": "merchant", "steps": [PAID, {"same_as": "on"}]}
    again = book_of(rule(on=PAID, when={"sequence": steps}))
    never = book_of(rule(on=PAID, when={"not": {"sequence": steps}}))
    life = [paid_in(shop, NOON + day * DAY) for day, shop in enumerate(["a", "b", "a", None, None, "b"])]

    assert live(again, life) == [False, False, True, False, False, True]
    assert live(never, life) == [True, True, False, False, False, False]


def test_of_so_many_values_at_once_what_had_to_make_room_is_unknown_and_not_never() -> None:
    steps = {"within": "7d", "same": "merchant", "steps": [PAID, {"same_as": "on"}]}
    again, never = (book_of(rule(on=PAID, when=when)) for when in ({"sequence": steps}, {"not": {"sequence": steps}}))
    shops = [paid_in(f"shop {number}", NOON + number * SECOND) for number in range(ties.KEPT + 1)]
    later = NOON + HOUR

    assert live(again, [*shops, paid_in("shop 1", later)])[-1] is True
    assert live(again, [*shops, paid_in("shop 0", later)])[-1] is False
    assert live(never, [*shops, paid_in("shop 0", later)])[-1] is False
    assert live(never, [*shops, paid_in("shop 0", later + 8 * DAY)])[-1] is True
