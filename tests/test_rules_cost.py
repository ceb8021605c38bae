"""The six rules of a bank: what they keep of a customer who fills everything stays small."""

from collections.abc import Iterator
from typing import Any

from kairos.customer import Customer, pack
from kairos.events import AppUsage, Event, Login, Transaction
from kairos.instants import DAY, HOUR
from rules.absences import KEPT, Arming, Pending, arm, came, name_of
from rules.book import Book
from rules.cost import cost
from tests.rules_strategies import NOON, book_of, event_of
from tests.test_rules_match import rule

SALARY = {"event": "transaction", "where": {"direction": "credit", "kind": "salary", "amount": {"at_least": 20000}}}
PAID = {"event": "transaction", "where": {"direction": "debit", "card": "debit", "channel": ["pos", "qr"]}}
FOREIGN = {"event": "transaction", "where": {"currency": {"not": "CNY"}}}
SIX: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "lunch": (
        {"event": "app_usage", "where": {"app_class": "food_delivery", "at": {"time": "11:00-13:30"}}},
        [{"count": {"same_as": "on", "within": "7d", "at_least": 3}}],
    ),
    "dormant": (
        {"event": "transaction", "where": {"direction": "debit", "merchant_category": ["dining", "grocery"]}},
        [{"last_seen": {"event": "login", "at_least": "60d"}}],
    ),
    "salary": (SALARY, [{"sum": {"same_as": "on", "field": "amount", "within": "90d", "at_least": 50000}}]),
    "card": (
        PAID,
        [
            {"count": {"same_as": "on", "within": "30d", "at_least": 4}},
            {"sum": {"same_as": "on", "field": "amount", "within": "30d", "at_least": 3000}},
            {"distinct": {"same_as": "on", "field": "merchant", "within": "30d", "at_least": 3}},
        ],
    ),
    "travel": (
        FOREIGN,
        [
            {
                "sequence": {
                    "within": "14d",
                    "steps": [{"event": "app_usage", "where": {"app_class": "travel"}}, {"same_as": "on"}],
                }
            },
            {"first": {"same_as": "on", "in": "180d"}},
        ],
    ),
    "abandoned": (
        {"event": "page_view", "where": {"page": "coupon_detail"}},
        [{"absent": {"event": "transaction", "where": {"coupon": {"same_as": "on"}}, "for": "30m"}}],
    ),
}


def six() -> Book:
    return book_of(*(rule(id=name, on=on, when={"all": when}) for name, (on, when) in SIX.items()))


def busy(days: int) -> Iterator[Event]:
    """A customer who does everything every day: is paid in whole yuan, and pays some 900 to 1,000 yuan, to the cent."""
    for day in range(days):
        at = NOON + day * DAY
        yield event_of(AppUsage(app="a", app_class="food_delivery"), at)
        yield event_of(AppUsage(app="a", app_class="travel"), at)
        yield event_of(Login(), at)
        yield event_of(Transaction(amount=2_100_000 + 100 * day, direction="credit", kind="salary"), at)
        yield event_of(Transaction(amount=12_000, currency="JPY", direction="debit"), at)
        for hour in range(3):
            shop = f"shop {(3 * day + hour) % 40}"
            data = Transaction(
                amount=29_999 + 37 * day + hour, direction="debit", card="debit", channel="pos", merchant=shop
            )
            yield event_of(data, at + hour * HOUR)


def test_a_customer_who_fills_all_that_six_rules_remember_costs_less_than_800_bytes() -> None:
    book, customer = six(), Customer()
    for event in busy(100):
        book.observe(event, customer)

    assert customer.remembered.keys() == book.features.keys()
    assert len(pack(customer)) <= 800
    assert all(len(packed) <= book.features[key].most_bytes for key, packed in customer.remembered.items())
    assert len(pack(customer)) <= cost(book)[-1].most_bytes + len(pack(Customer()))


def test_a_customer_who_is_paid_every_month_costs_less_than_800_bytes_with_all_that_is_waited_for() -> None:
    book, customer = six(), Customer()
    for event in busy(100):
        if not book.rules["salary"].on.selector.meets(event) or (event.at - NOON) // DAY % 30 == 0:
            book.observe(event, customer)
    for number in range(KEPT):
        came(customer, name_of("abandoned", [f"paid with {number}"]), NOON + number)
    for coupon in ("noodles", "taxi"):
        wait = Pending(name_of("abandoned", [coupon]), NOON, NOON + HOUR // 2)
        assert arm(customer, wait, restart=False)[0] is Arming.ARMED

    assert customer.remembered.keys() == book.features.keys()
    assert len(pack(customer)) <= 800
