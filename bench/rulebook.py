"""The rules: a book of 10 or of 1,000, as YAML in format 1, of which about one event in a hundred makes one fire."""

from random import Random

from console.population import CLASSES, TRADES
from rules.book import Book, load
from rules.policy import Policy, load_policy

__all__ = ["SEGMENTS", "book", "policy"]

SEGMENTS = 100
"""How many segments the bank's customers are divided into; rules ask for some of them."""

_POLICY = """
format: 1
zone: Asia/Shanghai
hours: {sms: "00:00-24:00", push: "00:00-24:00"}
caps: {sms: {within: 1d, at_most: 64}, push: {within: 1d, at_most: 64}}
"""
"""Open at all hours, so that a run at night does the work of one at noon."""

_FILE = 1_000
"""How many rules stand in one file."""

# Who is in the middle of something is left alone: without it the busiest of skewed customers would match all the time.
_RULE = """
  - id: rule-{number}
    name: rule {number}
    scenario: activation
    programme: programme-{programme}
    on: {{event: {event}, where: {{{where}}}}}
    who:
      all:
        - attr: {{segment: [{segments}]}}
        - tag: {tag}
    when:
      all:
        - count: {{same_as: on, within: {within}, at_least: {least}}}
        - last_seen: {{same_as: on, at_least: 1h}}
    warm: accept
    then:
      offer: {{product: mobile-bank}}
      channels: [push, sms]
      template: simulated
      text: {{zh: 您有一张优惠券, en: You have a coupon}}
      expires: 2h
    limits: {{cooldown: 1h}}
    fresh: 1d
    experiment: {{control: 10%}}
"""


def policy() -> bytes:
    """Give the policy of the rules, as it is published."""
    found = load_policy(_POLICY)
    if not isinstance(found, Policy):
        raise TypeError("\n".join(map(str, found)))
    return found.content


def book(number: int, tag: str = "has_debit_card", *, broad: bool = False) -> Book:
    """Make the book of so many rules for customers with a tag; broad rules are for all segments, and count to two."""
    chance = Random(f"rules {number}")
    # A rule of many asks more: marketing that writes a thousand rules aims each at fewer people.
    wide, least = (20, (2, 2, 3)) if number < 100 else (4, (3, 4, 5, 6, 7, 8))
    if broad:
        wide, least = SEGMENTS, (2,)
    rules = [_rule(place, (chance, tag), wide, chance.choice(least)) for place in range(number)]
    head = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:"
    loaded = load({f"bench-{n}.yaml": head + "".join(rules[n : n + _FILE]) for n in range(0, number, _FILE)})
    if loaded.book is None:
        raise ValueError("\n".join(map(str, loaded.problems[:5])))
    return loaded.book


def _rule(number: int, drawn: tuple[Random, str], wide: int, least: int) -> str:
    chance, tag = drawn
    if number % 2:
        event, where = "app_usage", f"app_class: {CLASSES[number // 2 % len(CLASSES)]}"
    else:
        event, where = "transaction", f"merchant_category: {TRADES[number // 2 % len(TRADES)]}"
        where += chance.choice(("", "", ", amount: {at_least: 100}"))
    return _RULE.format(
        number=number,
        tag=tag,
        programme=number % 20,
        event=event,
        where=where,
        segments=", ".join(f"s{segment}" for segment in sorted(chance.sample(range(SEGMENTS), wide))),
        within=chance.choice(("1d", "3d", "7d")),
        least=least,
    )
