"""Slips in every kind of condition: each is told with its place and what may have been meant."""

from pathlib import Path

import pytest
import yaml

from rules.book import load
from tests.test_rules_check import GOOD, said
from tests.test_rules_schema import refused

GROUPS = yaml.safe_load((Path(__file__).parent / "data" / "slips.yaml").read_text(encoding="utf-8"))
SLIPS = [(group["instead of"], slip["write"], slip["told"]) for group in GROUPS for slip in group["slips"]]


@pytest.mark.parametrize(("right", "wrong", "expected"), SLIPS, ids=[slip[1][:60].strip() for slip in SLIPS])
def test_a_slip_is_told_with_its_place(right: str, wrong: str, expected: str) -> None:
    assert right in GOOD

    assert f"f:{expected}" in said(GOOD.replace(right, wrong, 1))


def test_an_editor_sees_most_of_them() -> None:
    missed = [wrong for right, wrong, _ in SLIPS if not refused(GOOD.replace(right, wrong, 1))]

    assert 4 * len(missed) < len(SLIPS), missed


def test_a_segment_that_is_not_there_yet_never_means_everybody() -> None:
    text = GOOD.replace("{not: {tag: vip}}", "{segment: a}")

    below = load({"f": text.replace("rules:\n", "segments: {a: {segment: b}, b: {tag: x}}\nrules:\n")})
    above = load({"f": text.replace("rules:\n", "segments: {b: {tag: x}, a: {segment: b}}\nrules:\n")})

    assert below.book is None
    assert above.book is not None
    assert above.book.rules["lunch"].who.all is not None
    assert above.book.rules["lunch"].who.all[1].tag == "x"
