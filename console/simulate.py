"""Simulated input: customers, phones and cards that a program made up, for load and for seeing whether models learn.

Nothing here is measured on anybody. The header says `simulated`, every event says `link: synthetic`, and what the
customers would do with an offer, the truth, goes to a file of its own that no stage ever reads.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import accumulate, count
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from console.population import (
    CLASSES,
    MERCHANTS,
    TRADES,
    Person,
    apps_of,
    catalogue,
    invent_consent,
    key_of,
    person_of,
    profile_of,
    truth_of,
)
from kairos.instants import DAY, HOUR, MINUTE, Millis, from_rfc3339, rfc3339
from kairos.ports import Record
from streams.event_log import Header, Line, write, writing
from streams.topics import APP_USAGE, TRANSACTIONS

__all__ = ["CLASSES", "MERCHANTS", "catalogue", "invent_consent", "load_events", "simulate", "write_simulation"]

START: Final = from_rfc3339("2026-06-01T00:00:00+08:00")
EVENTS_A_DAY: Final = 5.0
LATE, LATEST = 0.03, 6 * HOUR
"""The share of events that arrive late, and how late at most."""
TWICE: Final = 0.01
"""The share of events that arrive a second time."""
OWN: Final = 0.55
"""The share of app use that goes to a customer's three favourite classes."""

# How busy each hour of the day is, local time, and what noon and evening do to takeaway, taxis and shops.
_DAY: Final = (2, 1, 1, 1, 1, 2, 4, 7, 8, 7, 7, 11, 14, 10, 7, 7, 7, 9, 13, 13, 11, 10, 8, 4)
_PEAKS: Final = (
    ((11, 12, 17, 18, 19), {"food_delivery": 8.0, "coupons": 3.0}),
    ((7, 8), {"ride_hailing": 6.0, "news": 3.0}),
    ((20, 21, 22), {"shopping": 4.0, "video": 4.0, "games": 2.0}),
)
_PEAK_OF: Final = {hour: wanted for hours, wanted in _PEAKS for hour in hours}
_HOURS: Final = tuple(tuple(accumulate(_PEAK_OF.get(hour, {}).get(c, 1.0) for c in CLASSES)) for hour in range(24))


def simulate(customers: int, days: int, seed: int) -> Iterator[Line]:
    """Give the lines of a simulated log: every customer's profile, then what happens, by arrival.

    Parameters
    ----------
    customers
        How many; the first ones are the busiest.
    days
        How long, from `START`, about five events a customer and day.
    seed
        The same seed gives the same lines.

    """
    before = START - DAY
    chance = Random(f"profiles {seed}")  # noqa: S311  # repeatable on purpose, no secret
    for number in range(customers):
        data = msgspec.Raw(msgspec.json.encode(profile_of(person_of(number, seed), before, chance)))
        yield Line("customers", key_of(number), "customer", f"p{number}", "/sim/crm", rfc3339(before), data)
    yield from _by_arrival(_happenings(customers, days, seed), START + days * DAY)


def write_simulation(
    out: Path, truth: Path, customers: int, days: int, seed: int, progress: Callable[[int], None] | None = None
) -> int:
    """Write a simulated log, and to a file of its own the truth about reactions; gives the number of lines.

    Parameters
    ----------
    out
        The log, see `streams.event_log`.
    truth
        JSON lines: first the classes, then for each customer and class the chance to open an offer, to redeem it,
        and to buy in that class anyway, without any offer.
    customers, days, seed
        See `simulate`.
    progress
        Called with the number of lines so far, every 10,000.

    """
    _write_truth(truth, customers, seed)
    header = Header(
        f"{customers:,} simulated customers, {days} days",
        "simulated",
        f"Everything in this file is made up by a program (seed {seed}). Its reactions are known beforehand, so a "
        "result on it says whether the machinery works, and nothing about people.",
        first=rfc3339(START - DAY),
        last=rfc3339(START + days * DAY),
    )
    return write(out, header, _counted(simulate(customers, days, seed), progress))


