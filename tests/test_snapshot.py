"""A snapshot scores like its model, travels as canonical bytes, and sees a candidate the same everywhere."""

import math
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.features import CROSSES, Around, Offered, features
from models.ftrl import FTRLProximal
from models.snapshot import Snapshot

weights = st.dictionaries(st.text(max_size=8), st.floats(-30, 30, width=32), max_size=20)
LUNCH = Offered("r1", "takeaway", "push", merchant="m1", pool="p1", face_cents=1000, words=("tier",))
NOON = Around(
    hour=12,
    weekday=4,
    app_class="food",
    classes={"food": 3.0, "travel": 5.0, "games": 0.0},
    days_since_contact=4.5,
    contacts=2,
    attrs={"tier": "gold", "aum": 51_234.5, "mobile": True, "name": "Li"},
)


def lunch(**changes: Any) -> dict[str, float]:
    return features(LUNCH, replace(NOON, **changes).named())


def test_an_empty_snapshot_gives_everybody_the_prior() -> None:
    assert Snapshot("redeemed", 0.013).score(lunch()) == pytest.approx(0.013)


def test_a_snapshot_scores_as_its_model_does() -> None:
    model = FTRLProximal(prior=0.02)
    for hour in range(24):
        model.learn_one(lunch(hour=hour), hour in {11, 12, 18})

    snapshot = Snapshot("redeemed", model.prior, model.weights())

    for hour in (0, 12, 23):
        x = lunch(hour=hour)
        assert snapshot.score(x) == pytest.approx(model.predict_proba_one(x)[True], rel=1e-5)


@given(weights)
def test_a_snapshot_comes_back_from_its_bytes_and_scores_the_same_to_the_bit(known: dict[str, float]) -> None:
    snapshot = Snapshot("redeemed", 0.1, known)

    back = Snapshot.from_bytes(snapshot.to_bytes())

    assert back == snapshot
    assert back.to_bytes() == snapshot.to_bytes()
    assert back.score(dict.fromkeys(known, 0.3)) == snapshot.score(dict.fromkeys(known, 0.3))


@given(weights, st.randoms(use_true_random=False))
def test_the_same_weights_met_in_another_order_have_the_same_bytes(known: dict[str, float], chance: Random) -> None:
    shuffled = list((known | {"never used": 0.0}).items())
    chance.shuffle(shuffled)

    assert Snapshot("o", 0.1, dict(shuffled)).to_bytes() == Snapshot("o", 0.1, known).to_bytes()


@given(weights, weights)
def test_a_chain_of_revisions_gives_the_bytes_of_the_whole(old: dict[str, float], new: dict[str, float]) -> None:
    assert Snapshot("o", 0.1, old).revised(new).to_bytes() == Snapshot("o", 0.1, old | new).to_bytes()


@given(weights)
def test_the_terms_of_an_explanation_add_up_to_the_score(known: dict[str, float]) -> None:
    snapshot = Snapshot("o", 0.1, known)
    x = {key: 0.1 for key in known if key}

    total = math.fsum(snapshot.terms(x).values())

    assert snapshot.score(x) == pytest.approx(1 / (1 + math.exp(-total)))


def test_no_score_is_ever_certain() -> None:
    snapshot = Snapshot("o", 0.5, {"a": 1e6})

    assert 0.0 < snapshot.score({"a": -1.0}) < snapshot.score({"a": 1.0}) < 1.0


def test_a_snapshot_that_counted_nothing_is_written_as_before_counting() -> None:
    plain, counted = Snapshot("o", 0.5, {"a": 1.0}), Snapshot("o", 0.5, {"a": 1.0}, {"r": 2, "b": 1})

    assert plain.to_bytes() == bytes.fromhex("9501a16fcb3fe000000000000091a161c4040000803f")
    assert Snapshot.from_bytes(plain.to_bytes()).shown == {}
    assert [*Snapshot.from_bytes(counted.to_bytes()).shown.items()] == [("b", 1), ("r", 2)]
    assert counted.revised({"a": 2.0}).shown == counted.shown


