"""Levers beside rules: what they name must be there, asked when rules are checked and when either is published."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.checking import Checked, check_files
from console.cli import app
from console.publishing import Known, adrift_after
from kairos.ids import content_hash
from kairos.instants import from_rfc3339
from rules.lever_fit import idle, reached
from rules.pools import load_pools
from rules.priorities import Priorities, load_priorities
from streams.catalogue import Pointer
from tests.rules_strategies import book_of, written
from tests.test_rules_match import rule

POOLS = """format: 1
zone: Asia/Shanghai
currency: CNY
pools:
  - {id: noodles-5, programme: lunch, merchant: cafe, value: 5, count: 9, prefix: ND}
  - {id: tea-5, programme: supper, merchant: tea-house, value: 5, count: 9, prefix: TE}
"""
NOW = from_rfc3339("2026-12-01T00:00:00Z")
THEN = rule()["then"]
NOODLES: dict[str, Any] = rule(
    id="noodles", programme="lunch", then={**THEN, "offer": {"pool": "noodles-5"}, "channels": ["sms"]}
)
CARD: dict[str, Any] = rule(id="card", programme="debit-to-credit", then={**THEN, "channels": ["push"]})
TREATED = {"experiment": {"control": "10%", "treatments": [{"name": "b", "share": "50%", "channels": ["list"]}]}}


def levers(*said: str) -> str:
    why = "owner: Li, because: merchant pays"
    lines = (f"  - {{name: {chr(97 + n)}, times: 2, {one}, {why}, until: 2026-12-31}}\n" for n, one in enumerate(said))
    return f"format: 1\nzone: Asia/Shanghai\nlevers:\n{''.join(lines)}"


def checked(folder: Path, *said: str, one_file: bool = False) -> Checked:
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "noodles.yaml").write_text(written(NOODLES), encoding="utf-8")
    (rules / "card.yaml").write_text(written(CARD), encoding="utf-8")
    (folder / "pools.yaml").write_text(POOLS, encoding="utf-8")
    (folder / "priorities.yaml").write_text(levers(*said), encoding="utf-8")
    return check_files(rules / "card.yaml" if one_file else rules, {"priorities": None})


def told(found: Checked) -> list[str]:
    return [str(problem).rpartition("/")[2] for problem in found.problems]


def odd(found: Checked) -> list[str]:
    return [warning.what for warning in found.warnings(NOW) if warning.file.endswith("priorities.yaml")]


def test_levers_that_name_what_is_there_have_no_problems(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        "rule: noodles",
        "programme: supper",
        "merchant: cafe, channel: sms",
        "programme: lunch, rule: noodles",
    )

    assert told(found) == []
    assert odd(found) == ["warning: the lever 'b' reaches no offer: no rule makes one with programme 'supper'"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("rule: noodle", "priorities.yaml:4:31: there is no rule 'noodle'; did you mean 'noodles'?"),
        ("programme: launch", "priorities.yaml:4:36: there is no programme 'launch'; did you mean 'lunch'?"),
        ("merchant: caffe", "priorities.yaml:4:35: there is no merchant 'caffe'; did you mean 'cafe'?"),
    ],
)
def test_a_name_that_is_not_there_has_its_place_and_what_may_be_meant(said: str, expected: str, tmp_path: Path) -> None:
    assert told(checked(tmp_path, said)) == [expected]


def test_one_file_of_rules_is_not_the_whole_book_and_names_of_levers_are_not_asked(tmp_path: Path) -> None:
    found = checked(tmp_path, "rule: noodles", "rule: nodles", one_file=True)

    assert (told(found), odd(found)) == ([], [])


@pytest.mark.parametrize("said", ["rule: card, channel: sms", "rule: card, merchant: cafe", "merchant: tea-house"])
def test_a_lever_that_reaches_no_offer_is_odd(said: str, tmp_path: Path) -> None:
    (warning,) = odd(checked(tmp_path, said))

    assert warning.startswith("warning: the lever 'a' reaches no offer: no rule makes one with ")


def test_a_form_of_the_offer_is_reached_by_its_own_channel() -> None:
    priorities = priorities_of("rule: noodles, channel: list")
    plain, treated = ([book_of({**NOODLES, **more}).rules["noodles"]] for more in ({}, TREATED))

    assert [len(list(idle(priorities, reached(rules, None), NOW))) for rules in (plain, treated)] == [1, 0]


def test_a_lever_that_has_ended_is_told_by_the_check_of_rules(tmp_path: Path) -> None:
    found = checked(tmp_path, "rule: noodles")

    assert [warning.what for warning in found.warnings(from_rfc3339("2027-01-05T00:00:00Z"))] == [
        "warning: the lever 'a' has ended and counts as 1"
    ]


def test_mistakes_inside_the_priorities_refuse_the_rules(tmp_path: Path) -> None:
    checked(tmp_path, "rule: noodles, tims: 3")
    run = CliRunner().invoke(app, ["rules", "check", str(tmp_path / "rules")])

    assert run.exit_code == 1
    assert "priorities.yaml:4:40: unknown key 'tims'; did you mean 'times'?" in run.output


def test_priorities_in_the_folder_of_the_rules_are_no_rules(tmp_path: Path) -> None:
    checked(tmp_path, "rule: noodles")
    (tmp_path / "priorities.yaml").rename(tmp_path / "rules" / "priorities.yaml")

    assert check_files(tmp_path / "rules", {}).problems == []


def priorities_of(*said: str) -> Priorities:
    found = load_priorities(levers(*said))
    assert isinstance(found, Priorities)
    return found


def in_force(**contents: bytes) -> Known:
    pointers = {kind: Pointer(content_hash(content), "ann", "") for kind, content in contents.items()}
    return Known(pointers, {content_hash(content): content for content in contents.values()})


def test_publishing_says_which_levers_lose_their_rule_whichever_of_the_two_is_published() -> None:
    both, one = book_of(NOODLES, CARD).content, book_of(CARD).content
    pulled = priorities_of("rule: noodles", "merchant: cafe").content
    known = in_force(rules=both, priorities=pulled, pools=load_pools(POOLS).content)

    assert adrift_after(known, {"rules": both}) == []
    assert adrift_after(known, {"rules": one}) == [
        "warning: the lever 'a': there is no rule 'noodles'; it is one of: card"
    ]
    assert adrift_after(known, {"priorities": priorities_of("rule: noodle").content}) == [
        "warning: the lever 'a': there is no rule 'noodle'; did you mean 'noodles'?"
    ]
    assert adrift_after(in_force(rules=one, pools=load_pools(POOLS).content), {"rules": one}) == []


def test_publishing_says_which_rules_lose_their_pool_whichever_of_the_two_is_published() -> None:
    rules, pools = book_of(NOODLES).content, load_pools(POOLS).content
    (pool,) = {form.then.offer.pool for form in book_of(NOODLES).rules.values()}
    fewer = json.dumps([one for one in json.loads(pools) if one["pool"] != pool]).encode()
    gone = [f"warning: the rule 'noodles': the pool {pool!r} is not in force"]

    assert adrift_after(in_force(pools=pools), {"rules": rules}) == []
    for known, published in ((in_force(rules=rules, pools=pools), {"pools": fewer}), (in_force(), {"rules": rules})):
        assert [line[: len(gone[0])] for line in adrift_after(known, published)] == gone
