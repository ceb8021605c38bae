"""What the tools read: a log as what happened, its columns beside it, and a replay's clock."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given

from console.column_store import columns_beside, store_of
from console.recorded import happenings, recorded
from kairos.apps import Apps
from kairos.events import AppUsage, Profile
from kairos.instants import DAY
from kairos.ports import Record
from rules.columns import Columns
from rules.columns_made import columns_of
from rules.lives import Forgotten, Happening
from rules.trying import _replayed, tried
from streams.event_log import Line, read
from streams.replay import Replay
from streams.topics import CUSTOMERS, DECISIONS
from streams.versions import Versions
from tests.rules_strategies import NOON, book_of, event_of, rules, unhurried
from tests.small_log import happened, profile, small_log
from tests.test_rule_tools import LUNCH, food
from tests.test_rules_estimate import logs, people, profile_of


def test_the_columns_of_a_log_are_made_once_and_again_when_the_log_changes(tmp_path: Path) -> None:
    log, made = small_log(tmp_path / "log.jsonl.gz", food("c1", NOON)), []

    @contextmanager
    def reading() -> Iterator[Iterator[Happening]]:
        made.append(1)
        with recorded(log, Apps(), "reading") as found:
            yield found

    assert columns_beside(log, b"", reading).events == 1
    assert columns_beside(log, b"", reading).events == 1
    assert len(made) == 1
    small_log(log, food("c1", NOON), food("c1", NOON + 1))
    assert columns_beside(log, b"", reading).events == 2
    columns_beside(log, b"other apps", reading)
    assert len(made) == 3
    store_of(log).write_bytes(b"no store")
    assert columns_beside(log, b"", reading).events == 2
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["log.jsonl.gz", "log.jsonl.gz.columns.npz"]


def test_a_store_holds_nothing_that_would_have_to_be_unpickled() -> None:
    known = Profile(attrs={"age": 30, "name": "Wang", "vip": True, "rate": 0.5}, tags=frozenset({"a"}))

    arrays = columns_of([profile_of("c7", known), event_of(AppUsage(app="a", lat=31.2), NOON)])

    assert {array.dtype.kind for array in arrays.values()} <= set("iu")


def test_what_comes_twice_or_is_broken_happened_once_or_never() -> None:
    twice = food("c1", NOON, "one")
    broken = happened("c1", "app_usage", NOON, "two", seconds=5)
    elsewhere = happened("c1", "app_usage", NOON, "three", app="a")
    rows = [*(record_of(line) for line in (twice, twice, broken)), record_of(elsewhere, CUSTOMERS)]

    found = list(happenings([*rows, Record(CUSTOMERS, 0, 0, b"c1", None, (), NOON)], Apps()))

    assert [one if isinstance(one, Forgotten) else one.type for one in found] == ["app_usage", Forgotten("c1")]


def record_of(line: Line, topic: str = "") -> Record:
    headers = {"ce_id": line.id, "ce_source": line.source, "ce_type": f"kairos.{line.type}.v1", "ce_time": line.time}
    data = b"" if isinstance(line.data, msgspec.UnsetType) else bytes(line.data)
    known = tuple((name, (text or "").encode()) for name, text in headers.items())
    return Record(topic or "kairos.events.app-usage.v1", 0, 0, (line.key or "").encode(), data, known, NOON)


@unhurried
@given(rules(0, consumes=False), people, logs)
def test_a_replay_event_by_event_finds_what_the_columns_find(said: Any, people: Any, log: Any) -> None:
    asked = book_of(said).rules["rule-0"]
    told = [*(profile_of(*one) for one in people.items()), *sorted(log, key=lambda event: event.at)]

    found = tried(asked, Columns(columns_of(told)), lambda: told)
    again = _replayed(asked, told, "")

    assert (found.triggers, found.matched) == (again.triggers, again.matched)
    assert sorted(found.fired) == sorted(again.fired)


def test_an_event_from_the_future_does_not_move_a_replays_clock(tmp_path: Path) -> None:
    future = happened("c1", "app_usage", NOON + 5 * 365 * DAY, app="a")
    ahead = msgspec.structs.replace(future, arrived="2026-12-01T04:00:00Z")
    log = small_log(tmp_path / "log.jsonl", profile("c1", "vip", age=30), food("c1", NOON), ahead, food("c1", NOON + 1))
    book = book_of(LUNCH)

    outputs = list(Replay(Versions().having("rules", book.content)).run(read(log)[1]))

    (decision,) = [json.loads(output.value or b"") for output in outputs if output.topic == DECISIONS][:1]
    assert decision["verdicts"][0]["verdict"] != "stale"
