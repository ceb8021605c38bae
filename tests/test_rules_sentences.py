"""Sentences: what is said of a rule is enough to write it again."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given

from rules.book import load
from rules.bounds import Limits
from rules.experiments import Experiment, Treatment
from rules.logic import Tree
from rules.persons import Who
from rules.priorities import Priority
from rules.saying import LANGUAGES
from rules.schema import Rule, Then
from rules.sentence import asked_of
from rules.whole import whole
from tests.rules_strategies import book_of, joined, selectors, unhurried, whens, whos, written
from tests.sentences import EVERYTHING, EXAMPLES, GOLDEN, said
from tests.test_rules_cases import kairos
from tests.test_rules_match import rule


def test_the_sentences_are_the_recorded_ones() -> None:
    assert said() == GOLDEN.read_text(encoding="utf-8")


def test_a_command_says_every_rule_of_a_file() -> None:
    found = [kairos("rules", "say", str(path), "--language", "zh") for path in EXAMPLES]

    assert {code for code, _ in found} == {0}
    spoken = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert [line for _, output in found for line in output.splitlines() if line] == [
        line for line in spoken[2::6] if "（everything" not in line
    ]


CHANGES: dict[str, Any] = {
    "id": "other",
    "name": "别的",
    "scenario": "activation",
    "programme": "other",
    "status": "paused",
    "valid.from": "2026-12-02",
    "valid.until": "2027-03-01T12:00:00+08:00",
    "purpose": "marketing",
    "on.where.amount.below": 2001,
    "on.where.card": "debit",
    "on.where.coupon.exists": True,
    "on.where.at.days": "mon-tue",
    "on.where.at.time": "11:00-13:30",
    "on.where.near.radius": "2100m",
    "who.all.1.any.0": {"not": {"tag": "payroll"}},
    "who.all.2.not.all.1.attr.branch": 10,
    "who.all.3.score.at_least": 0.21,
    "when.any.0.count.within": "31d",
    "when.any.1.all.0.count.days": 8,
    "when.any.1.all.0.count.zone": "UTC",
    "when.any.1.all.1": {"last_seen": {"event": "login", "within": "90m"}},
    "warm": "wait",
    "then.offer.product": "fixed-deposit-3m",
    "then.offer.pool": "noodles-6",
    "then.channels": ["sms", "push", "list"],
    "then.template": "other",
    "then.text.zh": "别的",
    "then.text.en": "Other",
    "then.expires": "35h",
    "then.objective": "reaction",
    "then.wait": "4d",
    "then.reactions": ["converted"],
    "limits.cooldown": "15d",
    "limits.per_customer": 3,
    "limits.group": "welcome",
    "consume": True,
    "fresh": "2h",
    "in_quiet_hours": "defer",
    "priority.level": "mandatory",
    "priority.value": 36,
    "priority.context.0.where.channel": "pos",
    "priority.context.0.times": 1.6,
    "experiment.control": "12.6%",
    "experiment.salt": "summer",
    "experiment.treatments.0.name": "warmer",
    "experiment.treatments.0.share": "30.1%",
    "experiment.treatments.0.offer.pool": "noodles-6",
    "experiment.treatments.0.channels": ["push"],
    "experiment.treatments.1.template": "other",
    "experiment.treatments.1.text.en": "Other",
    "experiment.treatments.2.with.code.coupon": "merchant",
    "experiment.treatments.2.with.a": 2,
}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_anywhere_in_a_rule_changes_its_sentence(path: str, language: Any) -> None:
    changed = deepcopy(EVERYTHING)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    part: Any = changed
    for step in way:
        part = part[step]
    part[last] = CHANGES[path]

    (before,), (after,) = (book_of(one).rules.values() for one in (EVERYTHING, changed))

    assert whole(before, language, "Asia/Shanghai") != whole(after, language, "Asia/Shanghai")


def test_a_field_that_is_added_to_rules_must_be_said() -> None:
    changed = {path.partition(".")[0] for path in CHANGES}

    assert Rule.model_fields.keys() - changed == {"tests"}
    for part, model in (("priority", Priority), ("then", Then), ("limits", Limits), ("experiment", Experiment)):
        below = {path.split(".")[1] for path in CHANGES if path.startswith(f"{part}.")}
        # Its own text and the values of a template's never stand together: they are told below.
        assert {field.alias or name for name, field in model.model_fields.items()} - {"with"} == below
    assert {field.alias or name for name, field in Treatment.model_fields.items()} == {
        path.split(".")[3] for path in CHANGES if "treatments" in path
    }


TEMPLATED = {**EVERYTHING["then"], "text": None, "with": {"day": {"event": "at"}}}
OTHERWISE: list[dict[str, Any]] = [
    {"day": {"event": "amount"}},
    {"day": {"attr": "at"}},
    {"day": {"offer": "expires"}},
    {"day": {"coupon": "until"}},
    {"day": "at"},
    {"date": {"event": "at"}},
    {},
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_values_of_a_template_come_from_is_said(language: Any) -> None:
    bindings = [TEMPLATED["with"], *OTHERWISE]
    thens = [{key: part for key, part in {**TEMPLATED, "with": one}.items() if part is not None} for one in bindings]
    rules = [rule for then in thens for rule in book_of({**EVERYTHING, "then": then}).rules.values()]

    assert len({whole(rule, language, "Asia/Shanghai") for rule in rules}) == len(bindings)


def normal(tree: Tree) -> object:
    """Give what a tree means as far as a sentence shows it: all and any of one are that one, attributes stand apart."""
    if tree.none is not None:
        return ("not", normal(tree.none))
    if tree.parts is None:
        said = tree.model_dump(mode="json", by_alias=True, exclude_none=True)
        if isinstance(tree, Who) and tree.attr is not None:
            below = [("attr", name, str(test)) for name, test in said["attr"].items()]
            return below[0] if len(below) == 1 else ("all", *below)
        return str(said)
    parts = [normal(part) for part in tree.parts]
    return parts[0] if len(parts) == 1 else ("any" if tree.any is not None else "all", *parts)


def read(**changes: Any) -> Rule | None:
    book = load({"r.yaml": written(rule(**changes))}).book
    return None if book is None else book.rules["r"]


@unhurried
@given(joined(whos), joined(whos), joined(whens), joined(whens), selectors, selectors)
def test_rules_that_ask_something_else_are_said_differently(
    who: Any, other_who: Any, when: Any, other_when: Any, on: Any, other_on: Any
) -> None:
    pairs = [({"who": who}, {"who": other_who}), ({"when": when}, {"when": other_when}), ({"on": on}, {"on": other_on})]
    for one, other in pairs:
        first, second = read(**one), read(**other)
        # What no file may say, such as conditions nested too deeply, needs no sentence.
        if first is None or second is None:
            continue
        same = all(normal(getattr(first, part)) == normal(getattr(second, part)) for part in ("who", "when"))
        if not same or first.on.selector != second.on.selector:
            for language in LANGUAGES:
                assert whole(first, language, "UTC") != whole(second, language, "UTC")


def test_what_is_joined_by_any_inside_all_stands_in_brackets() -> None:
    found = read(
        who={"all": [{"any": [{"tag": "a"}, {"attr": {"age": {"at_least": 18, "at_most": 60}}}]}]},
        when={"any": [{"last_seen": {"event": "login", "within": "1d"}}, {"all": []}]},
    )

    assert found is not None
    assert asked_of(found, "en") == (
        "(tagged a or (age ≥ 18 and age ≤ 60)) and (an earlier login within 1 day or always)"
    )
    assert asked_of(found, "zh") == "（有标签a或（age ≥ 18且age ≤ 60））且（1天内有过登录或恒成立）"
