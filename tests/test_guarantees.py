"""Every guarantee names the test that proves it, and that test exists."""

import ast
import re

import pytest

from tests.fault_driver import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/\w+\.py(?:::\w+)+)`", PAGE)))


@pytest.mark.parametrize("test", NAMED)
def test_the_named_test_exists(test: str) -> None:
    file, *names = test.split("::")
    nodes: list[ast.stmt] = ast.parse((ROOT / file).read_text(encoding="utf-8")).body

    for name in names:
        found = [n for n in nodes if isinstance(n, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        nodes = next((n.body for n in found if n.name == name), [])

        assert nodes, f"there is no {name} in {file}"


def test_every_guarantee_has_its_proof() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 3]
    tables = PAGE.split("| guaranteed | proven by |")[1:]
    promised = [line for table in tables for line in rows if line in table.split("\n\n")[0]]

    unproven = [row for row in promised if "the soak" not in row and "`tests/" not in row]

    assert len(promised) >= 20
    assert unproven == []


def test_what_is_not_promised_stands_beside_what_is() -> None:
    sections = [text for text in PAGE.split("\n## ") if "| guaranteed |" in text]

    assert all("**Not promised.**" in text for text in sections)
