"""Deferring: what comes to quiet hours waits for the morning, and is then asked everything again."""

from dataclasses import replace
from typing import Any

import pytest

from console.explaining import lines_of
from kairos.decisions import Decision
from kairos.instants import HOUR, MINUTE, Millis, from_rfc3339
from kairos.ports import Record
from rules.book import load
from rules.warnings import warned
from streams.replay import Replay
from streams.topics import DECISIONS
from streams.versions import Versions
from tests.customer_table import Said, Table, versions
from tests.test_stops import stopping

NIGHT: Millis = from_rfc3339("2026-12-01T22:00:00+08:00")
MORNING: Millis = from_rfc3339("2026-12-02T08:00:00+08:00")
HOURS = {"hours": {"sms": "08:00-21:00", "push": "08:00-21:00"}}
DEFER = "    in_quiet_hours: defer\n    fresh: 14h\n"


def night(extra: str = DEFER, policy: dict[str, Any] | None = None, **more: Any) -> Table:
    table = Table(versions(policy={**HOURS, **(policy or {})}, extra=extra, **more), now=NIGHT)
    table.hear(table.profile(ago=HOUR))
    return table


def morning(table: Table, at: Millis = MORNING) -> Said:
    return table.hear(after=at - table.now)


def test_what_comes_at_night_is_decided_once_in_the_morning() -> None:
    table = night()

    silent = table.hear(table.pays(category="fuel"))
    early = morning(table, MORNING - 1)
    said = morning(table)

    assert (silent.decisions, early.decisions) == ([], [])
    decision = said.decision
    assert (decision["state"], decision["decided_at"]) == ("offered", "2026-12-02T00:00:00Z")
    assert decision["deferred_at"] == "2026-12-01T14:00:00Z"
    assert said.offers[0]["expires_at"] == "2026-12-02T01:00:00Z"
    assert "waited    since 2026-12-01 14:00:00 (UTC) for quiet hours" in lines_of(
        Decision.model_validate(decision), None
    )
    assert (table.customer("c1").deferred, morning(table, MORNING + HOUR).decisions) == ({}, [])


def test_a_rule_that_does_not_wait_drops_it() -> None:
    table = night(extra="")

    assert table.hear(table.pays(category="fuel")).decision["reason"] == "quiet_hours"
    assert morning(table).decisions == []


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("    in_quiet_hours: defer\n", "quiet_hours"),
        ("    in_quiet_hours: defer\n    fresh: 9h\n", "quiet_hours"),
        (DEFER + "    valid: {until: 2026-12-01}\n", "quiet_hours"),
    ],
)
def test_what_would_be_stale_or_no_longer_valid_in_the_morning_does_not_wait(extra: str, reason: str) -> None:
    table = night(extra)

    assert table.hear(table.pays(category="fuel")).decision["reason"] == reason


def test_what_waits_and_is_asked_too_late_is_stale() -> None:
    table = night()
    table.hear(table.pays(category="fuel"))

    assert morning(table, NIGHT + 14 * HOUR + 1).decision["reason"] == "stale"


def _leaves(table: Table) -> None:
    table.hear(table.feedback("opted_out"), after=HOUR)


def _is_not_to_be_contacted(table: Table) -> None:
    table.hear(table.profile(do_not_contact=True), after=HOUR)


def _is_stopped(table: Table) -> None:
    table.versions = replace(table.versions, stops=stopping("rule/card"))


def _is_no_longer_meant(table: Table) -> None:
    table.hear(table.profile(tags=["gone"]), after=HOUR)


def _is_gone(table: Table) -> None:
    empty = load({"r.yaml": "format: 1\nzone: UTC\ncurrency: CNY\nrules: []"}).book
    assert empty is not None
    table.versions = table.versions.having("rules", empty.content)


