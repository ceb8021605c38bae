"""The tools around rules: why, coverage, estimate and diff, over small logs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from console.column_store import columns_beside, store_of
from console.recorded import happenings, recorded
from kairos.apps import Apps
from kairos.events import AppUsage, Profile
from kairos.instants import DAY, HOUR
from kairos.ports import Record
from rules.columns import Columns, columns_of
from rules.lives import Forgotten, Happening
from rules.trying import _replayed, tried
from streams.event_log import Line, read
from streams.replay import Replay
from streams.topics import CUSTOMERS, DECISIONS
from streams.versions import Versions
from tests.rules_strategies import NOON, book_of, event_of, rules, unhurried, written
from tests.small_log import happened, profile, small_log
from tests.test_rules_cases import kairos
from tests.test_rules_estimate import logs, people, profile_of
from tests.test_rules_match import rule

LUNCH = rule(
    id="lunch",
    on={"event": "app_usage", "where": {"app_class": "food_delivery"}},
    who={"all": [{"tag": "vip"}, {"attr": {"age": {"at_least": 18}}}]},
    when={"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 2}}]},
    limits={"cooldown": "14d"},
)
POLICY = 'format: 1\nzone: Asia/Shanghai\nhours: {sms: "00:00-24:00"}\n'


def food(customer: str, at: int, name: str = "") -> Line:
    return happened(customer, "app_usage", at, name, app="a", app_class="food_delivery")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with rules, a policy, pools, apps and a log."""
    (tmp_path / "rules.yaml").write_text(written(LUNCH), encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "pools.yaml").write_text("format: 1\nzone: UTC\ncurrency: CNY\npools: []\n", encoding="utf-8")
    (tmp_path / "apps.json").write_text((Path("examples") / "apps.json").read_text(encoding="utf-8"), encoding="utf-8")
    small_log(
        tmp_path / "log.jsonl",
        profile("C0000001", "vip", age=30, name="Wang"),
        profile("C0000002", age=30),
        food("C0000001", NOON),
        food("C0000002", NOON + HOUR),
        food("C0000001", NOON + DAY),
        food("C0000001", NOON + 2 * DAY),
        happened("C0000001", "login", NOON + 3 * DAY),
    )
    return tmp_path


def run(world: Path, *words: str) -> tuple[int, str]:
    apps = ["--apps", str(world / "apps.json"), "--log", str(world / "log.jsonl")]
    return kairos("rules", *words, *apps)


def why(world: Path, at: str, *more: str) -> tuple[int, str]:
    paths = [part for name in ("policy", "pools") for part in (f"--{name}", str(world / f"{name}.yaml"))]
    asked = ["--customer", "C0000001", "--at", at, "--rules", str(world / "rules.yaml"), *more]
    return run(world, "why", *asked, *paths)


def test_why_explains_the_newest_event_before_the_time_with_the_engines_own_state(world: Path) -> None:
    code, fired = why(world, "2026-12-02 13:00")
    _, resting = why(world, "2026-12-03 12:00")

    assert code == 0
    assert fired.startswith(
        "customer  C0***\nevent     app_usage, food_delivery at 2026-12-02 12:00 (Asia/Shanghai)\n"
        "decided   offered: lunch won\n\nlunch: fires\n"
    )
    assert "    ✓ at least 2 × the same in 7 days: 2\n" in fired
    assert "decided   suppressed: lunch cooldown\n\nlunch: matches, and is refused: cooldown\n" in resting
    assert "    ✗ at most once in 14 days: 1 day ago\n" in resting
    assert "Wang" not in fired + resting
    assert "C0000001" not in fired + resting


def test_why_tells_which_clause_was_in_the_way_in_chinese_too(world: Path) -> None:
    _, early = why(world, "2026-12-01T12:00:00+08:00", "--language", "zh")
    _, login = why(world, "2026-12-05 00:00")
    _, asked = why(world, "2026-12-05 00:00", "--rule", "lunch")

    assert "decided   nothing: no rule matched\n\nlunch: does not match: count\n" in early
    assert "    ✗ 7天内至少2次该事件: 1\n" in early
    assert login.endswith("\nno rule is triggered by login\n")
    assert "lunch: does not match: event\n" in asked


def test_why_says_when_there_is_no_event_to_be_explained(world: Path) -> None:
    assert why(world, "2026-11-30 12:00") == (
        1,
        "C0*** has no event at or before 2026-11-30 12:00 (Asia/Shanghai); the next ones are at "
        "2026-12-01 12:00, 2026-12-02 12:00, 2026-12-03 12:00\n",
    )
    assert why(world, "noon")[1].startswith("'noon' is no time; write it as")
    assert why(world, "2026-12-02 12:00", "--rule", "lnch")[1] == "there is no rule 'lnch'; did you mean 'lunch'?\n"
    assert "is the key right?" in why(world, "2026-12-02 12:00", "--customer", "nobody")[1]


def test_coverage_points_at_clauses_that_say_nothing(world: Path) -> None:
    never = rule(id="never", on={"event": "page_view"}, who={"all": [{"tag": "vip"}]})
    (world / "rules.yaml").write_text(written(LUNCH, never), encoding="utf-8")

    code, output = run(world, "coverage", "--rules", str(world / "rules.yaml"))

    assert code == 0
    rows = [line.split() for line in output.splitlines()]
    assert ["lunch:", "the", "trigger", "was", "met", "4", "times,", "everything", "2", "times"] in rows
    assert ["app_class", "=", "food_delivery", "4", "0", "0", "<-", "never", "false"] in rows
    assert ["tagged", "vip", "3", "1", "0"] in rows
    assert ["age", "≥", "18", "4", "0", "0", "<-", "never", "false"] in rows
    assert ["at", "least", "2", "×", "the", "same", "in", "7", "days", "2", "2", "0"] in rows
    assert ["never:", "the", "trigger", "was", "met", "0", "times,", "everything", "0", "times"] in rows
    assert ["tagged", "vip", "0", "0", "0", "<-", "never", "asked"] in rows


