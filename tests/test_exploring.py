"""Exploration: others than the best are tried, with exactly the chance that is recorded."""

from collections import Counter
from itertools import pairwise
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.decisions import Arm
from kairos.ids import decision_id
from kairos.instants import HOUR
from kairos.offers import Channel
from rules.candidates import Candidate, Ranking
from rules.decide import rank
from rules.exploring import Exploring, chances, drawn_first
from rules.priorities import Explore, Priorities, load_priorities
from rules.priorities_saying import priorities_lines
from rules.saying import LANGUAGES
from streams.topics import EXAMPLES
from tests.customer_table import Said, Table, versions
from tests.rules_strategies import book_of, unhurried
from tests.test_rules_match import rule

HOW = Explore(gamma=20, evenly=0.1)
hows = st.builds(Explore, gamma=st.floats(0, 1e6), evenly=st.floats(0, 0.9))
priorities = st.lists(st.floats(0, 1e6), min_size=2, max_size=8).map(lambda found: sorted(found, reverse=True))


@unhurried
@given(priorities, hows)
def test_the_chances_are_chances_and_the_further_behind_the_smaller(found: list[float], how: Explore) -> None:
    given_ = chances(found, how)

    assert sum(given_) == pytest.approx(1)
    assert min(given_) >= how.evenly / len(found) - 1e-12
    assert all(one >= two - 1e-12 for one, two in pairwise(given_))


@unhurried
@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=8), hows, st.floats(0.01, 100))
def test_another_measure_of_value_changes_no_chance(found: list[float], how: Explore, times: float) -> None:
    best_first = sorted(found, reverse=True)

    assert chances([one * times for one in best_first], how) == pytest.approx(chances(best_first, how), rel=1e-6)


def test_no_gamma_tries_all_alike_and_a_large_one_none_but_the_best() -> None:
    assert chances([0.05, 0.01, 0.0], Explore(gamma=0)) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert chances([0.05, 0.01, 0.0], Explore(gamma=1_000_000))[0] > 0.99999
    assert chances([0.0, 0.0], HOW) == pytest.approx((0.5, 0.5))


def test_what_is_drawn_has_the_chance_that_is_recorded() -> None:
    found = chances([0.05, 0.045, 0.01, 0.01], HOW)
    ids = [decision_id(f"c{number}", "e", "book") for number in range(20_000)]

    drawn = Counter(drawn_first(found, name) for name in ids)

    for place, chance in enumerate(found):
        assert abs(drawn[place] - len(ids) * chance) < 3 * sqrt(len(ids) * chance * (1 - chance))
    assert Counter(drawn_first(found, name) for name in ids) == drawn


def one(id_: str, level: str) -> Candidate:
    (found,) = book_of(rule(id=id_, priority={"level": level})).rules.values()
    return Candidate(found, Arm.TREATMENT, Channel.SMS)


def ranked(decision: str, *said: tuple[str, str, float]) -> Ranking:
    candidates = [one(id_, level) for id_, level, _ in said]
    return rank(candidates, {id_: high for id_, _, high in said}, Exploring(HOW, decision))


def test_nothing_takes_the_place_of_a_mandatory_offer_nor_a_default_one_that_of_another() -> None:
    decisions = [f"d{number}" for number in range(200)]
    mandatory = [("m", "mandatory", 0.01), ("n", "mandatory", 0.01), ("a", "usual", 0.9)]
    usual = [("a", "usual", 0.05), ("b", "usual", 0.05), ("c", "usual", 0.04), ("d", "default", 0.9)]

    assert {tuple(c.rule.id for c in ranked(d, *mandatory).wishes) for d in decisions} == {("m", "n", "a")}
    assert ranked("d", *mandatory).chances == {}
    found = {tuple(c.rule.id for c in ranked(d, *usual).wishes) for d in decisions}
    # Who is not put first keeps the order.
    assert found == {("a", "b", "c", "d"), ("b", "a", "c", "d"), ("c", "a", "b", "d")}
    assert ranked("d", *usual).chances.keys() == {"a", "b", "c"}
    assert ranked("d", ("a", "usual", 0.1), ("d", "default", 0.1)).chances == {}


def exploring(**more: Any) -> Table:
    said = load_priorities("format: 1\nzone: UTC\nexplore: {gamma: 20, evenly: 10%}")
    assert isinstance(said, Priorities), said
    return Table(versions(**more).having("priorities", said.content))


def told(said: Said) -> dict[str, float]:
    return {verdict["rule"]: verdict["chance"] for verdict in said.decision["verdicts"]}


def learnt(table: Table, said: Said) -> list[dict[str, Any]]:
    table.hear(table.feedback("delivered", decision=said.decision["id"]))
    return table.hear(table.feedback("clicked", decision=said.decision["id"])).of(EXAMPLES)


def test_the_record_and_the_example_tell_the_chance() -> None:
    table = exploring()
    table.hear(table.profile())

    said, _ = table.ask(table.pays())

    assert told(said) == {"cafe": 0.5, "tea": 0.5}
    assert [example["propensity"] for example in learnt(table, said)] == [0.5]


def test_where_the_pool_of_the_first_is_empty_the_chance_is_that_of_the_order() -> None:
    table = exploring(cafe=0)
    table.hear(table.profile())
    found = [table.ask(table.pays())[0] for _ in range(20)]
    fallback = next(said for said in found if said.decision["verdicts"][0]["rule"] == "cafe")

    (won,) = [verdict for verdict in fallback.decision["verdicts"] if verdict["verdict"] == "won"]

    assert (won["rule"], won["rank"]) == ("tea", 2)
    assert [e["propensity"] for e in learnt(table, fallback)] == [told(fallback)["cafe"]]


def test_it_is_off_unless_somebody_switches_it_on_and_then_nothing_is_told() -> None:
    table = Table()
    table.hear(table.profile())

    said, _ = table.ask(table.pays())

    assert said.decision["verdicts"][0]["rule"] == "cafe"
    assert not any("chance" in verdict for verdict in said.decision["verdicts"])
    assert [example["propensity"] for example in learnt(table, said)] == [1.0]


def test_all_are_tried_in_the_course_of_time_and_the_same_again_in_a_replay() -> None:
    def day() -> list[str]:
        table = exploring(cafe=100, tea=100)
        table.hear(table.profile())
        found: list[str] = []
        for _ in range(40):
            table.now += HOUR
            found.append(table.ask(table.pays())[0].decision["verdicts"][0]["rule"])
        return found

    assert {*day()} == {"cafe", "tea"}
    assert day() == day()


def test_how_far_is_explored_is_said_and_a_slip_is_told() -> None:
    for language in LANGUAGES:
        said = {
            tuple(priorities_lines(Priorities.model_validate({"format": 1, "zone": "UTC", "explore": how}), language))
            for how in (None, {"gamma": 20}, {"gamma": 21}, {"gamma": 20, "evenly": "1%"})
        }
        assert len(said) == 4
    for wrong, what in (("{gamma: -1}", "gamma lies between"), ("{evenly: 1%}", "'gamma' is missing")):
        problems = load_priorities(f"format: 1\nzone: UTC\nexplore: {wrong}")
        assert isinstance(problems, tuple)
        assert what in problems[0].what
