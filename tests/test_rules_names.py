"""Names: what a rule speaks of exists, or the nearest name that does is told."""

from collections.abc import Collection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from kairos.apps import AppsFile
from rules.book import load
from rules.known import Known, load_apps, load_names
from rules.problems import suggest
from tests.test_rules_check import GOOD, POOL

NAMES = """\
format: 1
tags: [vip, staff, has_debit_card]
attributes: {age: number, mobile_bank: [unregistered, active], has_card: flag, city: word}
merchants: [starbucks, "010"]
merchant_categories: [dining, fuel]
products: [mobile-bank]
templates: [lunch, dinner]
models: [reaction, aum_uplift]
purposes: [marketing, service]
"""
FILE, _ = load_names(NAMES)
APPS = AppsFile(classes=("food_delivery", "travel"), apps={})
KNOWN = Known.of([POOL], FILE, APPS)
PAID = "transaction, where: {merchant: 010}"
COUNT = "{count: {same_as: on, within: 7d, at_least: 3}}"

UNKNOWN = [
    (
        "app_class: food_delivery",
        "app_class: food_delivry",
        "10:47: there is no app class 'food_delivry'; did you mean 'food_delivery'?",
    ),
    ("app_class: food_delivery", "app_class: [travel, {}]", "10:56: expected a word"),
    (
        "app_class: food_delivery",
        "app_class: {not: [travel, trvl]}",
        "10:62: there is no app class 'trvl'; did you mean 'travel'?",
    ),
    (
        "app_usage, where: {app_class: food_delivery}",
        "transaction, where: {merchant: starbuks}",
        "10:48: there is no merchant 'starbuks'; did you mean 'starbucks'?",
    ),
    (
        "app_usage, where: {app_class: food_delivery}",
        "transaction, where: {merchant: 10}",
        "10:48: there is no merchant '10'; did you mean '010'?",
    ),
    (
        "app_usage, where: {app_class: food_delivery}",
        "transaction, where: {merchant_category: dinning}",
        "10:57: there is no merchant category 'dinning'; did you mean 'dining'?",
    ),
    ("tag: vip", "tag: vpi", "11:60: there is no tag 'vpi'; did you mean 'vip'?"),
    (
        "    programme: takeaway\n",
        "    programme: takeaway\n    purpose: marketting\n",
        "9:14: there is no purpose 'marketting'; did you mean 'marketing'?",
    ),
    ("{not: {tag: vip}}", "{any: [{not: {all: [{tag: vpi}]}}]}", "11:74: there is no tag 'vpi'; did you mean 'vip'?"),
    (
        "{not: {tag: vip}}",
        "{score: {model: aum_uplif, at_least: 0.5}}",
        "11:64: there is no model 'aum_uplif'; did you mean 'aum_uplift'?",
    ),
    ("age: {at_least: 22}", "aeg: {at_least: 22}", "11:25: there is no attribute 'aeg'; did you mean 'age'?"),
    ("age: {at_least: 22}", "age: young", "11:30: the attribute 'age' is a number, never 'young'"),
    ("age: {at_least: 22}", "age: [22, true]", "11:35: the attribute 'age' is a number, never true"),
    ("age: {at_least: 22}", "has_card: 'true'", "11:35: the attribute 'has_card' is true or false, never 'true'"),
    ("age: {at_least: 22}", "city: {at_least: 22}", "11:32: the attribute 'city' is a word; it has no at_least"),
    ("age: {at_least: 22}", "city: 22", "11:31: the attribute 'city' is a word, never 22; put it in quotes"),
    (
        "age: {at_least: 22}",
        "mobile_bank: {not: actve}",
        "11:44: the attribute 'mobile_bank' is never 'actve'; did you mean 'active'?",
    ),
    ("pool: soup-5", "product: mobile-bnk", "14:24: there is no product 'mobile-bnk'; did you mean 'mobile-bank'?"),
    ("template: lunch", "template: lnch", "16:17: there is no template 'lnch'; did you mean 'lunch'?"),
    (
        "      expires: 2h",
        "      expires: 2h\n      objective: reacton",
        "19:18: there is no model 'reacton'; did you mean 'reaction'?",
    ),
    ("rules:\n", "segments: {s: {any: [{tag: vpi}]}}\nrules:\n", "4:28: there is no tag 'vpi'; did you mean 'vip'?"),
    (
        "rules:\n",
        "selectors: {s: {event: app_usage, where: {app_class: trvel}}}\nrules:\n",
        "4:54: there is no app class 'trvel'; did you mean 'travel'?",
    ),
    (
        "      - name: one order\n",
        "      - name: one order\n        customer: {tags: [vpi], attrs: {aeg: 1}}\n",
        "23:27: there is no tag 'vpi'; did you mean 'vip'?",
    ),
    (
        COUNT,
        "{absent: {event: transaction, where: {merchant: starbuks}, for: 1h}}",
        "12:66: there is no merchant 'starbuks'; did you mean 'starbucks'?",
    ),
    (
        COUNT,
        "{sum: {event: transaction, where: {merchant_category: [fuel, dinning]}, field: amount, days: 7, above: 1}}",
        "12:79: there is no merchant category 'dinning'; did you mean 'dining'?",
    ),
    (
        COUNT,
        "{sequence: {within: 1h, steps: [{event: login}, {event: app_usage, where: {app_class: trvel}}]}}",
        "12:104: there is no app class 'trvel'; did you mean 'travel'?",
    ),
    (
        COUNT,
        "{not: {any: [{first: {event: app_usage, where: {app_class: {not: trvel}}}}]}}",
        "12:83: there is no app class 'trvel'; did you mean 'travel'?",
    ),
    ("tag: vip", "segment: vip", "there is no segment 'vip' in this file"),
]


