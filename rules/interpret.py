"""The reference: what a rule means, said as plainly as can be. Slow; the compiler must agree with it."""

from collections.abc import Iterable

from kairos.customer import Customer
from kairos.events import Event
from rules.features import together
from rules.judged import Seen, all_hold
from rules.schema import Rule, Status

__all__ = ["ends", "holds", "match", "observe"]


def match(rules: Iterable[Rule], seen: Seen) -> tuple[Rule, ...]:
    """Give the rules that match, by id."""
    return tuple(sorted((rule for rule in rules if holds(rule, seen)), key=lambda rule: rule.id))


def observe(rules: Iterable[Rule], event: Event, customer: Customer) -> None:
    """Remember an event for every selector it meets."""
    for key, feature in together(found for rule in rules for found in rule.when.features(rule.on.selector)).items():
        if any(selector.meets(event) for selector in feature.selectors):
            grown = feature.fold(customer.remembered.get(key, b""), event)
            customer.remembered |= {key: grown} if grown else {}


def ends(rules: Iterable[Rule], event: Event) -> list[tuple[str, tuple[str, ...]]]:
    """Give the rules for which the event is what must not follow, and the values by which it belongs to a trigger."""
    found = [
        (rule.id, one.values(event))
        for rule in rules
        for one in (() if rule.absent is None else rule.absent.endings)
        if one.selector.meets(event)
    ]
    return [(name, values) for name, values in found if values is not None]


def holds(rule: Rule, seen: Seen) -> bool:
    """Whether every clause of a rule holds."""
    if rule.status is Status.DRAFT or not rule.on.selector.meets(seen.event):
        return False
    scope = rule.scope()
    return all_hold(part.judged(seen, scope).holds for part in (rule.when, rule.who)) is True
