"""Two minutes of the soak, and its judges before judges: each of them must be able to say no."""

import asyncio
import gc
import json
import random
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from streams.topics import APP_USAGE
from tests.recount import Row
from tests.soak.books import ABOUT, LIMITS
from tests.soak.closures import (
    Closed,
    check_nothing_passes,
    check_quiet_hours,
    check_refused_with_reason,
    check_waited,
)
from tests.soak.events import Events
from tests.soak.faults import decks
from tests.soak.house import MOST, tidy
from tests.soak.laws import Entry, check_caps, check_tiles, expired_in_doubt, instant
from tests.soak.run import Soak

CAPS = {"loose": {"sms": 3}, "tight": {"sms": 2}}


# The workers are processes of their own. Here are only the clients that feed and watch, and they leave more than a
# socket open where the broker dies at the wrong moment; who reads the warning is then a matter of luck.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.kafka
@pytest.mark.slow
async def test_whatever_dies_nothing_is_missing_and_nothing_is_double(tmp_path: Path) -> None:
    folder = tmp_path / "soak"
    report = await Soak(folder, seed=1, minutes=0, enough=asyncio.Event(), rate=150).run()

    print("\n".join(report.lines()))
    assert report.problems == []
    # Every kind of harm was done, and every partition went on after each.
    assert len(report.faults) == report.kinds
    assert {"killed", "told to go", "paused beyond the session", "disk wiped", "broker restarted"} <= set(report.done)
    # What was judged was there: no question was answered by an empty topic.
    asked = ("decisions", "looks without a payment", "dead letters", "offers at the gateways", "examples")
    refused = ("candidates refused by a cap", "refused without consent", "refused by a stop", "refused in quiet hours")
    waited = ("decisions that waited", "decisions that waited in quiet hours")
    assert all(report.figures[name] > 0 for name in (*asked, *refused, *waited))
    assert report.figures["rule books in force"] > 1
    assert any(report.figures[f"coupons of {pool} held"] == limit for pool, limit in LIMITS.items())
    assert report.figures["records of the largest commit"] >= MOST
    # Where it fails, all of it is kept.
    tidy(folder)
    # What is left of the clients goes now, while its warnings are this test's.
    gc.collect()


def test_a_seed_gives_the_same_events_and_the_same_harm_in_the_same_order() -> None:
    def drawn(seed: int) -> list[tuple[bytes | None, bytes | None, bytes]]:
        events = Events(50, seed)
        return [(r.key, r.value, dict(r.headers).get("ce_id", b"")) for r in islice(events.usual(), 2_000)]

    def harm(seed: int) -> list[int]:
        return list(islice(decks(range(20), random.Random(seed)), 40))

    assert drawn(7) == drawn(7) != drawn(8)
    assert harm(7) == harm(7) != harm(8)
    # Every kind once before any comes again.
    assert sorted(harm(7)[:20]) == sorted(harm(7)[20:]) == list(range(20))
    assert harm(7)[:20] != harm(7)[20:]


def row(offset: int) -> Row:
    return Row(APP_USAGE, 0, offset, b"c", b"{}", {})


def entry(start: int, end: int) -> Entry:
    return Entry(0, {APP_USAGE: (start, end)}, end - start, 0, {})


def test_ranges_that_lie_end_to_end_are_no_problem() -> None:
    check_tiles("events.app-usage", [entry(0, 2), entry(2, 5)], map(row, range(5)))


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([entry(0, 2), entry(3, 5)], id="a gap"),
        pytest.param([entry(0, 2), entry(1, 5)], id="an overlap"),
        pytest.param([entry(1, 5)], id="the beginning is missing"),
        pytest.param([entry(0, 4)], id="the end is missing"),
        pytest.param([entry(0, 5), entry(5, 5)], id="nothing at all"),
        pytest.param([], id="no commit"),
    ],
)
def test_ranges_with(entries: list[Entry]) -> None:
    with pytest.raises(AssertionError):
        check_tiles("events.app-usage", entries, map(row, range(5)))


def decided(second: int, verdict: str = "won", policy: str = "tight", id_: str = "") -> dict[str, Any]:
    won = verdict == "won"
    return {
        "id": id_,
        "customer": "c1",
        "decided_at": f"2026-12-01T12:00:{second:02d}.500Z",
        "state": "offered" if won else "suppressed",
        "offer": "o" if won else None,
        "versions": {"policy": policy},
        "verdicts": [{"rule": "r", "offer": "o", "verdict": verdict, "rank": 1 if won else None}],
    }


def ended(second: int, state: str) -> dict[str, Any]:
    return {"id": "first", "state": state, "ended_at": f"2026-12-01T12:00:{second:02d}.400Z"}


FIRST = decided(0, id_="first")
LATER = {**decided(1), "decided_at": "2026-12-01T12:00:01.900Z"}
BACK_IN_BETWEEN = {**ended(1, "failed"), "ended_at": "2026-12-01T12:00:01.700Z"}


