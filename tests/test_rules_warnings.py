"""Warnings: each is sure of what it says, has a place, and says nothing of rules that do something."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from typer.testing import CliRunner

from console.cli import app
from kairos.customer import Customer, Standing
from kairos.events import Event
from kairos.instants import from_rfc3339
from rules.book import Book, load
from rules.policy import Policy, load_policy
from rules.warnings import warned
from tests.rules_strategies import books, lives, standings, unhurried
from tests.test_rules_check import GOOD

NOW = from_rfc3339("2026-12-01T12:00:00+08:00")
AGE = "{attr: {age: {at_least: 22}}}"
COUNT = "{count: {same_as: on, within: 7d, at_least: 3}}"
APP = "app_usage, where: {app_class: food_delivery}"


def policy(text: str) -> Policy:
    found = load_policy(f"format: 1\nzone: Asia/Shanghai\n{text}")
    assert isinstance(found, Policy), found
    return found


def said(text: str, house: Policy | None = None, now: int = NOW) -> list[str]:
    loaded = load({"f": text})
    assert loaded.book is not None, [str(problem) for problem in loaded.problems]
    odd = warned(loaded.book.rules.values(), house or Policy.default(), now)
    return [str(loaded.at(each.rule, each.path, each.what)) for each in odd]


ODD = [
    (
        AGE,
        "{attr: {age: {at_least: 50, below: 30}}}",
        "11:25: no customer meets this: nothing is at least 50 and below 30",
    ),
    (
        AGE,
        "{attr: {age: {above: 30, at_most: 30}}}",
        "11:25: no customer meets this: nothing is above 30 and at most 30",
    ),
    (
        AGE,
        "{attr: {age: {any_of: [20, 21], above: 21}}}",
        "11:25: no customer meets this: none of the values fits the rest",
    ),
    (
        AGE,
        "{attr: {city: {any_of: [a], not: [a, b]}}}",
        "11:25: no customer meets this: none of the values fits the rest",
    ),
    (
        AGE,
        "{attr: {city: a}}, {attr: {city: [b, c]}}",
        "11:44: no customer meets this: the lists have nothing in common",
    ),
    (
        AGE,
        "{all: [{attr: {age: 30}}]}, {attr: {age: {not: 30}}}",
        "11:53: no customer meets this: none of the values fits",
    ),
    (AGE, "{tag: vip}", "11:29: the tag 'vip' is asked for and ruled out; no customer meets both"),
    (
        APP,
        "app_usage, where: {seconds: {above: 60, below: 30}}",
        "10:36: no app_usage meets this: nothing is above 60 and below 30",
    ),
    (
        APP,
        "transaction, where: {amount: {at_least: 60, below: 30}}",
        "10:38: no transaction meets this: nothing is at least 60.00 CNY and below 30.00 CNY",
    ),
    (
        COUNT,
        COUNT + ", {count: {same_as: on, within: 30d, at_most: 2}}",
        "12:68: at most 2 in 30d cannot hold beside at least 3 of the same in 7d",
    ),
    (
        COUNT,
        "{last_seen: {event: login, within: 7d}}, {last_seen: {event: login, at_least: 7d}}",
        "12:60: the last one cannot be at least 7d ago and within 7d",
    ),
    (
        COUNT,
        "{last_seen: {event: login, at_least: 100d}}",
        "12:19: where the events were not remembered before, this is not known for 100d, and then the rule has ended",
    ),
    (
        COUNT,
        "{last_seen: {event: login, within: 7d}}, {first: {event: login, in: 30d}}",
        "12:60: there cannot be none in 30d and one within 7d",
    ),
    (
        COUNT,
        "{last_seen: {event: login, within: 7d}}, {first: {event: login}}",
        "12:60: there cannot be none ever and one within 7d",
    ),
    (
        COUNT,
        "{sum: {event: transaction, field: amount, within: 7d, below: 0}}",
        "12:19: it is never below 0: no amount and no number of seconds is",
    ),
    (
        COUNT,
        "{avg: {event: transaction, field: amount, within: 7d, at_least: 50, below: 30}}",
        "12:19: it never comes to this: nothing is at least 50.00 CNY and below 30.00 CNY",
    ),
    (
        COUNT,
        "{sum: {event: transaction, field: amount, days: 7, above: 50}}, "
        "{sum: {event: transaction, field: amount, days: 7, at_most: 50}}",
        "12:83: beside the others of the same it never comes to this: nothing is above 50.00 CNY and at most 50.00 CNY",
    ),
    (
        COUNT,
        "{distinct: {event: transaction, field: card, within: 7d, at_least: 3}}",
        "12:19: there are no 3 different values: card is one of debit, credit",
    ),
    (
        COUNT,
        "{distinct: {event: transaction, where: {merchant: [a, b]}, field: merchant, within: 7d, at_least: 3}}",
        "12:19: there are no 3 different values: merchant is one of a, b",
    ),
    (
        COUNT,
        "{absent: {event: transaction, for: 90d}}",
        "9:31: what is waited for now ends in 90d, after the rule has ended",
    ),
    (
        APP,
        'app_usage, where: {at: {time: "22:00-05:00"}}',
        "10:36: at these hours the policy lets no offer through by any of its channels",
    ),
    ("from: 2026-12-01, until: 2027-02-28", "until: 2026-11-30", "9:13: the rule has ended; it never fires again"),
    (
        AGE,
        "{any: [{tag: a}, {all: [{tag: b}, {not: {tag: b}}]}]}",
        "11:51: the tag 'b' is asked for and ruled out; no customer meets both",
    ),
    (
        COUNT,
        "{any: [{first: {event: login, in: 7d}}, {sum: {event: transaction, field: amount, days: 7, below: 0}}]}",
        "12:59: it is never below 0: no amount and no number of seconds is",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "expected"), ODD, ids=[case[2][6:60] for case in ODD])
def test_a_rule_that_does_nothing_is_told_with_its_place(right: str, wrong: str, expected: str) -> None:
    assert right in GOOD

    found = said(GOOD.replace(right, wrong, 1))

    assert [line for line in found if line.startswith(f"f:{expected}")], found


FINE = [
    (AGE, "{attr: {age: {at_least: 30, at_most: 30}}}"),
    (AGE, "{attr: {city: [a, b]}}, {attr: {city: [b, c]}}"),
    (AGE, "{any: [{tag: vip}, {tag: staff}]}"),
    (AGE, "{not: {attr: {age: {at_least: 50, below: 30}}}}"),
    (COUNT, COUNT + ", {count: {same_as: on, within: 1d, at_most: 2}}"),
    (COUNT, "{last_seen: {event: login, within: 7d}}, {last_seen: {event: login, at_least: 1d}}"),
    (COUNT, "{last_seen: {event: login, at_least: 30d}}"),
    (COUNT, "{last_seen: {event: login, within: 7d}}, {first: {event: login, in: 6d}}"),
    (COUNT, "{first: {event: login}}, {last_seen: {event: page_view, within: 7d}}"),
    (COUNT, "{sum: {event: transaction, field: amount, within: 7d, at_most: 0}}"),
    (COUNT, "{min: {event: transaction, field: amount, within: 7d, at_least: 30, at_most: 30}}"),
    (
        COUNT,
        "{sum: {event: transaction, field: amount, days: 7, above: 50}}, "
        "{sum: {event: transaction, field: amount, days: 1, at_most: 50}}",
    ),
    (COUNT, "{not: {sum: {event: transaction, field: amount, within: 7d, below: 0}}}"),
    (COUNT, "{distinct: {event: transaction, field: card, within: 7d, at_least: 2}}"),
    (COUNT, "{absent: {event: app_usage, for: 80d}}"),
    (APP, 'app_usage, where: {at: {time: "20:59-05:00"}}'),
    (APP, 'app_usage, where: {at: {time: "07:00-07:55"}}'),
    ("until: 2027-02-28", "until: 2026-12-01"),
]


@pytest.mark.parametrize(("right", "wrong"), FINE, ids=[case[1][:60] for case in FINE])
def test_nothing_is_said_of_a_rule_that_may_fire(right: str, wrong: str) -> None:
    assert right in GOOD

    assert said(GOOD.replace(right, wrong, 1)) == []


def test_caps_of_nothing_deliver_nothing() -> None:
    none = "{within: 1d, at_most: 0}"

    assert said(GOOD, policy(f"caps: {{sms: {none}, push: {none}}}")) == [
        "f:15:7: the policy's caps let no offer through by any of its channels"
    ]
    assert said(GOOD, policy(f"caps: {{sms: {none}}}")) == []


def twice(**changes: tuple[str, str]) -> str:
    """The good rule, and a second one with other words at some places."""
    rule = GOOD[GOOD.index("  - id") : GOOD.index("    tests:")]
    other = rule.replace("id: lunch", "id: second")
    for right, wrong in changes.values():
        assert right in other
        other = other.replace(right, wrong)
    return GOOD[: GOOD.index("  - id")] + rule + other


def test_a_rule_that_is_never_alone_is_told() -> None:
    stricter = twice(who=("{not: {tag: vip}}", "{not: {tag: vip}}, {tag: a}"), rest=("14d", "20d"))

    assert said(stricter) == [
        "f:21:5: whenever it matches, 'lunch' matches too, with the same offer and no longer a rest"
    ]
    assert len(said(twice())) == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("cooldown: 14d", "cooldown: 13d"),
        ("soup-5", "soup-6"),
        ("[sms, push]", "[push]"),
        ("programme: takeaway", "programme: other"),
        ("app_class: food_delivery", "app_class: travel"),
        ("until: 2027-02-28", "until: 2027-03-28"),
        ("control: 10%", "control: 20%"),
        ("tag: vip", "tag: staff"),
        ("at_least: 3", "at_least: 2"),
    ],
)
def test_a_rule_that_may_be_alone_is_not_told(right: str, wrong: str) -> None:
    assert said(twice(change=(right, wrong))) == []


@unhurried
@given(books, lives, standings)
def test_a_rule_that_fires_was_never_called_contradictory(book: Book, life: list[Event], standing: Standing) -> None:
    found = [each for each in warned(book.rules.values(), Policy.default()) if each.path[0] in ("on", "who", "when")]
    # Of what is joined by any, the others may still hold.
    silent = {each.rule for each in found if "any" not in each.path} - {e.rule for e in found if e.path[-1] == "at"}
    customer = Customer()
    for event in life:
        book.observe(event, customer)

        assert silent.isdisjoint(rule.id for rule in book.match(event, customer, lambda: standing))


def test_the_command_tells_warnings_and_fails_only_when_it_shall(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace(AGE, "{tag: vip}"))
    run, command = CliRunner(), ["rules", "check", str(tmp_path)]

    plain = run.invoke(app, command)

    assert plain.exit_code == 0
    assert f"{tmp_path}/a.yaml:11:29: warning: the tag 'vip' is asked for and ruled out" in plain.output
    assert "1 rule, book" in plain.output
    assert run.invoke(app, [*command, "--strict"]).exit_code == 1


def test_a_program_reads_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace(AGE, "{tag: vip}"))
    command = ["rules", "check", str(tmp_path), "--format", "json"]

    good = CliRunner().invoke(app, command)
    (tmp_path / "a.yaml").write_text(GOOD.replace("7d", "1w"))
    wrong = CliRunner().invoke(app, command)

    told = json.loads(good.output)
    assert (good.exit_code, told["problems"], len(told["warnings"]), list(told["rules"])) == (0, [], 1, ["lunch"])
    assert (told["warnings"][0]["line"], told["warnings"][0]["column"], told["cost"][-1]["features"]) == (11, 29, 1)
    told = json.loads(wrong.output)
    assert (wrong.exit_code, told["book"], told["problems"][0]["line"]) == (1, None, 12)