def load_events(
    number: int | None, customers: int = 20_000, *, skew: bool = True, seed: int = 1, start: Millis = START
) -> Iterator[Record]:
    """Give records for benchmarks and fault tests, fast: values of about 195 bytes, two app uses for each purchase.

    Parameters
    ----------
    number
        How many; None never ends.
    customers
        How many keys there are.
    skew
        Whether few customers are much busier than the others (Pareto: with 20,000, the busiest has 5 % of all
        events) or all are alike.
    seed
        The same seed gives the same records.
    start
        The first event's time; ten events share a millisecond.

    """
    chance = Random(seed)  # noqa: S311  # repeatable on purpose, no secret
    keys = _keys(customers, skew, chance)
    kinds = [(TRANSACTIONS, b"kairos.transaction.v1"), *[(APP_USAGE, b"kairos.app_usage.v1")] * 2]
    values = [[_load_value(place, chance) for _ in range(1000)] for place in range(3)]
    second, time = -1, ""
    for place in count() if number is None else range(number):
        at = start + place // 10
        if at // 1000 != second:
            second, time = at // 1000, rfc3339(at)[:20]
        topic, type_ = kinds[place % 3]
        headers = (
            *(("ce_specversion", b"1.0"), ("ce_id", b"%x" % place), ("ce_source", b"/load"), ("ce_type", type_)),
            *(("ce_time", b"%s%03dZ" % (time.encode(), at % 1000)), ("content-type", b"application/json")),
        )
        key = keys[int(chance.random() * len(keys))]
        yield Record(topic, 0, place, key, values[place % 3][place % 1000], headers, at)