@pytest.mark.parametrize(
    ("made", "is_well"),
    [
        ([FIRST, decided(1), decided(20)], True),
        ([FIRST, decided(1), decided(19)], False),
        ([FIRST, decided(1), ended(19, "failed"), decided(19)], True),
        ([FIRST, decided(1), BACK_IN_BETWEEN, LATER], True),
        ([FIRST, decided(1), LATER], False),
        ([FIRST, decided(1), ended(19, "unknown"), decided(19)], False),
        ([FIRST, decided(1), decided(19), ended(20, "failed")], False),
        ([FIRST, decided(1), decided(19, policy="loose")], True),
        ([FIRST, decided(1), decided(19, "contact_cap")], True),
        ([FIRST, decided(19, "contact_cap")], False),
        ([FIRST, decided(1), ended(18, "expired"), decided(19, "contact_cap")], False),
        ([FIRST, decided(1), decided(21, "contact_cap")], False),
    ],
)
def test_a_contact_too_many_is_noticed_and_so_is_one_that_was_refused_without_need(
    made: list[dict[str, Any]], *, is_well: bool
) -> None:
    if is_well:
        check_caps(made, CAPS, 20, {"r": "sms"})
    else:
        with pytest.raises(AssertionError, match="allowed"):
            check_caps(made, CAPS, 20, {"r": "sms"})


STOP = Closed("pool", "cafe", 10_000, 15_000)


@pytest.mark.parametrize(
    ("at", "rule", "is_well"),
    [
        (12_000, "cafe", False),
        (14_999, "cafe", False),
        (11_999, "cafe", True),
        (15_000, "cafe", True),
        (13_000, "tea", True),
    ],
)
def test_what_passes_a_stop_is_noticed_and_so_is_what_was_refused_though_nothing_was_stopped(
    at: int, rule: str, *, is_well: bool
) -> None:
    everything = Closed("all", "", 100_000, 110_000)
    check_nothing_passes([STOP, everything], [(99_999, ABOUT[rule])], "a message")
    check_refused_with_reason([STOP, everything], [(105_000, ABOUT[rule])], "stopped")

    if is_well:
        check_nothing_passes([STOP], [(at, ABOUT[rule])], "a message")
    else:
        with pytest.raises(AssertionError, match="a message of"):
            check_nothing_passes([STOP], [(at, ABOUT[rule])], "a message")
    with pytest.raises(AssertionError, match="nothing of it was closed"):
        check_refused_with_reason([STOP], [(17_000, ABOUT["cafe"]), (at, ABOUT["tea"])], "stopped")


NOON = instant("2026-12-01T12:00:00Z")
QUIET = Closed("channel", "sms", NOON, NOON + 20_000)


@pytest.mark.parametrize(
    ("second", "rule", "verdict", "policy", "is_well"),
    [
        (19, "cafe", "quiet_hours", "tight", True),
        (20, "cafe", "won", "tight", True),
        (19, "ride", "won", "tight", True),
        (19, "cafe", "won", "loose", True),
        (19, "cafe", "won", "tight", False),
        (20, "cafe", "quiet_hours", "tight", False),
        (19, "ride", "quiet_hours", "tight", False),
        (19, "cafe", "quiet_hours", "loose", False),
    ],
)
def test_what_passes_quiet_hours_is_noticed_and_so_is_what_was_refused_for_them_without_need(
    second: int, rule: str, verdict: str, policy: str, *, is_well: bool
) -> None:
    row = decided(second, verdict, policy)
    row["verdicts"][0]["rule"] = rule

    if is_well:
        assert check_quiet_hours({"tight": QUIET}, [row], ABOUT) == (verdict == "quiet_hours")
    else:
        with pytest.raises(AssertionError, match="quiet hours"):
            check_quiet_hours({"tight": QUIET}, [row], ABOUT)


def test_a_decision_that_waited_for_nothing_or_not_to_the_end_is_noticed() -> None:
    check_waited([STOP], [(14_999, 15_000)])

    for waited in [(15_000, 16_000), (14_000, 14_999)]:
        with pytest.raises(AssertionError, match="a decision"):
            check_waited([STOP], [waited])


@pytest.mark.parametrize(
    ("what", "reason", "after", "is_excused"),
    [
        ("unknown", "expired", 1_000, True),
        ("unknown", "expired", -1, False),
        ("unknown", "answer_lost", 1_000, False),
        ("accepted", None, 1_000, False),
    ],
)
def test_an_offer_may_be_missing_at_a_gateway_only_if_it_expired_while_it_was_in_doubt(
    what: str, reason: str | None, after: int, *, is_excused: bool
) -> None:
    expiry = "2026-12-01T12:00:00Z"
    value = json.dumps({"offer": "o", "what": what, "reason": reason}).encode()
    said = Row(APP_USAGE, 0, 0, b"c", value, {"ce_source": "/kairos/delivery/sms"}, instant(expiry) + after)

    assert expired_in_doubt([{"id": "o", "expires_at": expiry}], [said]) == ({"o"} if is_excused else set())
