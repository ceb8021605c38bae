"""The reference: what a rule means, said as plainly as can be. Slow; the compiler must agree with it."""

from collections.abc import Callable, Iterable
from typing import Any

from kairos.customer import Customer, Standing
from kairos.events import Event, Profile, Transaction
from kairos.instants import SECOND
from kairos.money import Money
from rules import rings
from rules.asked import Amounts, Flags, Numbers, Test, Words
from rules.fields import CATEGORY
from rules.schema import Count, Plain, Rule, Status, WhenClause
from rules.selectors import Selector, capacities, trigger, watched

__all__ = ["holds", "match", "meets", "observe"]


def match(
    rules: Iterable[Rule], event: Event, customer: Customer, standing: Callable[[], Standing]
) -> tuple[Rule, ...]:
    """Give the rules that match, by id."""
    matched = [rule for rule in rules if holds(rule, event, customer, standing)]
    return tuple(sorted(matched, key=lambda rule: rule.id))


def observe(rules: Iterable[Rule], event: Event, customer: Customer) -> None:
    """Remember an event for every selector it meets."""
    for key, (selector, kept) in capacities(rules).items():
        if meets(selector, event):
            customer.rings[key] = rings.add(customer.rings.get(key, b""), rings.second(event.at), kept)


def holds(rule: Rule, event: Event, customer: Customer, standing: Callable[[], Standing]) -> bool:
    """Whether every clause of a rule holds."""
    return (
        rule.status is not Status.DRAFT
        and meets(trigger(rule), event)
        and all(_past(rule, clause, event, customer) for clause in rule.when.all)
        and all(
            _person(clause.none, standing().profile, wanted=False)
            if clause.none
            else _person(clause, standing().profile, wanted=True)
            for clause in rule.who.all
        )
    )


def meets(selector: Selector, event: Event) -> bool:
    """Whether an event is one of a selector's."""
    return event.type == selector.event and all(
        _fits(test, _value(event, name, test)) for name, test in selector.where.items()
    )


def _value(event: Event, name: str, test: Test) -> object:
    if isinstance(test, Amounts) and isinstance(event.data, Transaction):
        return Money(event.data.amount, event.data.currency)
    return event.category if name in CATEGORY.values() else getattr(event.data, name)


def _fits(test: Test, value: Any) -> bool:
    # Any: what can be compared is settled in the first line.
    if value is None or not _comparable(test, value):
        return False
    if test.any_of is not None and value not in test.any_of:
        return False
    if test.none_of is not None and value in test.none_of:
        return False
    return isinstance(test, Words | Flags) or _within(test, value)


def _comparable(test: Test, value: object) -> bool:
    """Whether a value is of the test's kind; a flag is no number, and yen are no yuan."""
    if isinstance(test, Amounts):
        return isinstance(value, Money) and value.currency == test.currency
    if isinstance(test, Words):
        return isinstance(value, str)
    return isinstance(value, bool) == isinstance(test, Flags) and isinstance(value, int | float)


def _within(test: Numbers | Amounts, value: Any) -> bool:
    return (
        (test.at_least is None or value >= test.at_least)
        and (test.at_most is None or value <= test.at_most)
        and (test.above is None or value > test.above)
        and (test.below is None or value < test.below)
    )


def _past(rule: Rule, clause: WhenClause, event: Event, customer: Customer) -> bool:
    asked = clause.count or clause.last_seen
    if asked is None:
        raise ValueError("a condition on the past without content")
    ring, at = customer.rings.get(watched(rule, asked).key, b""), rings.second(event.at)
    if isinstance(asked, Count):
        return rings.reached(ring, at, asked.within // SECOND, asked.at_least)
    if asked.within is not None:
        return rings.recent(ring, at, asked.within // SECOND)
    return rings.long_ago(ring, at, (asked.at_least or 0) // SECOND)


def _person(asked: Plain, profile: Profile, *, wanted: bool) -> bool:
    if asked.tag is not None:
        return (asked.tag in profile.tags) == wanted
    tests = [(test, profile.attrs.get(name)) for name, test in (asked.attr or {}).items()]
    # What the bank does not know speaks neither for nor against: the condition does not hold, nor does its opposite.
    known = all(value is not None and _comparable(test, value) for test, value in tests)
    return known and all(_fits(test, value) for test, value in tests) == wanted
