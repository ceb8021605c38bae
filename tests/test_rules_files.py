"""The other files: pools, the page on rules, inline tests and sentences."""

import re
from pathlib import Path
from textwrap import indent

import pytest

from rules.book import load
from rules.cases import run
from rules.pools import load_pools, pools_of_content
from tests.rules_strategies import book_of
from tests.test_rules_match import rule

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"


def test_the_rule_on_the_marketers_page_works() -> None:
    page = PAGE.read_text(encoding="utf-8")
    text, waits, tests, priority, forms = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    # The second block goes on where the first one ends: more tests of the same rule.
    book = load({"docs/rules.md": text + indent(tests.removeprefix("tests:\n"), "    ")}).book

    assert book is not None
    assert [len(rule.tests) for rule in book.rules.values()] == [2]
    assert run(book) == ()
    # The block between them takes the place of the trigger and the conditions.
    waiting = re.sub(r"    on: .*?    then:", lambda _: indent(waits, "    ") + "    then:", text, flags=re.DOTALL)
    (rule,) = load({"docs/rules.md": waiting.partition("    tests:")[0]}).book.rules.values()  # type: ignore[union-attr]  # it loads
    assert rule.absent is not None
    # The last two take the place of the experiment.
    split = re.sub(r"    experiment: .*\n", lambda _: indent(forms, "    "), text)
    (rule,) = load({"docs/rules.md": split}).book.rules.values()  # type: ignore[union-attr]  # it loads
    assert [*rule.treated] == ["by-push", "bold"]
    split = re.sub(r"    experiment: .*\n", lambda _: indent(priority, "    "), text)
    (rule,) = load({"docs/rules.md": split}).book.rules.values()  # type: ignore[union-attr]  # it loads
    assert rule.priority is not None


def test_a_test_that_does_not_come_out_is_told_with_both_times() -> None:
    told = {
        "name": "never",
        "events": [{"at": "2026-12-07 12:05", "event": "app_usage", "app_class": "travel"}],
        "fires": ["2026-12-07 12:06"],
    }

    (failure,) = run(book_of(rule(tests=[told], status="draft")))

    assert str(failure) == "r: never: should fire at 2026-12-07T04:06:00.000Z, fires at 2026-12-07T04:05:00.000Z"


def pools(text: str) -> list[str]:
    head = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\npools:\n"
    return [str(problem) for problem in load_pools(head + text).problems]


def test_pools_are_read_in_minor_units_and_published_by_id() -> None:
    head = "format: 1\nzone: Asia/Shanghai\ncurrency: CNY\npools:\n"
    text = (
        "  - {id: b, programme: p, merchant: m, value: 5.50, count: 3, valid: {until: 2026-12-31}}\n"
        "  - {id: a, programme: p, merchant: m, value: 500 JPY, budget: 1000 JPY, count: 3, codes: imported}\n"
    )

    loaded = load_pools(head + text)

    assert [(pool.pool, pool.value, pool.currency, pool.budget) for pool in loaded.pools] == [
        ("a", 500, "JPY", 1000),
        ("b", 550, "CNY", None),
    ]
    assert loaded.pools[1].valid_until is not None
    assert loaded.pools[1].valid_until.isoformat() == "2026-12-31T16:00:00+00:00"
    assert pools_of_content(loaded.content) == loaded.pools


def test_slips_in_pools_are_told() -> None:
    good = "  - {id: a, programme: p, merchant: m, value: 5, count: 3}\n"

    assert pools(good + good) == ["pools.yaml:6:10: the id 'a' is already taken"]
    assert pools(good.replace("count", "cout")) == [
        "pools.yaml:5:5: the key 'count' is missing",
        "pools.yaml:5:50: unknown key 'cout'; did you mean 'count'?",
    ]
    assert pools(good.replace("value: 5", "value: -5")) == [
        "pools.yaml:5:47: expected an amount such as 30, 30.50 or 12000 JPY, got -5"
    ]
    assert pools(good.replace("count: 3", "count: 3, budget: 5 JPY")) == [
        "pools.yaml:5:5: the value is in CNY, the budget in JPY"
    ]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_content_that_is_no_pools_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        pools_of_content(content)
