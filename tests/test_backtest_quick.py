"""The quick backtest: every decision of the one record by record, bit for bit, and nobody lived through in vain."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from console.simulate import write_simulation
from kairos.events import AppUsage, Event, Login
from kairos.instants import DAY, HOUR, MINUTE, SECOND, Millis, rfc3339
from kairos.ports import Output
from kairos.wire import json_of
from streams import event_log
from streams.backtest_log import met_by
from streams.backtest_log_made import arrays_of
from streams.backtest_quick import Quick
from streams.backtest_time import Times
from streams.event_log import Arrived, Line
from streams.event_log_record import record_of
from streams.replay import Replay
from streams.topics import (
    DECISIONS,
    EXAMPLES,
    LEDGER_ANSWERS,
    LEDGER_COMMANDS,
    OFFERS_LIST,
    OFFERS_PUSH,
    OFFERS_SMS,
)
from streams.versions import Versions
from streams.watermark import kept
from tests.rules_strategies import NOON, TAGS, book_of, event_of, events, rules, unhurried

CONSENT = [{"purpose": "*", "channel": "*", "granted": True, "at": "2020-01-01T00:00:00Z"}]
HEARD = {DECISIONS, OFFERS_SMS, OFFERS_PUSH, OFFERS_LIST, LEDGER_COMMANDS, LEDGER_ANSWERS, EXAMPLES}
POLICY = {
    "format": 1,
    "zone": "Asia/Shanghai",
    "hours": {"sms": "11:00-12:20", "push": "00:00-24:00", "list": "12:00-12:30"},
    "caps": {"push": {"within": "1h", "at_most": 2}},
    "gap": "30s",
}
POOL = '[{"pool":"p","programme":"one","merchant":"m","value":100,"currency":"CNY","count":3,"prefix":"P"}]'


@dataclass(frozen=True)
class Told:
    """One record of a drawn log, and how long it was on its way."""

    customer: str
    what: Event | dict[str, Any] | None
    at: Millis
    late: Millis
    name: int


def written(told: Told, *, as_text: bool = False) -> Line:
    arrived = rfc3339(told.at + told.late)
    if told.what is None:
        return Line("customers", told.customer, arrived=arrived)
    if isinstance(told.what, Event):
        type_: str = told.what.type
        value = json_of(told.what.type, told.what.data)
    else:
        type_, value = told.what["type"], json.dumps(told.what["data"]).encode()
    topic = {"customer": "customers", "feedback": "feedback", "transaction": "transactions"}.get(type_, "app-usage")
    line = Line(
        topic,  # type: ignore[arg-type]  # the table's names
        told.customer,
        type_,
        f"e-{told.name}",
        "/test",
        rfc3339(told.at),
        arrived=arrived if told.late else None,
    )
    return structs.replace(line, raw=value.decode()) if as_text else structs.replace(line, data=msgspec.Raw(value))


def arrived(log: Sequence[Told], *, as_text: bool = False) -> list[Arrived]:
    return [(place, written(told, as_text=as_text), told.at + told.late) for place, told in enumerate(log)]


people = st.sampled_from(["a", "b", "c", "d"])
late = st.sampled_from([0, 0, 0, SECOND, 20 * SECOND, 3 * MINUTE, 2 * HOUR])
names = st.integers(0, 10**6) | st.integers(0, 5)
happened = st.builds(lambda who, what, wait, name: Told(who, what, what.at, wait, name), people, events, late, names)
profile = st.fixed_dictionaries(
    {
        "attrs": st.fixed_dictionaries(
            {}, optional={"age": st.integers(20, 40), "mobile_bank": st.sampled_from(["active", "registered"])}
        ),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2, unique=True),
        "consent": st.just(CONSENT),
        "personalisation": st.just(True),
    }
).map(lambda data: {"type": "customer", "data": data})
odd = st.sampled_from(
    [
        None,
        {"type": "feedback", "data": {"what": "opted_out", "channel": "push"}},
        {"type": "nonsense", "data": {}},
        {"type": "login", "data": {"channel": 7}},
    ]
)
moments = st.sampled_from([NOON - 1, NOON + 3_000, NOON + HOUR, NOON + DAY, NOON + 5 * DAY])
others = st.builds(Told, people, profile | odd, moments, late, names)
first = st.lists(st.builds(Told, people, profile, st.just(NOON - DAY), st.just(0), names), max_size=5)
logs = st.tuples(first, st.lists(happened, max_size=25), st.lists(others, max_size=3)).map(
    lambda parts: sorted((one for part in parts for one in part), key=lambda one: one.at + one.late)
)


@st.composite
def found(draw: st.DrawFn, number: int) -> dict[str, Any]:
    rule = draw(rules(number))
    rule |= draw(st.sampled_from([{}, {"in_quiet_hours": "defer", "fresh": "1d"}, {"fresh": "30d"}]))
    if rule["programme"] == "one" and draw(st.booleans()):
        rule["then"] = rule["then"] | {"offer": {"product": "thing", "pool": "p"}}
    return rule


books = st.integers(1, 3).flatmap(lambda count: st.tuples(*(found(number) for number in range(count))))


def versions(*rules_: dict[str, Any]) -> Versions:
    book = book_of(*rules_)
    policy = json.dumps(POLICY).encode()
    return Versions().having("pools", POOL.encode()).having("rules", book.content).having("policy", policy)


def both(log: Sequence[Told], books_: Versions) -> tuple[list[Output], list[Output], Quick]:
    """The records that matter, written record by record and in the quick way."""
    lines = arrived(log)
    records = [record_of(line, place, at) for place, line, at in lines]
    arrays = arrays_of(lines, books_.apps)
    quick = Quick(Replay(books_), arrays, met_by(books_.book, arrays))
    chosen = (records[line] for line in quick.lines.tolist())
    straight = [output for output in Replay(books_).run(records) if output.topic in HEARD]
    return straight, [output for output in quick.run(chosen) if output.topic in HEARD], quick


@unhurried
@given(logs, books)
def test_the_quick_backtest_decides_bit_for_bit_as_the_one_record_by_record(
    log: list[Told], rules_: tuple[dict[str, Any], ...]
) -> None:
    straight, quick, _ = both(log, versions(*rules_))

    assert quick == straight


@unhurried
@given(logs)
def test_the_short_way_into_the_arrays_is_the_way_through_the_door(log: list[Told]) -> None:
    # A value that stands in the log as text is never read on the short way.
    short, door = (arrays_of(arrived(log, as_text=as_text), Versions().apps) for as_text in (False, True))

    assert {name: array.tolist() for name, array in short.items()} == {
        name: array.tolist() for name, array in door.items()
    }


@unhurried
@given(logs)
def test_event_time_over_a_whole_log_is_that_of_the_stage_after_each_record(log: list[Told]) -> None:
    lines = arrived(log)
    replay, times = Replay(Versions()), Times.of(arrays_of(lines, Versions().apps))

    for place, line, at in lines:
        list(replay.take(record_of(line, place, at)))

        assert replay.now == times.clock[place]
        assert kept(replay.stores["customers"]) == times.after(place)


TRIPS = {
    "id": "trips",
    "name": "trips",
    "scenario": "activation",
    "programme": "one",
    "on": {"event": "app_usage", "where": {"app_class": "travel"}},
    "who": {"tag": "vip"},
    "when": {"count": {"same_as": "on", "within": "1h", "at_least": 2}},
    "then": {
        "offer": {"product": "thing"},
        "channels": ["push"],
        "template": "t",
        "text": {"zh": "好", "en": "good"},
        "expires": "2h",
    },
}


def life(customer: str, *tags: str, trips: int) -> list[Told]:
    usage = [event_of(AppUsage(app="a", app_class="travel"), NOON + n * MINUTE) for n in range(trips)]
    known = {"tags": list(tags), "consent": CONSENT, "personalisation": True}
    told: list[Any] = [{"type": "customer", "data": known}, *usage]
    at = [NOON - DAY, *(event.at for event in usage)]
    return [Told(customer, what, at[n], 0, n) for n, what in enumerate(told)]


def test_only_customers_whom_a_rule_may_meet_are_lived_through() -> None:
    log = [*life("once", "vip", trips=1), *life("nobody", trips=9), *life("met", "vip", trips=9)]
    # The first event of all begins the memories, and stays.
    first = Told("first", event_of(Login(), NOON - DAY), NOON - DAY, 0, 99)

    straight, quick, run = both([first, *sorted(log, key=lambda one: one.at)], versions(TRIPS))

    assert quick == straight
    assert len(run.places) == 1 + 10
    assert any(output.topic == OFFERS_PUSH for output in quick)


def test_a_wait_ends_at_the_same_moment_though_everybody_else_is_passed_over() -> None:
    waits = {"when": {"absent": {"event": "login", "for": "10m"}}, "who": {"tag": "vip"}}
    busy = [
        Told("other", event_of(Login(), NOON + n * SECOND), NOON + n * SECOND, n % 3 * SECOND, 100 + n)
        for n in range(900)
    ]
    log = sorted([*life("met", "vip", trips=2), *busy], key=lambda one: one.at + one.late)

    straight, quick, run = both(log, versions(TRIPS | waits))

    assert quick == straight
    assert sum(b'"absence":{' in (output.value or b"") for output in quick) == 1
    assert len(run.places) == 3


def test_some_lines_are_read_as_all_are_and_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    write_simulation(tmp_path / "log.jsonl", tmp_path / "truth.jsonl", customers=2, days=1, seed=1)
    first = next(event_log.read_some(tmp_path / "log.jsonl", [1]))

    with pytest.raises(event_log.BrokenLog, match="there is no line 1000002"):
        list(event_log.read_some(tmp_path / "log.jsonl", [0, 1_000_000]))
    assert first == list(event_log.read(tmp_path / "log.jsonl")[1])[1]
