"""The summary: its fields are a contract, its sums agree, and what was promised and did not happen is said."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from console.counting import Count
from console.counting_figures import Figures
from console.counting_pools import PoolCount
from console.live import Frame, is_plain, plain_lines, rendered, showing
from console.summary import Run, broken_promises, say, summed_up, write_summary

RUN = Run("real", "A day", "Everything is real but the link.", 61.234, {"kairos.customers": 0}, duplicates=1)

GOLDEN = """\
{
  "input": {
    "origin": "real",
    "title": "A day",
    "note": "Everything is real but the link.",
    "notes": [
      "Receipts come from sandbox gateways, reactions from simulated customers: nothing was sent to anybody.",
      "Report no conversion and no uplift from this run."
    ]
  },
  "events": 110,
  "customers": 12,
  "tags": 30,
  "matches": 15,
  "decisions": 9,
  "offers": {
    "push": 2,
    "sms": 3
  },
  "delivered": {
    "push": 2,
    "sms": 2
  },
  "suppressed": {
    "cooldown": 2,
    "no_consent": 1
  },
  "withheld": 1,
  "dead_letters": 4,
  "pools": {
    "soup": {
      "limit": 5,
      "reserved": 0,
      "confirmed": 2,
      "redeemed": 1
    }
  },
  "latency_ms": {
    "p50": 40,
    "p99": 300
  },
  "duplicates_seen_by_gateways": 1,
  "seconds": 61.2,
  "simulated_reactions": 3
}
"""


@pytest.fixture
def found() -> Figures:
    return replace(
        Count().figures(),
        events={"app_usage": 60, "transaction": 50, "customer": 12, "feedback": 9},
        customers=12,
        tags=30,
        matches=15,
        decisions=9,
        states={"offered": 5, "withheld": 1, "suppressed": 3},
        suppressed={"cooldown": 2, "no_consent": 1},
        refused={"cooldown": 4, "no_consent": 1, "outranked": 2},
        offers={"sms": 3, "push": 2},
        delivered={"sms": 2, "push": 2},
        ends={"delivered": 4, "failed": 1},
        dead_letters={"invalid": 3, "future": 1},
        reactions={"opened": 2, "redeemed": 1},
        pools={"soup": PoolCount(limit=5, confirmed=2, redeemed=1)},
        p50=40,
        p99=300,
    )


def test_the_summary_has_these_fields(found: Figures, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"

    write_summary(path, summed_up(found, RUN))

    assert path.read_text() == GOLDEN


def test_a_decision_is_offered_withheld_or_suppressed(found: Figures) -> None:
    summary = summed_up(found, RUN)

    parts = [*summary["offers"].values(), summary["withheld"], *summary["suppressed"].values()]

    assert sum(parts) == summary["decisions"]


def test_the_real_log_promises_two_hundred_delivered_offers_on_each_channel(found: Figures) -> None:
    assert broken_promises(found, RUN) == [
        "only 2 offers were delivered by push, 200 are promised",
        "only 2 offers were delivered by sms, 200 are promised",
    ]
    assert broken_promises(replace(found, delivered={"sms": 200, "push": 200}), RUN) == []


def test_each_record_that_is_broken_on_purpose_is_one_dead_letter(found: Figures) -> None:
    assert broken_promises(found, replace(RUN, whole=False, broken=4)) == []
    assert broken_promises(found, replace(RUN, whole=False, broken=5)) == [
        "4 dead letters were written, 5 records are broken on purpose"
    ]


def test_a_part_of_the_log_and_a_simulated_one_promise_no_number(found: Figures) -> None:
    assert broken_promises(found, replace(RUN, whole=False)) == []
    assert broken_promises(found, replace(RUN, origin="simulated")) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pending": 2}, "2 decisions still wait for the ledger"),
        ({"unended": 1}, "1 offered decisions have no end"),
        ({"twice": 3}, "3 decisions, ends or offers were written twice"),
        ({"unreadable": 1}, "1 records could not be read by the recount"),
        ({"pools": {"soup": PoolCount(limit=5, redeemed=6)}}, "the pool soup gave 6 of 5"),
    ],
)
def test_what_did_not_happen_as_promised_is_said(found: Figures, wrong: dict[str, object], said: str) -> None:
    assert broken_promises(replace(found, **wrong), replace(RUN, whole=False)) == [said]  # type: ignore[arg-type]  # one field each


def test_a_group_that_stayed_behind_is_named(found: Figures) -> None:
    run = replace(RUN, whole=False, lags={"kairos.ledger": 7, "kairos.learning": 0}, accepted_twice=1)

    assert broken_promises(found, run) == [
        "7 records were not worked on by kairos.ledger",
        "1 offers were accepted twice by a gateway",
    ]


def test_the_closing_table_says_what_is_invented_and_which_pool_burnt_down(found: Figures) -> None:
    out = Console(file=StringIO(), width=120)

    say(out, replace(found, pools={"soup": PoolCount(limit=3, redeemed=3)}), RUN)

    assert isinstance(out.file, StringIO)
    text = out.file.getvalue()
    assert "Everything is real but the link." in text
    assert "3 of 3 (burnt down)" in text


def test_without_a_terminal_the_view_is_lines(found: Figures) -> None:
    frame = Frame("A day (real)", "feeding", 12.0, 2_400.0, {"kairos.customers": 5}, found)
    console = Console(file=StringIO())

    with showing(console) as show:
        show(frame)
        show(frame)

    assert is_plain(console)
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().splitlines() == plain_lines(frame), "a second one would come too early"
    assert plain_lines(frame)[0].startswith("[  12 s] feeding: 110 events (2,400/s), lag 5, 12 customers")


@pytest.mark.parametrize(
    ("terminal", "environment", "plain"),
    [(True, {}, False), (False, {}, True), (True, {"NO_COLOR": "1"}, True), (True, {"TERM": "dumb"}, True)],
)
def test_colours_and_pictures_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], plain: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert is_plain(Console(file=StringIO(), force_terminal=terminal)) is plain


def test_on_a_terminal_the_pools_burn_down(found: Figures) -> None:
    console = Console(file=StringIO(), width=120)

    console.print(rendered(Frame("A day (real)", "feeding", 12.0, 2_400.0, {}, found)))

    assert isinstance(console.file, StringIO)
    assert "soup" in console.file.getvalue()
    assert msgspec.json.decode(GOLDEN)["pools"]["soup"]["limit"] == found.pools["soup"].limit
