"""The templates as people meet them: the page, the schema, the shipped file and the commands."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from console.cli import app
from console.templates_schema import SCHEMA
from rules.template_checks import load_templates
from rules.template_saying import templates_lines
from rules.templates import Templates
from rules.yaml_reader import read
from tests.written_files import blocks, plain, properties

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
SHIPPED = ROOT / "examples" / "templates.yaml"
VALIDATOR = jsonschema.Draft7Validator(SCHEMA.document())


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA.path.read_text(encoding="utf-8") == SCHEMA.text(), (
        "renew it with: python -m console.templates_schema --write"
    )


def test_it_is_a_valid_schema_and_explains_every_key_in_a_sentence() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA.document())
    found = dict(properties(SCHEMA.document()))

    assert len(found) >= 35
    assert {path for path, about in found.items() if not str(about.get("description")).endswith((".", "1."))} == set()


@pytest.mark.parametrize("text", [*blocks(PAGE), SHIPPED.read_text(encoding="utf-8")])
def test_every_block_of_the_page_loads_and_fits_the_schema(text: str) -> None:
    tree, _ = read("f", text)

    assert [str(problem) for problem in load_templates(text).problems] == []
    assert tree is not None
    assert [error.message for error in VALIDATOR.iter_errors(plain(tree.value))] == []


def loaded(text: str) -> Templates:
    found = load_templates(text).templates
    assert found is not None
    return found


def test_what_the_page_quotes_is_what_is_said() -> None:
    spoken = {line for text in blocks(PAGE) for line in templates_lines(loaded(text), "en")}
    quoted = re.findall(r"^> (.*)$", PAGE, re.MULTILINE)

    assert len(quoted) >= 7
    assert [line for line in quoted if line not in spoken] == []


def test_the_preview_on_the_page_is_the_one_of_the_command() -> None:
    shown = re.findall(r"^\$ kairos templates preview .*\n((?:.+\n)+)```", PAGE, re.MULTILINE)

    assert [text in kairos("preview", str(SHIPPED)).output for text in shown] == [True]


def test_the_commands_say_show_and_list() -> None:
    spoken = kairos("show", str(SHIPPED), "--language", "zh").output
    one = kairos("show", str(SHIPPED), "sleeper-code").output

    assert spoken.splitlines() == templates_lines(loaded(SHIPPED.read_text(encoding="utf-8")), "zh")
    assert "The template sleeper-code" in one
    assert "The gateway" not in one
    assert kairos("check", str(SHIPPED)).exit_code == 0
    assert "sms-platform  sleeper-code  zh  approved SMS_270001" in kairos("status", str(SHIPPED)).output
    assert json.loads(kairos("schema").output) == SCHEMA.document()


def test_a_template_that_is_not_there_is_refused_with_the_one_that_may_be_meant() -> None:
    found = kairos("preview", str(SHIPPED), "sleeper-cod")

    assert found.exit_code == 1
    assert "there is no template 'sleeper-cod'; did you mean 'sleeper-code'?" in found.output


def test_what_is_not_approved_is_listed_first(tmp_path: Path) -> None:
    file = tmp_path / "templates.yaml"
    text = SHIPPED.read_text(encoding="utf-8").replace(
        "zh: {status: approved, id: SMS_270001}", "zh: {status: submitted}"
    )
    file.write_text(text, encoding="utf-8")

    lines = kairos("status", str(file)).output.splitlines()

    assert lines == [
        "sms-platform  card-cashback  en  submitted",
        "sms-platform  sleeper-code  zh  submitted",
        "sms-platform  card-cashback  zh  approved SMS_270011",
        "sms-platform  sleeper-code  en  approved SMS_270002",
    ]


def test_every_mistake_has_its_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "templates.yaml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace("length: 6", "lenght: 6", 1), encoding="utf-8")

    found = kairos("check", str(file))

    assert found.exit_code == 1
    assert "templates.yaml:42:28: unknown key 'lenght'; did you mean 'length'?" in found.output


def kairos(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["templates", *arguments])
