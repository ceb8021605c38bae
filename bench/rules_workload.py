"""The rules' workload: 10,000 customers with tags, 100,000 events of 30 days, and as many rules as are asked for.

A rule asks for an event type, one to three categories, a threshold, two or three things of the customer (a tag, no tag,
segments, the state of the mobile bank), and how often such events happened lately. The seed is fixed.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import exp
from random import Random

from kairos.customer import Standing
from kairos.events import AppUsage, Event, PageView, Profile, Transaction
from kairos.instants import DAY, HOUR

__all__ = ["WINDOWS", "Happened", "Wish", "events", "files", "people", "wishes"]

WINDOWS = {"1h": HOUR, "1d": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
_CUSTOMERS, _EVENTS, _TAGS, _RULES = 10_000, 100_000, 10_000, 10_000
_APPS, _TRADES = [f"app-{n:02d}" for n in range(26)], [f"trade-{n:02d}" for n in range(40)]
_SEGMENTS = ["mass", "affluent", "student", "senior", "sme", "private"]
_BANKS = ["unregistered", "active", "dormant"]
_BEGIN = 1_790_000_000_000
_LEAST = {"1h": [1, 2, 3], "1d": [1, 2, 3, 5], "7d": [1, 2, 3, 5], "30d": [2, 3, 5, 8]}


@dataclass(frozen=True)
class Wish:
    """A rule before it is written down: `who` holds pairs such as `("tag", "t12")` or `("segment", ("sme",))`."""

    number: int
    event: str
    categories: tuple[str, ...]
    threshold: int
    who: tuple[tuple[str, str | tuple[str, ...]], ...]
    window: str
    least: int


@dataclass(frozen=True)
class Happened:
    """An event, the JSON it came as, whose it is, and how many of its category lay in each window with it."""

    event: Event
    json: bytes
    customer: int
    counts: dict[str, int]


def _zipf(number: int) -> list[float]:
    return list(accumulate((rank + 1) ** -0.9 for rank in range(number)))


@cache
def people() -> list[Standing]:
    """Invent the customers: 29 tags on average, few of them common; six segments; three states of the mobile bank."""
    chance, found = Random("people"), []
    usual = sum(min(0.35, 0.6 * (rank + 1) ** -0.7) for rank in range(_TAGS))
    for _ in range(_CUSTOMERS):
        number, tags = max(3, int(chance.gauss(usual, 6))), set[str]()
        while len(tags) < number:
            tags.add(f"t{int(_TAGS * chance.random() ** (1 / 0.3))}")
        segment = chance.choices(_SEGMENTS, [0.5, 0.2, 0.1, 0.1, 0.08, 0.02])[0]
        bank = chance.choices(_BANKS, [0.35, 0.35, 0.30])[0]
        attrs = {"segment": segment, "mobile_bank": bank, "age": chance.randint(18, 80)}
        found.append(Standing(Profile(attrs=attrs, tags=frozenset(tags))))
    return found


@cache
def wishes() -> list[Wish]:
    """Invent the rules; a book of fewer takes the first of them."""
    chance = Random("rules")
    return [_wish(number, chance) for number in range(_RULES)]


def _wish(number: int, chance: Random) -> Wish:
    event = "app_usage" if chance.random() < 0.55 else "transaction"
    names = _APPS if event == "app_usage" else _TRADES
    several = 1 if chance.random() < 0.7 else chance.choice([2, 3])
    categories: list[str] = []
    while len(categories) < several:
        drawn = chance.choices(names, cum_weights=_zipf(len(names)))[0]
        categories += [drawn] if drawn not in categories else []
    steps = [30, 60, 120, 300, 600] if event == "app_usage" else [20, 50, 100, 200, 500, 1000, 3000]
    threshold, asked = chance.choice(steps), chance.choice([2, 3])
    who: dict[str, tuple[str, str | tuple[str, ...]]] = {}
    while len(who) < asked:
        kind, what = _person(chance)
        who.setdefault(str(what) if "tag" in kind else kind, (kind, what))
    window = chance.choice(list(WINDOWS))
    return Wish(number, event, tuple(categories), threshold, tuple(who.values()), window, chance.choice(_LEAST[window]))


def _person(chance: Random) -> tuple[str, str | tuple[str, ...]]:
    drawn = chance.random()
    if drawn < 0.70:
        return "tag" if drawn < 0.60 else "no tag", f"t{int(2000 ** chance.random()) - 1}"
    if drawn < 0.85:
        return "segment", tuple(sorted(chance.sample(_SEGMENTS, chance.choice([1, 2]))))
    return "mobile_bank", (chance.choice(_BANKS),)


@cache
def events() -> list[Happened]:
    """Invent what happened: 65 % app usage, 30 % transactions, 5 % pages that no rule asks for."""
    chance = Random("events")
    busy = [(rank + 1) ** -0.5 for rank in range(_CUSTOMERS)]
    chance.shuffle(busy)
    owners = chance.choices(range(_CUSTOMERS), busy, k=_EVENTS)
    ats = sorted(_BEGIN + int(chance.random() * 30 * DAY) for _ in range(_EVENTS))
    past: dict[tuple[int, str | None], list[int]] = defaultdict(list)
    found = []
    for number, (owner, at) in enumerate(zip(owners, ats, strict=True)):
        data, category = _data(owner, chance)
        before = past[owner, category]
        before.append(at // 1000)
        counts = {name: len(before) - bisect_right(before, (at - length) // 1000) for name, length in WINDOWS.items()}
        kinds = {AppUsage: "app_usage", Transaction: "transaction", PageView: "page_view"}
        event = Event(f"{number:032x}", kinds[type(data)], at, f"c{owner}", category, data)
        said = data.model_dump(mode="json", exclude_none=True)
        found.append(Happened(event, json.dumps(said).encode(), owner, counts))
    return found


def _data(owner: int, chance: Random) -> tuple[AppUsage | Transaction | PageView, str]:
    drawn = chance.random()
    if drawn >= 0.95:
        return PageView(page="coupon"), "coupon"
    is_app = drawn < 0.65
    names, step = (_APPS, 7) if is_app else (_TRADES, 11)
    # Half of what customers do is one of their three favourites.
    if chance.random() < 0.5:
        category = names[(owner * step + chance.randrange(3)) % len(names)]
    else:
        category = chance.choices(names, cum_weights=_zipf(len(names)))[0]
    if is_app:
        return AppUsage(app=f"{category}-x", app_class=category, seconds=int(exp(chance.gauss(5, 1)))), category
    minor = round(100 * exp(chance.gauss(4, 1.2)))
    return Transaction(amount=minor, direction="debit", merchant="m", merchant_category=category), category


_RULE = """
  - id: rule-{number:05d}
    name: rule {number}
    scenario: activation
    programme: programme-{programme}
    on: {{event: {event}, where: {{{category}: [{categories}], {field}: {{at_least: {threshold}}}}}}}
    who: {{all: [{who}]}}
    when: {{all: [{when}]}}
    then:
      offer: {{product: mobile-bank}}
      channels: [push, sms]
      template: simulated
      text: {{zh: 您有一张优惠券, en: You have a coupon}}
      expires: 2h
    limits: {{cooldown: 1h}}