def _is_paused(table: Table) -> None:
    table.versions = table.versions.having("rules", table.versions.book.paused("card").content)


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (_leaves, "no_consent"),
        (_is_not_to_be_contacted, "do_not_contact"),
        (_is_stopped, "stopped"),
        (_is_no_longer_meant, "no_longer_matches"),
        (_is_gone, "no_longer_matches"),
        (_is_paused, "rule_paused"),
    ],
)
def test_in_the_morning_permission_and_every_gate_are_asked_again(meanwhile: Any, reason: str) -> None:
    table = night(DEFER + "    who: {not: {tag: gone}}\n")
    table.hear(table.pays(category="fuel"))
    meanwhile(table)

    said = morning(table)

    assert (said.decision["state"], said.decision["reason"], said.offers) == ("suppressed", reason, [])
    assert said.decision["verdicts"][0]["arm"] == "treatment"


def test_caps_and_cooldowns_are_asked_again() -> None:
    table = night(policy={"overall": {"within": "1d", "at_most": 1}})
    for category in ("fuel", "dining"):
        table.hear(table.pays(category=category))

    reasons = [decision["reason"] for decision in morning(table).decisions]

    # One of the two uses up the day; the other finds it used.
    assert reasons.count("overall_cap") == 1


def test_a_rule_waits_once_for_a_customer() -> None:
    table = night()
    table.hear(table.pays(category="fuel"))

    second = table.hear(table.pays(category="fuel"), after=MINUTE)

    assert second.decision["reason"] == "quiet_hours"
    assert len(morning(table).decisions) == 1


def test_what_became_of_the_other_rules_is_told_in_the_one_record() -> None:
    table = night("")
    waiting = table.versions.book.rules["cafe"].model_copy(update={"in_quiet_hours": "defer", "fresh": 14 * HOUR})
    rules = [waiting, *(rule for name, rule in table.versions.book.rules.items() if name != "cafe")]
    table.versions = replace(table.versions, book=type(table.versions.book).of(rules))
    table.hear(table.pays())

    answers, _ = table.ledger(morning(table))
    told = table.hear(*answers).decision

    assert [(v["rule"], v["verdict"]) for v in told["verdicts"]] == [("cafe", "won"), ("tea", "quiet_hours")]


def test_a_book_that_is_published_at_night_leaves_the_decision_its_name() -> None:
    first, second = night(), night()
    for table in (first, second):
        table.hear(table.pays(category="fuel", id_="e"))
    second.versions = second.versions.having("rules", versions(cooldown="7d", extra=DEFER).book.content)

    assert morning(first).decision["id"] == morning(second).decision["id"]


def test_who_is_forgotten_is_not_asked_again() -> None:
    table = night()
    table.hear(table.pays(category="fuel"))
    table.hear(table.tombstone())

    assert morning(table).decisions == []
    assert not [key for key, _ in table.state() if b"c1" in key]


def test_closed_days_are_waited_for_as_nights_are() -> None:
    table = night(DEFER.replace("14h", "3d"), {"calendar": [{"name": "元旦", "on": "2026-12-02"}]})
    table.hear(table.pays(category="fuel"))

    assert morning(table).decisions == []
    assert morning(table, MORNING + 24 * HOUR).decision["state"] == "offered"


def test_a_replay_of_a_file_decides_at_the_hour_at_which_the_night_ends() -> None:
    found: Versions = versions(policy=HOURS, extra=DEFER)
    table = Table(found, now=NIGHT)
    events: list[Record] = [table.profile(ago=HOUR), table.pays(category="fuel")]
    table.now = MORNING + HOUR
    events.append(table.uses("c2"))

    outputs = list(Replay(found).run(events))

    (told,) = Said([output for output in outputs if output.topic == DECISIONS]).decisions
    assert told["decided_at"] == "2026-12-02T00:00:00Z"


@pytest.mark.parametrize(("extra", "told"), [("    in_quiet_hours: defer\n", True), (DEFER, False), ("", False)])
def test_a_rule_that_waits_for_less_than_its_night_is_told(extra: str, told: bool) -> None:
    found = versions(policy=HOURS, extra=extra)

    odd = {(one.path, one.what) for one in warned(found.book.rules.values(), found.policy)}

    what = "what comes at the beginning of quiet hours is no longer fresh at their end, 11h later"
    assert ((("fresh",), what) in odd) == told
