"""The policy as people meet it: its sentences, its schema, its page and its commands."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from console.cli import app
from console.policy_schema import SCHEMA
from kairos.instants import DAY, from_rfc3339
from rules.experiments import Control
from rules.policy import Cap, Class, Closure, Ignored, Policy, Purpose, load_policy
from rules.policy import Testers as WhoTests
from rules.policy_saying import policy_lines
from rules.policy_warnings import policy_warnings
from rules.saying import LANGUAGES, Language
from rules.yaml_reader import read
from tests.policy_sentences import EVERYTHING, GOLDEN, SHIPPED, said
from tests.written_files import blocks, plain, properties

PAGE = (Path(__file__).parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft7Validator(SCHEMA.document())


def policy_of(said: dict[str, Any]) -> Policy:
    return Policy.model_validate(said, context={"zone": said["zone"]})


def test_the_sentences_are_the_recorded_ones() -> None:
    assert said() == GOLDEN.read_text(encoding="utf-8")


CHANGES: dict[str, Any] = {
    "zone": "Asia/Tokyo",
    "customer_zone": None,
    "hours.sms": "09:00-20:31",
    "hours.push": "21:00-08:01",
    "hours.list": "09:00-18:01",
    "classes.loans.products": ["cash-loan"],
    "classes.loans.hours": {"sms": "10:00-12:01"},
    "calendar.0.name": "新年",
    "calendar.0.from": "2027-02-04",
    "calendar.0.until": "2027-02-12",
    "calendar.0.channels": ["push"],
    "calendar.0.classes": None,
    "calendar.1.on": "2027-04-06",
    "calendar.1.channels": ["list"],
    "caps.sms.0.within": "2d",
    "caps.sms.1.at_most": 3,
    "caps.push": {"within": "7d", "at_most": 5},
    "caps.list": {"within": "31d", "at_most": 1},
    "overall": {"within": "7d", "at_most": 6},
    "gap": "5h",
    "purposes.marketing.caps": {"within": "30d", "at_most": 9},
    "purposes.service.bypass": ["caps"],
    "purposes.service.because": "监管要求",
    "ignored.after": 4,
    "ignored.within": "4d",
    "ignored.rest": "31d",
    "testers.customers": ["T2"],
    "testers.tag": None,
    "control.everywhere": "3%",
    "control.salt": "y2028",
    "control.programmes": {"lunch": "12%"},
    "losers": "20%",
}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_anywhere_in_a_policy_changes_its_sentences(path: str, language: Language) -> None:
    changed = deepcopy(EVERYTHING)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    part: Any = changed
    for step in way:
        part = part[step]
    part[last] = CHANGES[path]

    before, after = (policy_lines(policy_of(one), language) for one in (EVERYTHING, changed))

    assert before != after


def test_a_key_that_is_added_to_policies_must_be_said() -> None:
    changed = {step for path in CHANGES for step in path.split(".")}
    models: tuple[type[BaseModel], ...] = (Policy, Class, Closure, Cap, Purpose, Ignored, WhoTests, Control)
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}

    assert keys - changed == {"format"}


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA.path.read_text(encoding="utf-8") == SCHEMA.text(), (
        "renew it with: python -m console.policy_schema --write"
    )


def test_it_is_a_valid_schema_and_explains_every_key_in_a_sentence() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA.document())
    found = dict(properties(SCHEMA.document()))

    assert len(found) >= 30
    assert {path for path, about in found.items() if not str(about.get("description")).endswith((".", "1."))} == set()


@pytest.mark.parametrize("text", [*blocks(PAGE), SHIPPED.read_text(encoding="utf-8")])
def test_every_block_of_the_page_loads_and_fits_the_schema(text: str) -> None:
    tree, _ = read("f", text)

    assert isinstance(load_policy(text), Policy)
    assert tree is not None
    assert [error.message for error in VALIDATOR.iter_errors(plain(tree.value))] == []


def test_what_the_page_quotes_is_what_is_said() -> None:
    spoken = {line for text in blocks(PAGE) for line in policy_lines(_loaded(text), "en")}
    quoted = re.findall(r"^> (.*)$", PAGE, re.MULTILINE)

    assert len(quoted) > 10
    assert [line for line in quoted if line not in spoken] == []


def _loaded(text: str) -> Policy:
    found = load_policy(text)
    assert isinstance(found, Policy)
    return found


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("caps: {smss: {within: 1d, at_most: 1}}", "3:8: 'smss' is not known here; did you mean 'sms'?"),
        ("caps: {sms: {within: 1d, at_mots: 1}}", "3:26: unknown key 'at_mots'; did you mean 'at_most'?"),
        ("overal: {within: 1d, at_most: 1}", "3:1: unknown key 'overal'; did you mean 'overall'?"),
        ("gap: 4 hours", "3:6: expected a length of time"),
        ("overall: {within: 1d, at_most: -1}", "3:32: should be greater than or equal to 0"),
        ("ignored: {after: 0, within: 1d, rest: 1d}", "3:18: should be greater than or equal to 1"),
        ("zone: UTC", "3:1: the key 'zone' stands here a second time"),
        ("testers: {tags: x}", "3:11: unknown key 'tags'; did you mean 'tag'?"),
        ("classes: {a: {products: [p]}}", "3:14: the key 'hours' is missing"),
    ],
)
def test_a_slip_has_its_line_its_column_and_what_may_be_meant(wrong: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"format: 1\nzone: UTC\n{wrong}\n", encoding="utf-8")

    found = kairos("check", str(file))

    assert found.exit_code == 1
    assert f"policy.yaml:{told}" in found.output
    assert "what is in force stays" in found.output


def test_what_is_odd_is_said_with_its_place() -> None:
    now = from_rfc3339("2027-04-06T12:00:00+08:00")
    odd = deepcopy(EVERYTHING)
    odd["classes"]["loans"]["hours"] = {"sms": "21:00-22:00"}
    odd["overall"] = {"within": "30d", "at_most": 1}

    found = dict(policy_warnings(policy_of(odd), now))

    assert found[("calendar",)] == "the calendar ends on 2027-04-05; holidays after it are days like any other"
    assert found[("calendar", 0)] == "'春节' is over"
    assert "no minute in common" in found["classes", "loans", "hours", "sms"]
    capped = {path for path in found if path[0] == "caps"}
    assert capped == {("caps", *place) for place in (("sms", 0), ("sms", 1), ("push", 0), ("list", 0))}
    assert list(policy_warnings(policy_of(EVERYTHING), now - 100 * DAY)) == []


def test_the_shipped_policy_has_nothing_to_warn_of_in_its_season() -> None:
    shipped = _loaded(SHIPPED.read_text(encoding="utf-8"))

    assert list(policy_warnings(shipped, from_rfc3339("2026-12-01T12:00:00+08:00"))) == []


def test_the_commands_say_check_and_print(tmp_path: Path) -> None:
    spoken = [kairos("say", str(SHIPPED), "--language", language).output for language in LANGUAGES]
    old = tmp_path / "policy.yaml"
    old.write_text("format: 1\nzone: UTC\ncalendar: [{name: x, on: 2020-01-01}]\n", encoding="utf-8")

    assert "\n".join(spoken) == GOLDEN.read_text(encoding="utf-8")[: len("\n".join(spoken))]
    assert json.loads(kairos("schema").output) == SCHEMA.document()
    assert [kairos("check", str(old), *more).exit_code for more in ((), ("--strict",))] == [0, 1]
    assert "policy.yaml:3:11: warning: the calendar ends on 2020-01-01" in kairos("check", str(old)).output
    assert (SCHEMA.main([]), SCHEMA.main(["--wrote"])) == (0, 2)


def kairos(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments])
