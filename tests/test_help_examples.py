"""The examples that `--help` gives run as they stand."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from console.cli import app

ROOT = Path(__file__).parent.parent


def examples(command: Any) -> Iterator[str]:
    """Give the example of each command, below groups, too."""
    for found in getattr(command, "commands", {}).values():
        yield from examples(found)
    if example := re.search(r"Example: kairos ([^>]+?)(?: >.*)?\n", f"{command.help}\n"):
        yield example[1]


EXAMPLES = list(examples(typer.main.get_command(app)))


def test_examples_are_found() -> None:
    assert {"rules say examples/rules --language zh", "rules schema"} <= set(EXAMPLES)


# A recorded year takes a while, and nobody has the files of codes.
@pytest.mark.parametrize("example", [one for one in EXAMPLES if ".gz" not in one and ".csv" not in one])
def test_an_example_runs_or_asks_for_nothing_but_kafka(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)

    run = CliRunner(env={"KAIROS_BOOTSTRAP": ""}).invoke(app, shlex.split(example))

    assert run.exit_code == 0 or "no Kafka is configured" in run.stderr, run.output
