"""The schema for editors: current, complete, and as generous and as strict as it says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from console import rules_schema
from console.cli import app
from rules.book import load
from rules.meant import OURS
from rules.schema import Scenario
from rules.skeletons import skeleton
from rules.yaml_reader import read
from tests.rules_strategies import rules
from tests.test_rules_check import GOOD, SLIPS
from tests.written_files import plain, properties

ROOT = Path(__file__).parent.parent
SCHEMA = rules_schema.document()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
EXAMPLES = sorted(ROOT.glob("examples/**/rules/*.yaml"))


def refused(text: str) -> list[str]:
    tree, problems = read("f", text)
    assert tree is not None, problems
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(plain(tree.value))]


def test_the_committed_schema_is_current() -> None:
    assert rules_schema.PATH.read_text(encoding="utf-8") == rules_schema.text(), (
        "renew it with: python -m console.rules_schema --write"
    )


def test_it_is_a_valid_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_every_property_is_explained_in_one_sentence() -> None:
    found = dict(properties(SCHEMA))

    odd = {path: said.get("description") for path, said in found.items() if not _is_sentence(said.get("description"))}

    assert len(found) > 200
    assert odd == {}


def _is_sentence(said: object) -> bool:
    return isinstance(said, str) and said.endswith((".", "1.", "90%.")) and "\n" not in said and said[0].isupper()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_shipped_rules_fit(path: Path) -> None:
    assert refused(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("scenario", Scenario)
def test_the_first_files_fit_and_name_the_schema(scenario: Scenario) -> None:
    text = skeleton(scenario)

    assert text.startswith(f"# yaml-language-server: $schema={rules_schema.NAME}\n")
    assert refused(text) == []


@settings(deadline=None, max_examples=100)
@given(rules(0))
def test_what_the_models_accept_fits(rule: dict[str, Any]) -> None:
    file = {"format": 1, "zone": "Asia/Shanghai", "currency": "CNY", "rules": [rule]}

    assert list(VALIDATOR.iter_errors(file)) == []


HEAD = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\n"
NAMED = GOOD.replace(
    "rules:\n",
    """\
selectors:
  takeaway: {event: app_usage, where: {app_class: [food_delivery], near: {lat: 31.2, lon: 121.4, radius: 2km}}}
segments: {adults: {attr: {age: {at_least: 18}, city: 上海}}, ours: {all: [{segment: adults}, {not: {tag: staff}}]}}
rules:
""",
).replace("{event: app_usage, where: {app_class: food_delivery}}", "{selector: takeaway}")
TABLE = (
    HEAD
    + "table: merchants.csv\nrule:\n"
    + GOOD[GOOD.index("    name:") : GOOD.index("    tests:")]
    .replace("{pool: soup-5}", "{}")
    .replace("    programme: takeaway\n", "")
)


def test_what_is_named_once_fits() -> None:
    assert load({"f": NAMED.replace("{tag: vip}", "{segment: ours}")}).problems == ()
    assert refused(NAMED.replace("{tag: vip}", "{segment: ours}")) == []
    assert refused(NAMED.replace("{selector: takeaway}", "{selector: takeaway, where: {}}")) != []


def test_a_template_may_leave_to_its_table_what_a_rule_must_say() -> None:
    table = {"f": TABLE, "merchants.csv": "id,programme,then.offer.pool\na,b,c\n"}

    assert load(table).problems == ()
    assert refused(TABLE) == []
    assert refused(TABLE.replace("at_least: 3", "at_leest: 3")) != []
    assert refused(TABLE + "rules: []\n") != []
    assert refused(TABLE.replace("rule:", "rul:")) != []


UNSEEN = {
    # What two places say together.
    "9:12: until must not be before from",
    "10:46: one condition speaks of one currency, here of CNY and JPY",
    # Lengths, places after the point and zones that only a program can judge.
    "2:7: expected a time zone such as Asia/Shanghai, got 'Asia/Shangai'; did you mean 'Asia/Shanghai'?",
    "10:46: '0.005' is finer than the smallest unit of CNY",
    "12:48: expected a length of time between 1s and 400d",
    # In JSON this is the same number.
    "1:9: the format is the whole number 1, not 1.0",
    # Other files.
    "14:21: there is no pool 'soup-6'; did you mean 'soup-5'?",
    "14:21: the pool 'soup-5' belongs to the programme 'takeaway', the rule to 'lunch'",
}
"""What an editor cannot see; `kairos rules check` does."""


def test_most_slips_are_seen_while_they_are_written() -> None:
    parsed = [(expected, GOOD.replace(right, wrong, 1)) for right, wrong, expected in SLIPS]
    readable = [(expected, text) for expected, text in parsed if not read("f", text)[1]]

    missed = {expected for expected, text in readable if not refused(text)}

    assert missed == UNSEEN
    assert 3 * len(missed) < len(readable)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(CliRunner().invoke(app, ["rules", "schema"]).output) == SCHEMA
    assert rules_schema.main([]) == 0
    assert capsys.readouterr().out == rules_schema.text()
    assert rules_schema.main(["--wrote"]) == 2


def test_a_first_file_finds_its_schema_beside_it(tmp_path: Path) -> None:
    written = CliRunner().invoke(app, ["rules", "new", "activation", str(tmp_path / "mine.yaml")])

    assert written.exit_code == 0
    assert json.loads((tmp_path / rules_schema.NAME).read_text(encoding="utf-8")) == SCHEMA


def test_what_is_suggested_for_the_words_of_other_tools_are_words_of_ours() -> None:
    ours = {path.rpartition(".")[2] for path, _ in properties(SCHEMA)}

    assert {name for names in OURS.values() for name in names} - ours == set()