def test_an_estimate_is_a_sentence_and_a_small_table(world: Path) -> None:
    code, output = run(world, "estimate", str(world / "rules.yaml"))

    assert code == 0
    assert (
        "would have fired 1 time for 1 customer from 2026-12-01 to 2026-12-04: "
        "of 4 triggers 2 matched, the cooldown left these\n"
        "               firings customers\n"
        "  2026-12-02         1         1\n"
        "attributes and tags are those at the log's end\n"
    ) in output
    assert store_of(world / "log.jsonl").exists()


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
@given(rules(0), people, logs)
def test_a_replay_event_by_event_finds_what_the_columns_find(said: Any, people: Any, log: Any) -> None:
    asked = book_of(said).rules["rule-0"]
    told = [*(profile_of(*one) for one in people.items()), *sorted(log, key=lambda event: event.at)]

    found = tried(asked, Columns(columns_of(told)), lambda: told)
    again = _replayed(asked, told, "")

    assert (found.triggers, found.matched) == (again.triggers, again.matched)
    assert sorted(found.fired) == sorted(again.fired)


def test_a_diff_says_each_change_and_whom_it_gains_and_loses(world: Path) -> None:
    changed = json.loads(json.dumps(LUNCH))
    changed["who"]["all"] = [{"attr": {"age": {"at_least": 21}}}]
    changed["when"]["all"][0]["count"]["at_least"] = 1
    changed["when"]["all"].append({"last_seen": {"event": "login", "at_least": "60d"}})
    changed["then"]["channels"] = ["push", "sms"]
    (world / "new.yaml").write_text(written(changed, rule(id="more")), encoding="utf-8")

    code, output = run(world, "diff", str(world / "rules.yaml"), str(world / "new.yaml"))

    assert code == 0
    assert output.strip().splitlines() == [
        "~ lunch changed",
        "    who: from age ≥ 18 to age ≥ 21",
        "    who: no longer tagged vip",
        "    when: from at least 2 × the same in 7 days to at least 1 × the same in 7 days",
        "    when: now also no login for 60 days",
        "    channels: from SMS to push, SMS",
        "    starts cold, counts from the change on: no login for 60 days",
        "    firings: 1 before, 2 after; 2 gained, 1 lost",
        "    gains 1 customer, such as C0***02",
        "    loses 0 customers",
        "+ more added: On app use, offer p by SMS.",
        "    firings: 0 before, 4 after; 4 gained, 0 lost",
        "    gains 2 customers, such as C0***01, C0***02",
        "    loses 0 customers",
    ]


def test_what_must_not_happen_is_replayed_up_to_its_deadline(world: Path) -> None:
    absent = {"absent": {"event": "login", "for": "1h"}}
    asked = LUNCH | {"when": {"all": [absent]}, "limits": {}}
    (world / "rules.yaml").write_text(written(asked), encoding="utf-8")
    small_log(
        world / "log.jsonl",
        profile("C0000001", "vip", age=30),
        food("C0000001", NOON),
        happened("C0000001", "login", NOON + HOUR // 2),
        food("C0000001", NOON + DAY),
        food("C0000002", NOON + 2 * DAY),
        food("C0000001", NOON + 2 * DAY),
    )

    output = run(world, "estimate", str(world / "rules.yaml"))[1]

    # The first is met by the login, and the log ends before the last is due.
    assert "would have fired 1 time for 1 customer" in output
    assert "columns cannot tell absent, so the log was replayed event by event" in output
    assert "lunch: matches, and waits for what must not happen\n" in why(world, "2026-12-02 12:00")[1]


def test_books_that_say_the_same_have_no_difference_and_a_removed_rule_is_told(world: Path) -> None:
    path = str(world / "rules.yaml")
    (world / "none.yaml").write_text(written(rule(id="other")), encoding="utf-8")

    assert kairos("rules", "diff", path, path) == (0, "both say the same\n")
    output = kairos("rules", "diff", path, str(world / "none.yaml"), "--language", "zh")[1]
    assert output.splitlines()[0].startswith("- lunch removed: 当客户使用App（app_class = food_delivery）时，")


def test_a_log_that_is_none_is_told_in_a_sentence(world: Path) -> None:
    (world / "log.jsonl").write_text("no log", encoding="utf-8")

    code, output = run(world, "estimate", str(world / "rules.yaml"))

    assert code == 1
    assert "log.jsonl:1: no header of kairos-log/1" in output


def test_an_event_from_the_future_does_not_move_a_replays_clock(tmp_path: Path) -> None:
    future = happened("c1", "app_usage", NOON + 5 * 365 * DAY, app="a")
    ahead = msgspec.structs.replace(future, arrived="2026-12-01T04:00:00Z")
    log = small_log(tmp_path / "log.jsonl", profile("c1", "vip", age=30), food("c1", NOON), ahead, food("c1", NOON + 1))
    book = book_of(LUNCH)

    outputs = list(Replay(Versions().having("rules", book.content)).run(read(log)[1]))

    (decision,) = [json.loads(output.value or b"") for output in outputs if output.topic == DECISIONS][:1]
    assert decision["verdicts"][0]["verdict"] != "stale"
