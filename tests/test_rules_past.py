"""Sums, averages, different values, first times, sequences and rules that consume, each by an example."""

from itertools import permutations
from typing import Any

import pytest

from kairos.customer import Customer
from kairos.events import Event, Login, Transaction
from kairos.instants import DAY, HOUR, SECOND
from rules.book import load
from rules.firings import fired, unfired
from rules.sentence import sentence
from tests.rules_strategies import NOON, Since, book_of, event_of, written
from tests.test_rules_match import NOBODY, food, live, rule

PAID: dict[str, Any] = {"event": "transaction", "where": {"direction": "debit"}}


def pay(at: int, yuan: float, merchant: str | None = None, currency: str = "CNY") -> Event:
    data = Transaction(amount=round(yuan * 100), currency=currency, direction="debit", merchant=merchant)
    return event_of(data, at)


def login(at: int) -> Event:
    return event_of(Login(), at)


def paid(kind: str, **said: Any) -> dict[str, Any]:
    """Write a rule on payments with one condition."""
    return rule(on=PAID, when={kind: {"same_as": "on", **said}})


def test_a_sum_begins_with_the_hour_in_which_a_short_window_begins() -> None:
    book = book_of(paid("sum", field="amount", within="3h", at_least=100))

    assert live(book, [pay(NOON - 3 * HOUR, 60), pay(NOON + HOUR - SECOND, 40)]) == [False, True]
    assert live(book, [pay(NOON - 3 * HOUR - SECOND, 60), pay(NOON, 40)]) == [False, False]


def test_a_sum_begins_with_the_day_in_which_a_long_window_begins() -> None:
    book = book_of(paid("sum", field="amount", within="30d", at_least=100))
    midnight = NOON - 12 * HOUR

    assert live(book, [pay(midnight - 30 * DAY, 60), pay(NOON, 40)]) == [False, True]
    assert live(book, [pay(midnight - 30 * DAY - SECOND, 60), pay(NOON, 40)]) == [False, False]


def test_a_sum_in_calendar_days_begins_at_midnight() -> None:
    book = book_of(paid("sum", field="amount", days=2, above=99))
    midnight = NOON - 12 * HOUR

    assert live(book, [pay(midnight - DAY, 60), pay(NOON, 40)]) == [False, True]
    assert live(book, [pay(midnight - DAY - SECOND, 60), pay(NOON, 40)]) == [False, False]


def test_a_sum_sees_one_currency_only() -> None:
    book = book_of(paid("sum", field="amount", within="1d", at_least="5000 JPY"))

    assert live(book, [pay(NOON, 10**6), pay(NOON, 49.99, currency="JPY"), pay(NOON, 0.01, currency="JPY")]) == [
        False,
        False,
        True,
    ]


def test_an_average_is_compared_exactly() -> None:
    book = book_of(paid("avg", field="amount", within="1d", at_least="33.34"))

    assert live(book, [pay(NOON, 33.33), pay(NOON, 33.34), pay(NOON, 33.35)]) == [False, False, True]


def test_the_smallest_and_the_largest_are_asked_of_the_whole_window() -> None:
    smallest = book_of(paid("min", field="amount", within="1d", at_least=20))
    largest = book_of(paid("max", field="amount", within="1d", below=50))
    payments = [pay(NOON, 30), pay(NOON + HOUR, 10), pay(NOON + 2 * HOUR, 60)]

    assert live(smallest, payments) == [True, False, False]
    assert live(largest, payments) == [True, True, False]


def test_what_is_missing_is_neither_summed_up_nor_averaged() -> None:
    few = book_of(rule(when={"sum": {"same_as": "on", "field": "seconds", "within": "1d", "below": 10}}))
    mean = book_of(rule(when={"avg": {"same_as": "on", "field": "seconds", "within": "1d", "below": 10}}))

    assert live(few, [food(NOON), food(NOON, 9), food(NOON, 1)]) == [True, True, False]
    assert live(mean, [food(NOON), food(NOON, 9), food(NOON)]) == [False, True, True]


