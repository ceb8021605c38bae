"""The tools around rules: why, coverage, estimate and diff, over small logs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from console.column_store import store_of
from kairos.instants import DAY, HOUR
from streams.event_log import Line
from tests.rules_strategies import NOON, written
from tests.small_log import happened, profile, small_log
from tests.test_rules_cases import kairos
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

    assert early.startswith("客户  C0***\n事件     app_usage, food_delivery 发生于 2026-12-01 12:00 (Asia/Shanghai)\n")
    assert "决策   无：没有规则满足条件\n\nlunch: 不满足条件: count\n" in early
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


def test_a_diff_says_each_change_and_whom_it_gains_and_loses(world: Path) -> None:
    changed = json.loads(json.dumps(LUNCH))
    changed["who"]["all"] = [{"attr": {"age": {"at_least": 21}}}]
    changed["when"]["all"][0]["count"]["at_least"] = 1
    changed["when"]["all"].append({"last_seen": {"event": "login", "at_least": "60d"}})
    changed["then"]["channels"] = ["push", "sms"]
    changed["limits"]["per_customer"] = 3
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
        "    other limits: from nothing to at most 3 times for a customer",
        "    starts cold, counts from the change on: no login for 60 days",
        "    firings: 1 before, 2 after; 2 gained, 1 lost",
        "    gains 1 customer, such as C0***02",
        "    loses 0 customers",
        "+ more added: On app use, offer p by SMS.",
        "    firings: 0 before, 4 after; 4 gained, 0 lost",
        "    gains 2 customers, such as C0***01, C0***02",
        "    loses 0 customers",
    ]


def test_what_must_not_happen_is_waited_for_to_its_deadline_and_what_columns_cannot_tell_is_replayed(
    world: Path,
) -> None:
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
    (world / "rules.yaml").write_text(written(asked | {"consume": True}), encoding="utf-8")
    again = run(world, "estimate", str(world / "rules.yaml"))[1]

    # The first is met by the login, and the log ends before the last is due.
    assert all("would have fired 1 time for 1 customer" in said for said in (output, again))
    told = "columns cannot tell what follows from earlier firings, so the log was replayed event by event, in 0."
    assert (told in output, told in again) == (False, True)
    assert "lunch: matches, and waits for what must not happen\n" in why(world, "2026-12-02 12:00")[1]


def test_a_rule_that_consumes_counts_anew_in_a_replay_and_fires_no_more_than_it_may(world: Path) -> None:
    def times(**more: Any) -> str:
        spaced = {**LUNCH, "limits": {}, **more}
        (world / "rules.yaml").write_text(written(spaced), encoding="utf-8")
        small_log(
            world / "log.jsonl",
            profile("C0000001", "vip", age=30),
            *(food("C0000001", NOON + n * HOUR) for n in range(7)),
        )
        return run(world, "estimate", str(world / "rules.yaml"))[1]

    assert "would have fired 6 times for 1 customer" in times()
    assert "would have fired 3 times for 1 customer" in times(consume=True)
    assert "would have fired 2 times for 1 customer" in times(limits={"per_customer": 2})
    assert "so the log was replayed event by event" in times(consume=True)
    assert "replayed" not in times(limits={"per_customer": 2})


def test_books_that_say_the_same_have_no_difference_and_a_removed_rule_is_told(world: Path) -> None:
    path = str(world / "rules.yaml")
    (world / "none.yaml").write_text(written(rule(id="other")), encoding="utf-8")

    assert kairos("rules", "diff", path, path) == (0, "both say the same\n")
    output = kairos("rules", "diff", path, str(world / "none.yaml"), "--language", "zh")[1]
    assert output.splitlines()[0].startswith("- lunch 已删除: 当客户使用App（app_class = food_delivery）时，")


def test_the_tools_speak_chinese_but_for_ids_and_numbers(world: Path) -> None:
    (world / "new.yaml").write_text(written({**LUNCH, "limits": {}, "when": {"all": []}}), encoding="utf-8")
    rules, new = str(world / "rules.yaml"), str(world / "new.yaml")

    estimated = run(world, "estimate", rules, "--language", "zh")[1]
    counted = run(world, "coverage", "--rules", rules, "--language", "zh")[1]
    changed = run(world, "diff", rules, new, "--language", "zh")[1]

    assert "2026-12-01至2026-12-04本应触发1次，涉及1位客户：4次触发事件中2次满足条件，其余由冷却期拦下\n" in estimated
    assert "未判断：模型评分、同意" in estimated
    assert "lunch：触发条件满足4次，全部条件满足2次\n" in counted
    assert re.search("\n {30,}成立    不成立      未知\n", counted)
    assert "~ lunch 已变更\n" in changed
    assert "    触发：之前1次，之后3次；新增2次，减少0次\n" in changed


def test_a_log_that_is_none_is_told_in_a_sentence(world: Path) -> None:
    (world / "log.jsonl").write_text("no log", encoding="utf-8")

    code, output = run(world, "estimate", str(world / "rules.yaml"))

    assert code == 1
    assert "log.jsonl:1: no header of kairos-log/1" in output