"""


def files(number: int, *, windows: bool) -> dict[str, str]:
    """Write the first rules as files, a thousand in each.

    Parameters
    ----------
    number
        How many rules.
    windows
        Whether they look back by themselves; else they ask for counts that stand among the customer's attributes.

    """
    head = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:"
    found = {}
    for start in range(0, number, 1_000):
        rules = [written(wish, windows=windows) for wish in wishes()[start : min(number, start + 1_000)]]
        found[f"rules-{start:05d}.yaml"] = head + "".join(rules)
    return found


def written(wish: Wish, *, windows: bool) -> str:
    """Write one rule."""
    category, field = ("app_class", "seconds") if wish.event == "app_usage" else ("merchant_category", "amount")
    who = [_clause(kind, what) for kind, what in wish.who]
    when = []
    if windows:
        where = "{{count: {{event: {0}, where: {{{1}: {2}}}, within: {3}, at_least: {4}}}}}"
        counts = [where.format(wish.event, category, one, wish.window, wish.least) for one in wish.categories]
        when = counts if len(counts) == 1 else [f"{{any: [{', '.join(counts)}]}}"]
    else:
        who.append(f"{{attr: {{c{wish.window}: {{at_least: {wish.least}}}}}}}")
    return _RULE.format(
        number=wish.number,
        programme=wish.number % 20,
        event=wish.event,
        category=category,
        categories=", ".join(wish.categories),
        field=field,
        threshold=wish.threshold,
        who=", ".join(who),
        when=", ".join(when),
    )


def _clause(kind: str, what: str | tuple[str, ...]) -> str:
    if isinstance(what, tuple):
        return f"{{attr: {{{kind}: [{', '.join(what)}]}}}}"
    return f"{{tag: {what}}}" if kind == "tag" else f"{{not: {{tag: {what}}}}}"
