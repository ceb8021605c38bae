"""Priorities: what offers count for when they compete, and what people see of it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.cli import app
from console.explaining import lines_of
from console.priorities_schema import SCHEMA
from kairos.decisions import Arm, Decision, Reason, Terms, Verdict
from kairos.instants import DAY, Millis
from kairos.offers import Channel
from models.snapshot import Snapshot
from rules.book import load
from rules.candidates import Candidate
from rules.decide import rank
from rules.priorities import Lever, Priorities, Smoothing, load_priorities
from rules.priorities_saying import priorities_lines, terms_said
from rules.saying import LANGUAGES
from rules.schema import Rule
from rules.weighing import Weighing, Weight
from tests.customer_table import Table, versions
from tests.rules_strategies import NOON, book_of, unhurried, written
from tests.test_rules_match import food, rule
from tests.written_files import properties

SHIPPED = Path(__file__).parent.parent / "examples" / "priorities.yaml"
VALIDATOR = jsonschema.Draft7Validator(SCHEMA.document())
WHY = {"owner": "Li", "because": "merchant pays", "until": "2026-12-31"}


def one(**changes: Any) -> Rule:
    (found,) = book_of(rule(**changes)).rules.values()
    return found


def levers(*said: dict[str, Any]) -> Priorities:
    named = [{"name": f"lever {number}", **WHY, **one} for number, one in enumerate(said)]
    found = load_priorities(json.dumps({"format": 1, "zone": "Asia/Shanghai", "levers": named}))
    assert isinstance(found, Priorities), found
    return found


def weighed(rule: Rule, said: Priorities, now: Millis = NOON, merchant: str = "m1") -> Weight | None:
    candidate = Candidate(rule, Arm.TREATMENT, Channel.SMS)
    return Weighing(food(NOON), said, now).of(candidate, 0.04, merchant=merchant)


def test_a_rule_that_says_nothing_counts_for_its_chance_alone_and_the_record_is_as_before() -> None:
    table = Table()

    decision = table.hear(table.profile(), table.pays(category="fuel")).decision

    assert weighed(one(), Priorities.default()) is None
    assert weighed(one(), levers({"times": 2, "rule": "other"})) is None
    assert "terms" not in decision["verdicts"][0]
    assert "priorities" not in decision["versions"]


def test_the_terms_are_multiplied_and_each_is_told() -> None:
    fits = [{"event": "app_usage", "times": 2}, {"event": "app_usage", "where": {"app_class": "travel"}, "times": 5}]
    said = levers({"times": 1.5, "programme": "p"}, {"times": 0.5, "channel": "push"}, {"times": 3, "merchant": "m1"})

    found = weighed(one(priority={"value": 35, "context": fits}), said)

    assert found is not None
    assert (found.context, found.value, found.levers, found.pulled) == (2, 35, 4.5, ("lever 0", "lever 2"))
    assert found.priority == 0.04 * 2 * 35 * 4.5


@pytest.mark.parametrize(
    ("lever", "reached"),
    [
        ({"rule": "r"}, True),
        ({"rule": "s"}, False),
        ({"programme": "p"}, True),
        ({"merchant": "m1"}, True),
        ({"merchant": "m2"}, False),
        ({"channel": "sms"}, True),
        ({"channel": "push"}, False),
        ({"programme": "p", "channel": "sms"}, True),
        ({"programme": "p", "channel": "push"}, False),
        ({"programme": "q", "rule": "r"}, False),
    ],
)
def test_a_lever_reaches_what_it_names_and_nothing_else(lever: dict[str, Any], reached: bool) -> None:
    assert (weighed(one(), levers({"times": 2, **lever})) is not None) is reached


def test_what_reaches_one_rule_is_not_taken_for_another_of_its_programme() -> None:
    said = levers({"times": 2, "rule": "r"}, {"times": 3, "programme": "p"})
    for name, together in (("r", 6), ("other", 3), ("r", 6)):
        assert (found := weighed(one(id=name), said)) is not None
        assert found.levers == together


def test_a_lever_counts_from_its_first_day_to_the_end_of_its_last() -> None:
    said = levers({"times": 2, "rule": "r", "from": "2026-12-02", "until": "2026-12-02"})
    midnight = NOON + DAY // 2

    moments = (midnight - 1, midnight, midnight + DAY - 1, midnight + DAY, midnight, midnight - 1)
    found = [weighed(one(), said, now) is not None for now in moments]

    assert found == [False, True, True, False, True, False]
    assert [what for _, what in said.warnings(midnight + DAY)] == ["the lever 'lever 0' has ended and counts as 1"]
    assert list(said.warnings(midnight + DAY - 1)) == []


@unhurried
@given(st.lists(st.floats(0.1, 10), max_size=6))
def test_levers_together_stay_in_their_bounds_and_their_order_means_nothing(factors: list[float]) -> None:
    said = [levers(*({"times": factor, "rule": "r"} for factor in order)) for order in (factors, factors[::-1])]

    found = [weighed(one(priority={"value": 1}), each) for each in said]

    assert all(terms is not None and 0.1 <= terms.levers <= 10 for terms in found)
    assert found[0] is None or found[1] is None or found[0].levers == pytest.approx(found[1].levers)


SMOOTH = Smoothing(prior=0.05, impressions=200)


@unhurried
@given(st.floats(0.001, 0.999), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_smoothed_chance_goes_from_the_prior_to_the_models_word(score: float, few: int, more: int) -> None:
    less, further = (SMOOTH.of(score, shown) for shown in sorted((few, more)))

    assert SMOOTH.of(score, 0) == pytest.approx(0.05)
    assert min(score, 0.05) - 1e-12 <= further <= max(score, 0.05) + 1e-12
    assert abs(further - score) <= abs(less - score) + 1e-12


def test_an_offer_that_was_never_made_counts_for_the_prior_whatever_the_model_says_and_the_record_tells_both() -> None:
    said = load_priorities("format: 1\nzone: UTC\nsmoothing: {prior: 5%, impressions: 200}")
    assert isinstance(said, Priorities), said
    weights = {"rule=tea": 9.0, "rule=cafe": -0.5}
    known = Snapshot("reaction", 0.04, weights, {"cafe": 1_000})
    table = Table(versions().having("priorities", said.content).having("model/reaction", known.to_bytes()))

    table.hear(table.profile())
    decision = table.ask(table.pays())[0].decision

    best, other = (Verdict.model_validate(verdict) for verdict in decision["verdicts"])
    assert (best.rule, best.terms, other.rule) == ("tea", Terms(propensity=0.05, shown=0, priority=0.05), "cafe")
    assert (best.score or 0) > 0.9
    assert other.terms is not None
    assert other.terms.propensity == pytest.approx((1_000 * (other.score or 0) + 200 * 0.05) / 1_200)
    assert terms_said(best, "en").startswith("priority 0.05 = propensity 5.0% (shown 0 times) x")


@pytest.mark.parametrize(
    ("smoothing", "told"),
    [
        ("{prior: 0%, impressions: 1}", "give a prior above 0%"),
        ("{prior: 5%, impressions: 0}", "should be greater than or equal to 1"),
        ("{prior: 5%}", "the key 'impressions' is missing"),
    ],
)
def test_a_slip_in_the_smoothing_is_told(smoothing: str, told: str) -> None:
    problems = load_priorities(f"format: 1\nzone: UTC\nsmoothing: {smoothing}")

    assert isinstance(problems, tuple)
    assert told in problems[0].what


def ranked(*said: tuple[str, str, float], programme: str = "p") -> list[str]:
    candidates = [
        Candidate(one(id=id_, programme=programme, priority={"level": level}), Arm.TREATMENT, Channel.SMS)
        for id_, level, _ in said
    ]
    ranking = rank(candidates, {id_: priority for id_, _, priority in said})
    return [candidate.rule.id for candidate in ranking.wishes]


def test_a_mandatory_offer_wins_over_the_best_and_a_default_one_comes_behind_the_worst() -> None:
    found = ranked(("a", "default", 0.9), ("b", "usual", 0.8), ("c", "mandatory", 0.1), ("d", "usual", 0.2))

    assert found == ["c", "b", "d", "a"]
    assert ranked(("a", "default", 0.1)) == ["a"]


@unhurried
@given(st.permutations(["a", "b", "c", "d"]))
def test_what_is_as_high_is_ordered_by_id_however_it_came(order: list[str]) -> None:
    for level in ("mandatory", "usual", "default"):
        assert ranked(*((id_, level, 0.5) for id_ in order)) == ["a", "b", "c", "d"]


def test_two_rules_of_one_priority_are_told_in_the_record_with_their_ranks() -> None:
    table = Table(versions(extra="    priority: {value: 3}\n"))

    said = table.hear(table.profile(), table.pays())
    decision = table.hear(*table.ledger(said)[0]).decision

    told = [(v["rule"], v["rank"], v["verdict"], v["terms"]["priority"]) for v in decision["verdicts"]]
    assert told == [("cafe", 1, "won", pytest.approx(0.15)), ("tea", 2, Reason.OUTRANKED, pytest.approx(0.15))]
    explained = "\n".join(lines_of(Decision.model_validate(decision), None))
    assert "as high as one another, in the order of their ids: cafe, tea" in explained
    assert "priority 0.15 = propensity 5.0% x context 1 x value 3 x levers 1" in explained


def test_a_lever_moves_the_decision_and_the_decision_names_it_and_its_file() -> None:
    said = levers({"times": 2, "merchant": "m2"})
    table = Table(versions().having("priorities", said.content))

    decision = table.ask(table.profile(), table.pays())[0].decision

    won = decision["verdicts"][0]
    assert (won["rule"], won["verdict"]) == ("tea", "won")
    assert won["terms"] == {"levers": 2.0, "pulled": ["lever 0"], "priority": 0.1}
    assert decision["versions"]["priorities"] == said.hash == Priorities.of_content(said.content).hash


def test_what_was_weighed_is_said_in_both_languages() -> None:
    table = Table(versions(extra="    priority: {level: mandatory, value: 35}\n"))

    table.hear(table.profile())
    decision = table.ask(table.pays())[0].decision

    verdict = Verdict.model_validate(decision["verdicts"][0])
    assert terms_said(verdict, "zh").startswith("优先级 1.75 = 响应概率 5.0% x 情境 1 x 价值 35 x 杠杆 1")
    assert terms_said(verdict, "en").endswith("levers 1, it wins over all other offers")


def test_each_thing_a_lever_says_is_in_its_sentence() -> None:
    usual = {"name": "n", "times": 2, "rule": "r", "owner": "Li", "because": "why", "until": "2026-12-31"}
    others: dict[str, Any] = {
        "name": "m", "times": 3, "rule": "s", "owner": "Wu", "because": "who", "until": "2027-01-01",
        "programme": "p", "merchant": "m1", "channel": "sms", "from": "2026-12-01",
    }  # fmt: skip
    assert others.keys() == {field.alias or name for name, field in Lever.model_fields.items()}
    for language in LANGUAGES:
        said = {tuple(priorities_lines(levers({**usual, key: value}), language)) for key, value in others.items()}
        assert len(said | {tuple(priorities_lines(levers(usual), language))}) == len(others) + 1


@pytest.mark.parametrize(
    ("lever", "told"),
    [
        ("{name: a, times: 20, rule: r, %s}", "4:20: a factor lies between 0.1 and 10"),
        ("{name: a, times: 0, rule: r, %s}", "4:20: a factor lies between 0.1 and 10"),
        ("{name: a, times: 2, %s}", "4:3: say which offers: rule, programme, merchant or channel"),
        ("{name: a, times: 2, rule: r, owner: x, because: y}", "4:3: the key 'until' is missing"),
        ("{name: a, times: 2, rulle: r, %s}", "4:23: unknown key 'rulle'; did you mean 'rule'?"),
        ("{name: a, times: 2, channel: smss, %s}", "4:32: 'smss' is not known here; did you mean 'sms'?"),
        ("{name: a, times: 2, rule: r, from: 2027-01-02, %s}", "until must not be before from"),
    ],
)
def test_a_slip_has_its_line_its_column_and_what_may_be_meant(lever: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "priorities.yaml"
    said = lever % "owner: x, because: y, until: 2026-12-31" if "%s" in lever else lever
    file.write_text(f"format: 1\nzone: UTC\nlevers:\n- {said}\n", encoding="utf-8")

    found = CliRunner().invoke(app, ["priorities", "check", str(file)])

    assert found.exit_code == 1
    assert told in found.output


@pytest.mark.parametrize(
    ("priority", "told"),
    [
        ({"level": "always"}, "'always' is not known here"),
        ({"value": 0}, "a value lies between 0.001 and 1000000"),
        ({"value": "much"}, "expected a number, got 'much'"),
        ({"context": [{"event": "app_usage", "times": 11}]}, "a factor lies between 0.1 and 10"),
        ({"context": [{"event": "app_usage", "where": {"appclass": "x"}, "times": 2}]}, "did you mean 'app_class'?"),
        ({"context": []}, "there must be something here"),
    ],
)
def test_a_slip_in_a_rule_is_told(priority: Any, told: str) -> None:
    (problem,) = load({"r.yaml": written(rule(priority=priority))}).problems

    assert told in problem.what


def test_two_levers_of_one_name_are_refused() -> None:
    twice = {"name": "a", "times": 2, "rule": "r", **WHY}

    problems = load_priorities(json.dumps({"format": 1, "zone": "UTC", "levers": [twice, twice]}))

    assert isinstance(problems, tuple)
    assert [problem.what for problem in problems] == ["the name 'a' is already taken"]


def test_the_schema_is_current_and_explains_every_key_and_the_shipped_file_fits_it() -> None:
    shipped = load_priorities(SHIPPED.read_bytes())

    assert isinstance(shipped, Priorities)
    assert SCHEMA.path.read_text(encoding="utf-8") == SCHEMA.text()
    found = dict(properties(SCHEMA.document()))
    assert {path for path, about in found.items() if not str(about.get("description")).endswith((".", "1."))} == set()
    assert [error.message for error in VALIDATOR.iter_errors(json.loads(shipped.content))] == []
    assert list(shipped.warnings(NOON)) == []
