"""The learner: right after every update, at home in River, kept in a store, fair to late conversions."""

import heapq
import math
import random
import sys
import types
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import checks

from models.ftrl import FTRLProximal
from models.labels import Happening, Labelling, Phase, advance
from models.snapshot import log_odds, probability

Example = tuple[dict[str, float], bool]

keys = st.sampled_from([f"k{i}" for i in range(8)])
examples = st.lists(
    st.tuples(st.dictionaries(keys, st.floats(-3, 3), max_size=6), st.booleans()), min_size=1, max_size=40
)


@pytest.fixture
def without_sklearn(monkeypatch: pytest.MonkeyPatch) -> None:
    # River imports scikit-learn's data sets for regressors before it sees that ours is a classifier.
    package, datasets = types.ModuleType("sklearn"), types.ModuleType("sklearn.datasets")
    monkeypatch.setattr(package, "datasets", datasets, raising=False)
    monkeypatch.setitem(sys.modules, "sklearn", package)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", datasets)


@pytest.mark.usefixtures("without_sklearn")
def test_river_finds_nothing_wrong_with_our_estimator() -> None:
    model = FTRLProximal()

    passed = 0
    for check in checks.yield_checks(model):
        check(model.clone())
        passed += 1

    assert passed >= 40
    assert not model._unit_test_skips()


class Textbook:
    """Algorithm 1 of McMahan et al. 2013, word for word, with the intercept as one more feature."""

    def __init__(self, alpha: float, beta: float, l1: float, l2: float, prior: float) -> None:
        self.alpha, self.beta, self.l1, self.l2 = alpha, beta, l1, l2
        self.start = log_odds(prior)
        self.z: dict[str, float] = {}
        self.n: dict[str, float] = {}

    def weight(self, i: str) -> float:
        z, n = self.z.get(i, 0.0), self.n.get(i, 0.0)
        if abs(z) <= self.l1:
            return 0.0
        return -(z - math.copysign(self.l1, z)) / ((self.beta + math.sqrt(n)) / self.alpha + self.l2)

    def predict(self, x: dict[str, float]) -> float:
        x = x | {"": 1.0}
        return 1 / (1 + math.exp(-self.start - sum(self.weight(i) * v for i, v in x.items())))

    def learn(self, x: dict[str, float], y: bool) -> None:
        slope = self.predict(x) - y
        for i, v in (x | {"": 1.0}).items():
            g, n = slope * v, self.n.get(i, 0.0)
            sigma = (math.sqrt(n + g * g) - math.sqrt(n)) / self.alpha
            self.z[i] = self.z.get(i, 0.0) + g - sigma * self.weight(i)
            self.n[i] = n + g * g


@given(examples, st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 1.0]))
def test_every_weight_is_the_textbook_s_after_every_update(stream: list[Example], l1: float, l2: float) -> None:
    model, textbook = FTRLProximal(0.2, 1.0, l1, l2, 0.1), Textbook(0.2, 1.0, l1, l2, 0.1)

    for x, y in stream:
        model.learn_one(x, y)
        textbook.learn(x, y)

        assert model.predict_proba_one(x)[True] == pytest.approx(textbook.predict(x), abs=1e-12)
        assert model.weights(x) == pytest.approx({i: textbook.weight(i) for i in x}, abs=1e-12)


def test_the_first_example_already_counts() -> None:
    model = FTRLProximal(prior=0.02)

    model.learn_one({"merchant=m1": 1.0}, True)

    assert model.state["merchant=m1"].weight > 0
    assert model.predict_proba_one({"merchant=m1": 1.0})[True] > 0.02


def test_a_new_model_gives_everybody_the_prior() -> None:
    model = FTRLProximal(prior=0.013)

    assert model.predict_proba_one({"anything": 1.0})[True] == pytest.approx(0.013)


def test_an_example_of_weight_zero_changes_no_prediction() -> None:
    model = FTRLProximal(prior=0.1)

    model.learn_one({"a": 1.0}, True, w=0.0)

    assert model.predict_proba_one({"a": 1.0})[True] == pytest.approx(0.1)


@given(examples, st.integers(1, 5))
def test_a_model_kept_key_by_key_in_a_store_is_the_same_to_the_bit(stream: list[Example], batch: int) -> None:
    whole, cached = FTRLProximal(prior=0.1), FTRLProximal(prior=0.1)
    store: dict[str, tuple[float, float]] = {}

    for i, (x, y) in enumerate(stream):
        whole.learn_one(x, y)
        cached.load({key: store[key] for key in cached.missing(x) if key in store})
        cached.learn_one(x, y)
        if i % batch == 0:
            store.update(cached.take_changes())
            cached.state.clear()
    store.update(cached.take_changes())

    assert store == whole.export()


def test_only_what_was_learned_since_the_last_time_is_written_in_order() -> None:
    model = FTRLProximal()
    model.learn_one({"b": 1.0, "a": 1.0}, True)

    first = model.take_changes()
    model.learn_one({"c": 1.0}, False)
    second = model.take_changes()

    assert list(first) == ["", "a", "b"]
    assert list(second) == ["", "c"]
    assert model.take_changes() == {}