def test_a_small_sum_is_only_said_of_what_was_remembered_for_long_enough() -> None:
    few, many = (
        book_of(rule(when={"sum": {**PAID, "field": "amount", "within": "2d", bound: 50}}))
        for bound in ("below", "at_least")
    )
    young, old = Since(NOON // 1000 - 86_400), Since(NOON // 1000 - 3 * 86_400)
    customer = Customer()
    for book in (few, many):
        book.observe(pay(NOON, 50), customer)

    def fires(book: Any, who: Customer, since: Since) -> bool:
        return bool(book.match(food(NOON), who, lambda: NOBODY, since))

    assert (fires(few, Customer(), young), fires(few, Customer(), old)) == (False, True)
    assert (fires(many, customer, young), fires(few, customer, old)) == (True, False)


def test_different_values_are_counted_once_each() -> None:
    book = book_of(paid("distinct", field="merchant", within="30d", at_least=3))
    payments = [pay(NOON + n * SECOND, 1, merchant) for n, merchant in enumerate(["a", "b", "b", None, "a", "c"])]

    assert live(book, payments) == [False] * 5 + [True]


def test_the_values_that_are_kept_are_the_same_in_every_order() -> None:
    book = book_of(paid("distinct", field="merchant", within="30d", at_least=3))
    one = next(iter(book.features.values()))
    small = type(one)(*one.selectors, "merchant", 2)  # type: ignore[call-arg]  # it is `Values`
    payments = [pay(NOON + n * SECOND, 1, merchant) for n, merchant in enumerate("abcab")]
    kept = set()
    for order in permutations(payments):
        packed = b""
        for payment in order:
            packed = small.fold(packed, payment)
        kept.add(packed)

    assert len(kept) == 1


def test_the_first_is_the_one_without_an_earlier_one() -> None:
    half_year = book_of(rule(when={"first": {"same_as": "on", "in": "180d"}}))
    ever = book_of(rule(when={"first": {"same_as": "on"}}))

    assert live(half_year, [food(NOON), food(NOON + DAY), food(NOON + 181 * DAY)]) == [True, False, True]
    assert live(ever, [food(NOON), food(NOON + 181 * DAY)]) == [True, False]


def test_whether_there_ever_was_one_is_unknown_unless_the_rule_accepts_it() -> None:
    for warm, expected in (("wait", False), ("accept", True)):
        book = book_of(rule(warm=warm, when={"first": {"same_as": "on"}}))
        customer = Customer()
        book.observe(food(NOON), customer)

        assert bool(book.match(food(NOON), customer, lambda: NOBODY, Since(0))) == expected


def test_a_rule_that_consumes_counts_anew_after_it_fired_and_leaves_the_others_alone() -> None:
    count = {"count": {"same_as": "on", "within": "7d", "at_least": 2}}
    book = book_of(rule(id="anew", consume=True, when=count), rule(id="on-and-on", when=count))
    customer, found = Customer(), []
    for hour in range(5):
        event = food(NOON + hour * HOUR)
        book.observe(event, customer)
        matched = [one.id for one in book.match(event, customer, lambda: NOBODY)]
        found.append(matched)
        if "anew" in matched:
            fired(customer, "anew", event.at, event.at)

    assert found == [[], ["anew", "on-and-on"], ["on-and-on"], ["anew", "on-and-on"], ["on-and-on"]]


def test_a_firing_that_is_taken_back_consumed_nothing() -> None:
    customer = Customer()
    for hour in (1, 2):
        fired(customer, "r", NOON + hour * HOUR, NOON + hour * DAY)
    before = dict(customer.fired)
    fired(customer, "r", NOON + 3 * HOUR, NOON + 3 * DAY)
    unfired(customer, "r", NOON + 3 * DAY)

    assert customer.fired == before
    unfired(customer, "r", NOON + DAY)
    unfired(customer, "r", NOON + 2 * DAY)
    assert customer.fired == {}


def test_few_is_not_said_by_a_ring_that_forgot_what_was_before_a_late_event() -> None:
    book = book_of(rule(on={"event": "login"}, when={"count": {"event": "app_usage", "within": "1d", "at_most": 0}}))
    busy = [food(NOON - HOUR), *(food(NOON + n * SECOND) for n in range(16))]

    assert live(book, [*busy, login(NOON - SECOND)])[-1] is False
    assert live(book, [*busy, login(NOON - 2 * DAY)])[-1] is False
    assert live(book, [food(NOON), login(NOON - SECOND)])[-1] is True


@pytest.mark.parametrize(
    ("when", "changes", "what"),
    [
        ({"sum": {"same_as": "on", "field": "amount", "within": "1d", "at_least": 1}}, {}, "has no number 'amount'"),
        ({"sum": {**PAID, "field": "seconds", "within": "1d", "at_least": 1}}, {}, "has no number 'seconds'"),
        ({"sum": {**PAID, "field": "amount", "within": "91d", "at_least": 1}}, {}, "for 90 days at most"),
        ({"sum": {**PAID, "field": "amount", "within": "1d"}}, {}, "give at_least, at_most, above or below"),
        (
            {"avg": {**PAID, "field": "amount", "within": "1d", "above": 1, "below": "9 JPY"}},
            {},
            "one condition speaks of one currency",
        ),
        ({"max": {"same_as": "on", "field": "seconds", "days": 1, "above": 1.5}}, {}, "expected a whole number"),
        ({"distinct": {**PAID, "field": "amount", "within": "1d", "at_least": 2}}, {}, "has no text 'amount'"),
        ({"sequence": {"within": "1d", "steps": [{"event": "login"}]}}, {}, "a sequence has 2 to 5 steps"),
        (
            {"sum": {**PAID, "field": "amount", "within": "1d", "at_least": 1}},
            {"consume": True},
            "a rule with consume has no sum, avg, min or max",
        ),
    ],
)
def test_what_cannot_be_meant_is_told(when: dict[str, Any], changes: dict[str, Any], what: str) -> None:
    (problem,) = load({"a.yaml": written(rule(when={"all": [when]}, **changes))}).problems

    assert what in problem.what


def test_a_mistake_that_only_the_whole_rule_shows_is_told_at_its_place() -> None:
    sums = "{sum: {same_as: on, field: amuont, within: 1d, at_least: 1}}"
    text = written(rule(when="HERE")).replace('"HERE"', "\n{not: " + sums + "}\n")

    (problem,) = load({"a.yaml": text}).problems

    assert (problem.line, problem.column) == (2, 34)


@pytest.mark.parametrize(
    ("when", "zh", "en"),
    [
        (
            {"sum": {**PAID, "field": "amount", "within": "2h", "at_least": 30, "below": 90}},
            "2小时（从整点起算）内交易（direction = debit）的amount合计 ≥ 30.00 CNY且< 90.00 CNY",
            "sum of amount of transaction (direction = debit) in 2 hours (to the hour) ≥ 30.00 CNY and < 90.00 CNY",
        ),
        (
            {"avg": {"same_as": "on", "field": "seconds", "within": "30d", "above": 9}},
            "30天（从Asia/Shanghai的零点起算）内该事件的seconds平均 > 9",
            "average seconds of the same in 30 days (to the day in Asia/Shanghai) > 9",
        ),
        (
            {"distinct": {**PAID, "field": "merchant", "days": 3, "at_least": 2}},
            "最近3个自然日（Asia/Shanghai）内交易（direction = debit）有至少2个不同的merchant",
            "of merchant in transaction (direction = debit) in the last 3 calendar days (Asia/Shanghai)",
        ),
        (
            {"first": {"same_as": "on", "in": "180d"}},
            "此前180天内没有过该事件",
            "the same for the first time in 180 days",
        ),
        (
            {"sequence": {"within": "14d", "steps": [{"event": "login"}, {"same_as": "on"}]}},
            "14天内依次有：登录，然后本次事件",
            "one after another in 14 days: login, then this event",
        ),
        (
            {"sequence": {"within": "14d", "same": ["app", "link"], "steps": [{"event": "app_usage"}] * 2}},
            "14天内依次有（app、link相同）：使用App，然后使用App",
            "one after another in 14 days with the same app and link: app use, then app use",
        ),
    ],
)
def test_each_kind_says_itself(when: dict[str, Any], zh: str, en: str) -> None:
    one = book_of(rule(when=when)).rules["r"]

    assert zh in sentence(one, "zh")
    assert en in sentence(one, "en")