def _happenings(customers: int, days: int, seed: int) -> Iterator[tuple[Millis, Millis, Line]]:
    """Give when, when it arrives, and the line of everything that happens; some arrive late and some twice."""
    chance = Random(f"happenings {seed}")  # noqa: S311  # repeatable on purpose, no secret
    number = 0
    for minute in range(START, START + days * DAY, MINUTE):
        hour = (minute // HOUR + 8) % 24
        burst = 4.0 if chance.random() < 0.01 else 1.0
        expected = customers * EVENTS_A_DAY * _DAY[hour] / sum(_DAY) / 60 * burst
        stem = rfc3339(minute)[:17]
        for offset in sorted(chance.randrange(MINUTE) for _ in range(int(expected + chance.random()))):
            number += 1
            who = int(customers * chance.random() ** 1.3)
            time, at = f"{stem}{offset // 1000:02d}.{offset % 1000:03d}Z", minute + offset
            line = _happening(who, person_of(who, seed), hour, f"s{number:x}", time, chance)
            luck = chance.random()
            yield at, at + (chance.randrange(10 * MINUTE, LATEST) if luck < LATE else 0), line
            if luck > 1 - TWICE:
                yield at, at + chance.randrange(1000, 5 * MINUTE), line


def _happening(who: int, person: Person, hour: int, id_: str, time: str, chance: Random) -> Line:
    kind, key = chance.random(), key_of(who)
    if kind < 0.0002:
        value = b'{"what":"opted_out","channel":"sms","purpose":"*","simulated":true}'
        return Line("feedback", key, "feedback", id_, "/sim", time, msgspec.Raw(value))
    if kind < 0.28:
        return Line("transactions", key, "transaction", id_, "/sim", time, msgspec.Raw(_paid(person, hour, chance)))
    if kind < 0.36 and person.mobile_bank == "active":
        type_ = "login" if kind < 0.33 else "page_view"
        value = b'{"channel":"mobile_bank","link":"synthetic"}' if kind < 0.33 else _page(chance)
        return Line("app-usage", key, type_, id_, "/sim", time, msgspec.Raw(value))
    apps = apps_of(CLASSES[_class(person, hour, chance)])
    app = apps[int(len(apps) * chance.random() ** 2)]
    used = f'{{"app":"{app}","seconds":{int(5 + 600 * chance.random() ** 3)},"link":"synthetic"}}'
    return Line("app-usage", key, "app_usage", id_, "/sim", time, msgspec.Raw(used.encode()))


def _class(person: Person, hour: int, chance: Random) -> int:
    if chance.random() < OWN:
        return person.favourites[int(3 * chance.random())]
    return chance.choices(range(len(CLASSES)), cum_weights=_HOURS[hour])[0]


def _paid(person: Person, hour: int, chance: Random) -> bytes:
    merchants = [m for m, own in MERCHANTS.items() if own == CLASSES[_class(person, hour, chance)]]
    trade = TRADES[int(len(TRADES) * chance.random())]
    merchant = (
        merchants[int(len(merchants) * chance.random())] if merchants else f"shop-{trade}-{int(99 * chance.random())}"
    )
    return (
        f'{{"amount":{int(500 + 60_000 * chance.random() ** 4)},"currency":"CNY","direction":"debit","kind":"purchase",'
        f'"card":"{person.card}","channel":"{"app" if merchants else "pos"}","merchant":"{merchant}",'
        f'"merchant_category":"{MERCHANTS.get(merchant, trade)}","link":"synthetic"}}'
    ).encode()


def _page(chance: Random) -> bytes:
    page = ("credit-card", "coupons", "funds", "loans", "statement")[int(5 * chance.random())]
    return f'{{"page":"{page}","link":"synthetic"}}'.encode()


def _by_arrival(found: Iterator[tuple[Millis, Millis, Line]], end: Millis) -> Iterator[Line]:
    """Put lines in the order of their arrival; what would arrive after the end arrives at the end."""
    waiting: list[tuple[Millis, int, Line]] = []
    for place, (at, arrives, line) in enumerate(found):
        while waiting and waiting[0][0] <= at:
            yield heappop(waiting)[2]
        if arrives == at:
            yield line
            continue
        arrives = min(arrives, end)
        heappush(waiting, (arrives, place, msgspec.structs.replace(line, arrived=rfc3339(arrives))))
    while waiting:
        yield heappop(waiting)[2]


def _counted(lines: Iterator[Line], progress: Callable[[int], None] | None) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        yield line
        if progress and number % 10_000 == 0:
            progress(number)


def _write_truth(path: Path, customers: int, seed: int) -> None:
    chance = Random(f"truth {seed}")  # noqa: S311  # repeatable on purpose, no secret
    with writing(path) as out:
        first = {"format": "kairos-truth/1", "origin": "simulated", "seed": seed, "classes": CLASSES}
        out.write(msgspec.json.encode(first) + b"\n")
        for number in range(customers):
            out.write(msgspec.json.encode(truth_of(number, person_of(number, seed), chance)) + b"\n")


def _keys(customers: int, skew: bool, chance: Random) -> list[bytes]:
    everybody = [b"L%06d" % number for number in range(customers)]
    if not skew:
        return everybody
    # Shares of a Pareto with tail index 1.16, the one behind "80 % come from 20 %".
    weights = list(accumulate((rank + 1) ** -0.862 for rank in range(customers)))
    return chance.choices(everybody, cum_weights=weights, k=1 << 18)


def _load_value(place: int, chance: Random) -> bytes:
    if place == 0:
        value = (
            f'{{"amount":{chance.randrange(100, 90_000)},"currency":"CNY","direction":"debit","kind":"purchase",'
            f'"card":"debit","channel":"pos","merchant":"shop-{chance.randrange(3000)}",'
            f'"merchant_category":"{chance.choice(TRADES)}","link":"synthetic"'
        )
    else:
        class_ = chance.choice(CLASSES)
        app = chance.choice(apps_of(class_))
        value = f'{{"app":"{app}","app_class":"{class_}","seconds":{chance.randrange(5, 900)},"link":"synthetic"'
    # Padded to the size that the bank's records had in the measurements.
    return f'{value},"device":"{"x" * max(0, 182 - len(value))}"}}'.encode()
