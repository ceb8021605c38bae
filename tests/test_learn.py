"""The lesson in `docs/learn.md`: every block is a rule that loads, and every test in it holds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rules.book import load
from rules.cases import run
from rules.yaml_reader import read

PAGE = Path(__file__).parent.parent / "docs" / "learn.md"
BLOCKS = re.findall(r"^## (\d+)\.|^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def value(text: str) -> dict[str, Any]:
    tree, problems = read("block", text)
    assert not problems
    assert tree is not None
    assert isinstance(tree.value, dict)
    return tree.value


def lesson() -> list[tuple[str, str]]:
    """Each block as a whole file, named by its step."""
    first: dict[str, Any] = {}
    found, step = [], ""
    for number, text in BLOCKS:
        step = number or step
        if not text:
            continue
        if text.startswith("format:"):
            first = first or value(text)
            found.append((step, text))
        else:
            rule = {**first["rules"][0], **value(text)}
            found.append((step, json.dumps({**first, "rules": [rule]}, default=float, ensure_ascii=False)))
    return found


@pytest.mark.parametrize(("step", "text"), lesson(), ids=[f"step {step}" for step, _ in lesson()])
def test_every_block_of_the_lesson_loads_and_its_tests_hold(step: str, text: str) -> None:
    loaded = load({f"step-{step}.yaml": text})

    assert loaded.book is not None, [str(problem) for problem in loaded.problems]
    assert all(rule.tests for rule in loaded.book.rules.values())
    assert run(loaded.book) == ()


def test_the_lesson_has_ten_steps() -> None:
    assert [number for number, _ in BLOCKS if number] == [str(number) for number in range(1, 11)]
