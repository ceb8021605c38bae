"""The tests inside rules: run, told when they fail, and the files to begin with."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.cli import app
from rules.book import load
from rules.cases import run
from rules.schema import Scenario
from rules.skeletons import skeleton
from tests.rules_strategies import written
from tests.test_rules_match import rule

TWICE = {"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 2}}]}
FOOD = {"event": "app_usage", "app_class": "food_delivery"}


def kairos(*words: str) -> tuple[int, str]:
    """Run the program; gives its exit code and what it said on both streams."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def told(why_not: dict[str, str], fires: list[str], **changes: Any) -> list[str]:
    """Run one test over three events at noon of three days; gives what is said of it."""
    events = [{**FOOD, "at": f"2026-12-0{day} 12:00"} for day in (7, 8, 9)]
    case = {"name": "three", "events": events, "fires": fires, "why_not": why_not}
    loaded = load({"r.yaml": written(rule(when=TWICE, limits={"cooldown": "30d"}, tests=[case], **changes))})
    return [p.what for p in loaded.problems] if loaded.book is None else [str(f) for f in run(loaded.book)]


def test_a_test_may_say_which_clause_or_gate_is_in_the_way() -> None:
    assert told({"2026-12-07 12:00": "count", "2026-12-09 12:00": "cooldown"}, ["2026-12-08 12:00"]) == []


def test_another_reason_than_the_one_said_is_a_failure() -> None:
    assert told({"2026-12-07 12:00": "attr"}, ["2026-12-08 12:00"]) == [
        "r: three: should be silent at 2026-12-07T04:00:00.000Z because of attr, is because of count"
    ]


def test_the_first_clause_in_the_way_is_the_reason_and_a_kind_may_name_its_field() -> None:
    who = {"all": [{"attr": {"age": {"at_least": 18}}}]}

    assert told({"2026-12-07 12:00": "attr:age"}, [], who=who) == []
    assert told({"2026-12-07 12:00": "attr"}, [], who=who) == []
    assert len(told({"2026-12-07 12:00": "count"}, [], who=who)) == 1


@pytest.mark.parametrize(
    ("why_not", "expected"),
    [
        ({"2026-12-07 12:00": "cuont"}, "'cuont' is nothing that silences a rule in a test; did you mean 'count'?"),
        ({"2026-12-06 12:00": "count"}, "no event of this test happens at this time"),
        ({"2026-12-08 12:00": "count"}, "the rule fires at this time, so nothing is in the way"),
        ({"noon": "count"}, "expected a local time such as \"2026-12-01 12:05\", got 'noon'"),
    ],
)
def test_a_slip_in_why_not_is_told(why_not: dict[str, str], expected: str) -> None:
    assert told(why_not, ["2026-12-08 12:00"]) == [expected]


def test_a_failed_test_is_told_with_its_place_local_times_and_every_clause(tmp_path: Path) -> None:
    text = skeleton(Scenario.ACQUISITION).replace("within: 7d, at_least: 2", "within: 7d, at_least: 1")
    file = tmp_path / "lunch.yaml"
    file.write_text(text, encoding="utf-8")
    line = next(n for n, said in enumerate(text.splitlines(), 1) if "the second order in a week" in said)

    code, output = kairos("rules", "test", str(tmp_path))

    assert code == 1
    assert f"{file}:{line}: my-newcomers: the second order in a week fires\n  + 2026-12-07 12:05  fires and" in output
    assert "  - 2026-12-09 12:10  should fire and does not: cooldown\n" in output
    assert "        ✗ at most once in 30 days: 2 days 5 minutes ago\n" in output
    assert "2 of 2 tests did not come out" not in output
    assert "1 of 2 tests did not come out" in output


def test_a_firing_without_an_event_is_told_as_such(tmp_path: Path) -> None:
    text = skeleton(Scenario.ACQUISITION).replace("fires: [2026-12-09 12:10]", "fires: [2026-12-09 12:11]")
    (tmp_path / "lunch.yaml").write_text(text, encoding="utf-8")

    code, output = kairos("rules", "test", str(tmp_path), "--language", "zh")

    assert code == 1
    assert "  - 2026-12-09 12:11  应当触发，但测试中此时没有事件\n" in output
    assert "        ✓ 7天内至少2次该事件: 2\n" in output


@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_new_file_passes_the_check_and_its_own_tests_and_is_never_overwritten(
    scenario: Scenario, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"

    assert kairos("rules", "new", scenario.value, str(file))[0] == 0
    assert kairos("rules", "check", str(file))[0] == 0
    code, output = kairos("rules", "test", str(file))
    assert (code, output) == (0, "1 rule, 2 tests, all as they should be\n")
    before = file.read_bytes()
    code, output = kairos("rules", "new", scenario.value, str(file))
    assert code == 1
    assert "stays as it is" in output
    assert file.read_bytes() == before


def test_files_with_mistakes_are_not_tested(tmp_path: Path) -> None:
    file = tmp_path / "lunch.yaml"
    file.write_text(skeleton(Scenario.ACQUISITION).replace("count:", "cuont:", 1), encoding="utf-8")

    code, output = kairos("rules", "test", str(file))

    assert code == 1
    assert "unknown key 'cuont'; did you mean 'count'?" in output
