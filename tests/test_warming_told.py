"""What people are told of a rule whose memory is filled from the past."""

from pathlib import Path
from typing import Any

import pytest

from console.check_report import told_of
from console.checking import check_files
from rules import cases
from rules.book import load
from rules.cold import cold
from rules.diff import difference
from rules.policy import Policy
from rules.sentence import sentence
from rules.warnings import warned
from tests.rules_strategies import book_of, written
from tests.test_rules_match import rule

COUNT: dict[str, Any] = {"count": {"event": "login", "within": "60d", "at_least": 3}}
OTHER: dict[str, Any] = {"count": {"event": "transaction", "within": "60d", "at_least": 3}}


def test_a_book_says_what_is_filled_and_what_begins_cold() -> None:
    book = book_of(rule(id="a", when={"all": [COUNT]}, warm="replay"), rule(id="b", when={"any": [COUNT, OTHER]}))

    assert [str(one) for one in cold(book, book_of())] == [
        "a: when.all.0.count is filled from the events that are still kept",
        # What one rule has filled, the other one knows as well.
        "b: when.any.0.count is filled from the events that are still kept",
        "b: when.any.1.count begins to be remembered now",
    ]
    assert cold(book, book) == []


def test_a_check_says_how_far_back_a_memory_will_reach(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(written(rule(when=COUNT, warm="replay")), encoding="utf-8")

    told = "\n".join(told_of(check_files(tmp_path, {}), ()).summary())

    assert "r: when.count is filled from the events that are still kept, 7 days of them or as many" in told


def test_a_difference_says_what_will_be_filled() -> None:
    before, after = book_of(rule()), book_of(rule(when={"all": [COUNT, OTHER]}, warm="replay"))

    (change,) = difference(before, after, "Asia/Shanghai")

    assert [line["en"] for line in change.filled] == [
        "at least 3 × login in 60 days",
        "at least 3 × transaction in 60 days",
    ]
    assert change.cold == ()


def test_a_sentence_says_that_the_memory_is_filled() -> None:
    waits, fills = (book_of(rule(when=COUNT, **more)).rules["r"] for more in ({}, {"warm": "replay"}))

    assert sentence(fills, "en") == sentence(waits, "en").removesuffix(".") + (
        "; its memory is filled from the events that are still kept."
    )
    assert "补齐记忆" in sentence(fills, "zh")


@pytest.mark.parametrize(("when", "told"), [(COUNT, []), ({"all": []}, [("warm",)])])
def test_a_rule_that_looks_back_on_nothing_has_nothing_to_fill(when: dict[str, Any], told: list[Any]) -> None:
    rules = book_of(rule(when=when, warm="replay")).rules.values()

    assert [one.path for one in warned(rules, Policy.default())] == told


def test_the_tests_of_a_rule_are_played_as_if_everything_had_always_been_remembered() -> None:
    events = [{"at": "2026-12-09 14:00", "event": "transaction", "amount": 30}]
    seen_never = {"last_seen": {"event": "login", "at_least": "60d"}}
    silent = {"name": "never", "events": events, "fires": ["2026-12-09 14:00"]}
    loaded = load(
        {"r.yaml": written(rule(on={"event": "transaction"}, when=seen_never, warm="replay", tests=[silent]))}
    )
    assert loaded.book is not None, loaded.problems

    assert list(cases.run(loaded.book)) == []