@pytest.mark.parametrize("bad", [{"": 1.0}, {"a": math.inf}, {"new": math.nan}])
def test_a_bad_example_is_refused_and_leaves_no_trace(bad: dict[str, float]) -> None:
    model = FTRLProximal(prior=0.1)
    model.learn_one({"a": 1.0}, True)
    before = model.take_changes()

    with pytest.raises(ValueError, match=r"finite|intercept"):
        model.learn_one(bad, True)

    assert model.take_changes() == {}
    assert model.export(before) == before


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"beta": -1.0}, {"l1": -1.0}, {"prior": 0.0}, {"prior": 1.0}])
def test_a_parameter_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"positive|strictly"):
        FTRLProximal(**wrong)


@pytest.mark.parametrize("verb", [FTRLProximal.learn_one, FTRLProximal.unlearn_one])
def test_a_negative_weight_is_refused(verb: Callable[..., None]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        verb(FTRLProximal(), {"a": 1.0}, True, -1.0)


@given(examples)
def test_a_correction_only_ever_raises_what_it_corrects(stream: list[Example]) -> None:
    model = FTRLProximal(prior=0.05)

    for x, _ in stream:
        model.learn_one(x, False)
        fell = model.predict_proba_one(x)[True]
        model.unlearn_one(x, False)
        model.learn_one(x, True)

        assert 0.0 < fell < model.predict_proba_one(x)[True] < 1.0
    assert all(math.isfinite(z) and n >= 0 for z, n in model.export().values())


def test_a_corrected_rate_ends_where_the_right_labels_would_have_led() -> None:
    corrected, right = FTRLProximal(prior=0.05), FTRLProximal(prior=0.05)
    chance = random.Random(5)
    x = {"merchant=m1": 1.0}

    for _ in range(3000):
        bought = chance.random() < 0.3
        right.learn_one(x, bought)
        corrected.learn_one(x, False)
        if bought:
            corrected.unlearn_one(x, False)
            corrected.learn_one(x, True)

    assert corrected.predict_proba_one(x)[True] == pytest.approx(right.predict_proba_one(x)[True], abs=0.02)


# A small world with known truth: merchants come and go, customers differ, conversions come late.
EVENTS, WINDOW, WAIT, MEDIAN = 12_000, 1_500, 200, 120
Shown = tuple[dict[str, float], float, bool, int]


def world(seed: int) -> Iterator[Shown]:
    """Yield features, the true probability, whether the customer converts, and after how many events."""
    chance = random.Random(seed)
    merchant = [chance.gauss(0, 0.8) for _ in range(24)]
    segment = [chance.gauss(0, 0.6) for _ in range(6)]
    taste = {(s, h): chance.gauss(0, 0.6) for s in range(6) for h in range(4)}
    for t in range(EVENTS):
        newest = 4 + 20 * t // EVENTS
        m, s, h = chance.randrange(newest - 4, newest), chance.randrange(6), chance.randrange(4)
        truth = probability(-2.8 + merchant[m] + segment[s] + taste[s, h])
        x = {f"merchant={m}": 1.0, f"segment={s}": 1.0, f"hour={h}": 1.0, f"segment^hour={s}^{h}": 1.0}
        delay = min(WINDOW - 1, int(MEDIAN * math.exp(chance.gauss(0, 1.2))))
        yield x, truth, chance.random() < truth, delay


def divergence(stream: list[Shown], wait: int, hold: bool = False) -> float:
    """How far the model's chances are from the true ones, on average, as labels come in."""
    labelling = Labelling(hold=hold)
    model = FTRLProximal(prior=0.06)
    phases = [Phase.WAITING] * len(stream)
    coming: list[tuple[int, int, Happening]] = []
    lost = 0.0
    for t, (x, p, converts, delay) in enumerate(stream):
        while coming and coming[0][0] <= t:
            at, i, happening = heapq.heappop(coming)
            phases[i], label = advance(phases[i], happening, at, labelling)
            if label is not None:
                if label.corrects:
                    model.unlearn_one(stream[i][0], False)
                model.learn_one(stream[i][0], label.positive)
        q = model.predict_proba_one(x)[True]
        lost += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)) if t > EVENTS // 10 else 0.0
        heapq.heappush(coming, (t + wait, t, Happening.DUE))
        if converts:
            heapq.heappush(coming, (t + delay, t, Happening.CONVERTED))
    return lost / (EVENTS - EVENTS // 10)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_short_wait_with_corrections_beats_the_other_ways_to_treat_late_conversions(seed: int) -> None:
    stream = list(world(seed))

    corrected = divergence(stream, WAIT)

    assert corrected < 0.9 * divergence(stream, WINDOW, hold=True)
    assert corrected < 0.6 * divergence(stream, WINDOW)


def test_a_late_conversion_learned_without_taking_the_negative_back_is_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = [list(world(seed)) for seed in (1, 2, 3)]
    corrected = sum(divergence(stream, 0) for stream in streams)

    monkeypatch.setattr(FTRLProximal, "unlearn_one", lambda *_: None)

    assert corrected < sum(divergence(stream, 0) for stream in streams)