def said(text: str, known: Known = KNOWN) -> list[str]:
    return [str(problem) for problem in load({"f": text}, known).problems]


def test_the_good_file_uses_known_names_only() -> None:
    assert said(GOOD) == []


@pytest.mark.parametrize(("right", "wrong", "expected"), UNKNOWN, ids=[case[1][:40].strip() for case in UNKNOWN])
def test_a_name_that_nobody_knows_is_told_with_the_nearest_one(right: str, wrong: str, expected: str) -> None:
    assert right in GOOD

    found = said(GOOD.replace(right, wrong, 1))

    assert any(expected in problem for problem in found), found


def test_a_name_in_a_row_of_a_table_is_told_at_its_cell() -> None:
    rule = GOOD[GOOD.index("    name:") : GOOD.index("    tests:")]
    template = GOOD[: GOOD.index("rules:")] + "table: t.csv\nrule:\n" + rule
    table = "id,on.where.app_class,who.all.1.not.tag\na,food_delivery,vip\nb,travel; trvel,vpi\n"

    assert [str(problem) for problem in load({"f": template, "t.csv": table}, KNOWN).problems] == [
        "t.csv:3:2: there is no app class 'trvel'; did you mean 'travel'?",
        "t.csv:3:3: there is no tag 'vpi'; did you mean 'vip'?",
    ]


def test_a_kind_that_nobody_listed_is_not_checked() -> None:
    text = GOOD.replace("tag: vip", "tag: anything").replace("template: lunch", "template: any")

    assert said(text, Known.of([POOL])) == []
    assert said(text, Known()) == []


def test_all_kinds_are_told_at_once_beside_other_mistakes() -> None:
    text = GOOD.replace("tag: vip", "tag: vpi").replace("template: lunch", "template: lnch").replace("7d", "1w")

    assert len(said(text)) == 3


def test_an_unknown_tag_among_ten_thousand_is_held_against_few(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = [f"{group}_{number:04}" for group in ("has", "uses", "likes", "lost") for number in range(2_500)]
    file, _ = load_names("format: 1\ntags: [" + ", ".join(tags) + "]")
    known = Known.of(None, file)
    rule = GOOD[GOOD.index("  - id") : GOOD.index("    tests:")]
    head = GOOD[: GOOD.index("  - id")]
    rules = [
        rule.replace("id: lunch", f"id: r{n}").replace("tag: vip", f"tag: lieks_{n % 100:04}") for n in range(1_000)
    ]

    asked: list[int] = []

    def counted(name: str, near: Collection[str]) -> str:
        asked.append(len(near))
        return suggest(name, near)

    monkeypatch.setattr("rules.known.suggest", counted)
    found = said(head + "".join(rules), known)

    assert len(found) == 1_000
    assert all("did you mean 'likes_00" in problem for problem in found)
    # Each name is asked about once, and measured against few: to measure ten thousand takes 50 ms.
    assert len(asked) == 100
    assert max(asked) <= 30


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag: [a]", "names.yaml:2:1: unknown key 'tag'; did you mean 'tags'?"),
        ("tags: [a, b, a]", "names.yaml:2:7: 'a' stands here a second time"),
        ("tags: {a: 1}", "names.yaml:2:7: expected a list"),
        ("tags: [true]", "names.yaml:2:8: expected a word, got true; put it in quotes if it is a name"),
        ("attributes: {age: nummer}", "names.yaml:2:19: 'nummer' is not known here; did you mean 'number'?"),
        (
            "attributes: {age: [a, 1, true]}",
            "names.yaml:2:26: expected a word, got true; put it in quotes if it is a name",
        ),
    ],
)
def test_a_slip_in_the_names_is_told(text: str, expected: str) -> None:
    file, problems = load_names(f"format: 1\n{text}")

    assert file is None
    assert [str(problem) for problem in problems] == [expected]


def test_an_app_of_a_class_that_is_not_listed_is_told() -> None:
    text = '{"classes": ["food", "travel"],\n "apps": {"a": "food",\n  "b": "fod"}}'

    assert [str(problem) for problem in load_apps(text)[1]] == [
        "apps.json:3:8: there is no app class 'fod'; did you mean 'food'?"
    ]


def test_the_command_finds_the_names_beside_the_rules(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text(GOOD.replace("tag: vip", "tag: vpi"))
    (folder / "pools.yaml").write_text(
        "format: 1\nzone: UTC\ncurrency: CNY\npools:\n"
        "  - {id: soup-5, programme: takeaway, merchant: m, value: 5, count: 1}"
    )
    (tmp_path / "names.yaml").write_text(NAMES)

    result = CliRunner().invoke(app, ["rules", "check", str(folder)])

    assert result.exit_code == 1
    assert result.output.splitlines()[0] == f"{folder}/a.yaml:11:60: there is no tag 'vpi'; did you mean 'vip'?"
    (tmp_path / "names.yaml").write_text(NAMES.replace("vip", "vpi"))
    assert CliRunner().invoke(app, ["rules", "check", str(folder)]).exit_code == 0
