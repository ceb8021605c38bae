"""Costs above the stated bounds are warnings with a place and a reason; what lies within them is not spoken of."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.cli import app
from rules.absences import MOST
from rules.book import Book, load
from rules.cost import cost
from rules.costly import MOST_BYTES, MOST_FEATURES, MOST_WALKED, costly
from tests.rules_strategies import book_of, written
from tests.test_rules_cost import six
from tests.test_rules_match import rule

WAITS = {"absent": {"event": "login", "for": "1h"}}


def paid(hours: int, merchant: str) -> dict[str, Any]:
    where = {"merchant_category": merchant}
    return {"sum": {"event": "transaction", "where": where, "field": "amount", "within": f"{hours}h", "at_least": 9}}


def told(*found: dict[str, Any]) -> list[str]:
    loaded = load({"f": written(*found).replace('{"id"', '\n{"id"').replace('"when"', '\n"when"')})
    assert loaded.book is not None, loaded.problems
    return [str(loaded.at(one.rule, one.path, one.what)) for one in costly(loaded.book)]


def test_six_rules_of_a_bank_are_not_costly() -> None:
    assert list(costly(six())) == []


def test_more_bytes_of_a_customer_than_the_bound_are_told_at_the_largest_memory() -> None:
    asked = [rule(id=f"r{number}", when=paid(168 if number == 3 else 100, f"m{number}")) for number in range(12)]

    (found,) = told(*asked)

    most = cost(book_of(*asked))[-1].most_bytes
    assert most > MOST_BYTES
    assert found == (
        f"f:9:10: the rules make the engine keep up to {most:,} bytes of each customer, more than 10,000; "
        "no memory is larger than this one's"
    )
    assert told(*asked[:8]) == []


def test_more_memories_than_the_bound_are_told_at_the_rule_that_has_most() -> None:
    on = {"event": "page_view", "where": {"page": "home"}}
    chosen = [rule(id=f"r{number:03}", on=on, when=paid(1, f"m{number}")) for number in range(MOST_FEATURES - 1)]
    two = rule(id="two", on=on, when={"all": [paid(1, "x"), paid(1, "y")]})

    found = told(*chosen, two)

    assert told(*chosen, rule(id="one", on=on, when=paid(1, "x"))) == []
    assert [line.partition(";")[0] for line in found] == [
        f"f:401:1: the rules have {MOST_FEATURES + 1} memories, more than 200"
    ]


def test_more_waiting_rules_than_a_customer_can_wait_for_are_told_and_drafts_do_not_wait() -> None:
    waiting = [rule(id=f"r{number:02}", when=WAITS) for number in range(MOST)]
    more, draft = (rule(id="z", when=WAITS, status=status) for status in ("active", "draft"))

    (found,) = told(*waiting, more)

    assert told(*waiting, draft) == []
    assert found.endswith(
        "33 rules wait for something, and one customer waits for 32 at the most; "
        "what goes beyond is refused as too_many_pending"
    )
    assert str(cost(book_of(draft))[0]) == "waits: at most 32 timers, at most 896 bytes a customer"


@pytest.mark.parametrize(
    ("event", "hint"), [("transaction", "name merchant_category where you can"), ("login", "write fewer")]
)
def test_rules_that_every_event_of_a_type_is_held_against_are_told(event: str, hint: str) -> None:
    asked = [rule(id=f"r{n:03}", on={"event": event, "where": {"channel": "atm"}}) for n in range(MOST_WALKED + 1)]
    chosen = {"event": "transaction", "where": {"merchant_category": "fuel"}}

    assert told(*asked[1:]) == []
    (found,) = told(*asked)
    assert found.endswith(f"every {event} is held against 101 rules and 0 memories, more than 100; {hint}")
    assert told(*asked[1:], *(rule(id=f"s{number}", on=chosen) for number in range(9))) == []


def test_the_check_says_so_and_fails_only_when_it_shall(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(written(*(rule(id=f"r{number:02}", when=WAITS) for number in range(MOST + 1))))
    run, command = CliRunner(), ["rules", "check", str(tmp_path)]

    plain = run.invoke(app, command)

    assert plain.exit_code == 0
    assert "warning: 33 rules wait for something" in plain.output.replace("\n", " ")
    assert run.invoke(app, [*command, "--strict"]).exit_code == 1


def test_a_book_of_nothing_costs_nothing() -> None:
    assert list(costly(Book.empty())) == []
