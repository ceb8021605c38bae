"""Off-policy estimates, held against worlds whose truth is known."""

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.offpolicy import Estimate, Logged, doubly_robust, ips, snips
from rules.exploring import chances
from rules.priorities import Explore
from tests.rules_strategies import unhurried

OFFERS = 4
DECISIONS = 1_500
HOW = Explore(gamma=20, evenly=0.1)


def rate(customer: int, offer: int) -> float:
    """Give the true chance of a reaction: each kind of customer likes another offer."""
    return 0.3 if (customer + offer) % OFFERS == 0 else 0.05 + 0.02 * offer


def believed(customer: int, offer: int) -> float:
    """Give what the model that was in force believed: it had not seen that tastes differ."""
    return 0.1 + 0.01 * offer


def worlds(seed: int, predicted: Callable[[int, int], float]) -> Iterator[Logged]:
    """Log decisions of the engine's own exploration; judged is the way that makes each customer the best offer."""
    dice = Random(seed)
    for _ in range(DECISIONS):
        customer = dice.randrange(OFFERS)
        ranked = sorted(range(OFFERS), key=lambda offer: -believed(customer, offer))
        found = chances([believed(customer, offer) for offer in ranked], HOW)
        offer, chance = dice.choices(list(zip(ranked, found, strict=True)), weights=found)[0]
        best = max(range(OFFERS), key=lambda one: rate(customer, one))
        reward = float(dice.random() < rate(customer, offer))
        yield Logged(reward, chance, float(offer == best), predicted(customer, offer), predicted(customer, best))


TRUTH = 0.3
METHODS: dict[str, Callable[[Iterator[Logged]], Estimate]] = {"ips": ips, "snips": snips, "dr": doubly_robust}


@pytest.mark.parametrize("method", METHODS)
def test_the_interval_holds_the_truth_about_as_often_as_it_says(method: str) -> None:
    found = [METHODS[method](worlds(seed, rate)) for seed in range(12)]

    assert sum(one.low <= TRUTH <= one.high for one in found) >= 10
    assert sum(one.value for one in found) / len(found) == pytest.approx(TRUTH, rel=0.04)


def test_what_was_logged_alone_says_something_else() -> None:
    rewards = [row.reward for row in worlds(0, rate)]

    assert sum(rewards) / len(rewards) < 0.2


def test_doubly_robust_is_right_where_its_model_is_wrong_and_steadier_where_it_is_right() -> None:
    def wrong(_customer: int, _offer: int) -> float:
        return 0.9

    off = [doubly_robust(worlds(seed, wrong), clip=1e9).value for seed in range(12)]
    right = [doubly_robust(worlds(seed, rate)) for seed in range(2)]
    plain = [ips(worlds(seed, rate)) for seed in range(2)]

    assert sum(off) / len(off) == pytest.approx(TRUTH, rel=0.1)
    assert all(a.high - a.low < b.high - b.low for a, b in zip(right, plain, strict=True))


def test_who_is_judged_by_its_own_log_gets_the_mean() -> None:
    rows = [Logged(float(number % 3 == 0), 0.2, 0.2) for number in range(90)]

    for method in (ips, snips, doubly_robust):
        found = method(iter(rows))
        assert found.value == pytest.approx(1 / 3)
        assert found.effective == pytest.approx(90)


@unhurried
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1, max_size=30))
def test_a_weighed_mean_never_leaves_the_rewards(rows: list[tuple[float, float, float]]) -> None:
    found = snips(Logged(*row) for row in rows)

    rewards = [reward for reward, _, _ in rows]
    assert min(rewards) - 1e-9 <= found.value <= max(rewards) + 1e-9
    assert 0 < found.effective <= len(rows) + 1e-6


@pytest.mark.parametrize("row", [Logged(1, 0, 1), Logged(1, 1.1, 1), Logged(1, 0.5, -0.1)])
def test_a_chance_that_is_none_is_refused(row: Logged) -> None:
    with pytest.raises(ValueError, match="a chance lies between 0 and 1"):
        ips([row])


def test_nothing_is_estimated_from_nothing() -> None:
    with pytest.raises(ValueError, match="no decision was logged"):
        ips([])
    with pytest.raises(ValueError, match="none of the offers"):
        snips([Logged(1, 0.5, 0.0)])