def test_a_snapshot_cannot_be_changed() -> None:
    known = {"a": 1.0}
    snapshot = Snapshot("o", 0.5, known)

    known["a"] = 9.0

    assert snapshot.weights["a"] == 1.0
    with pytest.raises(TypeError):
        snapshot.weights["a"] = 2.0  # type: ignore[index]  # that is the point
    with pytest.raises(FrozenInstanceError):
        snapshot.prior = 0.1  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("broken", [math.nan, math.inf, 1e300])
def test_a_broken_weight_never_becomes_a_snapshot(broken: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Snapshot("o", 0.5, {"a": broken})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not msgpack",
        msgspec.msgpack.encode([3, "o", 0.5, [], b"", {}]),
        msgspec.msgpack.encode([1, "o", 0.5, ["a"], b""]),
        msgspec.msgpack.encode([1, "o", 2.0, [], b""]),
    ],
)
def test_foreign_or_newer_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"snapshot|strictly"):
        Snapshot.from_bytes(content)


def test_twenty_thousand_weights_take_well_under_a_megabyte() -> None:
    known = {f"merchant^top=m{i}^c{i % 26}": 0.1 for i in range(20_000)}

    assert len(Snapshot("redeemed", 0.02, known).to_bytes()) < 600_000


def test_the_features_of_a_candidate_are_these_and_in_this_order() -> None:
    assert " ".join(lunch()) == (
        "rule=r1 programme=takeaway channel=push hour=12 daypart=3 weekday=4 merchant=m1 pool=p1 "
        "app_class=food face=10 since=3 contacts=2 uses=2 class.travel=2 class.food=2 "
        "programme^top=takeaway^travel programme^daypart=takeaway^3 programme^channel=takeaway^push "
        "programme^since=takeaway^3 programme^uses=takeaway^2 merchant^top=m1^travel merchant^daypart=m1^3 "
        "face^top=10^travel face^uses=10^2 app_class^daypart=food^3 channel^daypart=push^3 "
        "attr.aum=9 programme^attr.aum=takeaway^9 attr.mobile=yes programme^attr.mobile=takeaway^yes "
        "attr.tier=gold programme^attr.tier=takeaway^gold"
    )


def test_features_do_not_depend_on_the_order_in_which_the_customer_was_learned() -> None:
    turned = {"classes": dict(reversed([*NOON.classes.items()])), "attrs": dict(reversed([*NOON.attrs.items()]))}

    assert list(lunch(**turned)) == list(lunch())


def test_features_are_the_same_in_another_process_with_another_hash_seed() -> None:
    code = "from tests.test_snapshot import lunch; print(*lunch())"
    root, seed = Path(__file__).parents[1], {"PYTHONHASHSEED": "7"}

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=root, env=seed)

    assert printed.stdout.decode().split() == list(lunch())


def test_a_candidate_without_coupon_and_customer_without_history_have_no_empty_keys() -> None:
    seen = features(Offered("r1", "aum", "sms"), Around(hour=0, weekday=0).named())

    assert not any(key.endswith(("=", "^")) or "=^" in key for key in seen)
    assert {"hour=0", "since=never", "contacts=0"} <= seen.keys()
    assert not any(key.startswith(("merchant", "pool", "face", "class.")) for key in seen)


def test_only_the_strongest_classes_are_told() -> None:
    many = {f"c{i:02}": float(i) for i in range(26)}

    classes = [key for key in lunch(classes=many) if key.startswith("class.")]

    assert classes == ["class.c25=4", "class.c24=4", "class.c23=4", "class.c22=4", "class.c21=4"]


def test_a_negative_attribute_is_told_from_a_positive_one() -> None:
    debt, asset = (lunch(attrs={"balance": sign * 999.0}) for sign in (-1, 1))

    assert "attr.balance=-6" in debt
    assert "attr.balance=6" in asset


@pytest.mark.parametrize("bad", [{"aum": math.nan}, {"aum": math.inf}])
def test_an_attribute_that_is_no_number_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        lunch(attrs=bad)


def test_of_words_only_those_that_the_rule_reads_are_told() -> None:
    other = features(LUNCH._replace(words=("name",)), NOON.named())

    assert [key for key in other if "attr.tier" in key or "attr.name" in key] == [
        "attr.name=Li",
        "programme^attr.name=takeaway^Li",
    ]


def test_each_cross_can_appear() -> None:
    seen = lunch()

    assert all(any(key.startswith(f"{a}^{b}=") for key in seen) for a, b in CROSSES)
