"""Tags in six bytes each: they fade, arrive late, come in thousands, and agree with a plain dict."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.tags import bump, count, decode, has, prune, score

tag_ids = st.integers(0, 65535)
few_ids = st.integers(0, 12)
days = st.integers(0, 65535)
weights = st.floats(0, 50)
bumps = st.lists(st.tuples(few_ids, st.integers(1000, 1060), weights), max_size=40)


def raised(events: list[tuple[int, int, float]]) -> bytes:
    packed = b""
    for tag, day, weight in events:
        packed = bump(packed, tag, day, weight)
    return packed


@given(bumps)
def test_the_bytes_say_what_the_sum_of_all_faded_events_says(events: list[tuple[int, int, float]]) -> None:
    expected: dict[int, float] = {}
    for tag, day, weight in events:
        expected[tag] = expected.get(tag, 0.0) + weight * 0.5 ** ((1060 - day) / 30.0)

    # 40 roundings to 11 bits, and tiny weights fall under the smallest number of 16 bits.
    assert decode(raised(events), day=1060) == pytest.approx(expected, rel=40 * 2**-11, abs=1e-5)


@given(bumps)
def test_tags_stay_sorted_unique_and_six_bytes_each(events: list[tuple[int, int, float]]) -> None:
    packed = raised(events)

    held = list(decode(packed, day=1060))

    assert held == sorted({tag for tag, _, _ in events})
    assert len(packed) == 6 * count(packed) == 6 * len(held)


@given(bumps, few_ids, st.integers(1000, 1100))
def test_one_score_is_the_decoded_score(events: list[tuple[int, int, float]], tag: int, day: int) -> None:
    packed = raised(events)

    assert score(packed, tag, day) == decode(packed, day).get(tag, 0.0)


@given(tag_ids, days, weights)
def test_any_tag_on_any_day_can_be_written_and_read(tag: int, day: int, weight: float) -> None:
    packed = bump(b"", tag, day, weight)

    assert score(packed, tag, day) == pytest.approx(weight, rel=2**-11, abs=1e-7)


def test_a_score_halves_in_a_half_life() -> None:
    packed = bump(b"", tag=7, day=100, weight=8.0)

    assert [score(packed, 7, day) for day in (100, 130, 160)] == [8.0, 4.0, 2.0]
    assert score(packed, 7, day=107, half_life=7.0) == 4.0


def test_a_late_event_counts_as_much_as_if_it_had_come_in_time() -> None:
    in_time = bump(bump(b"", 7, 100), 7, 130)
    late = bump(bump(b"", 7, 130), 7, 100)

    assert late == in_time


def test_a_very_late_event_does_not_move_the_day_back() -> None:
    packed = bump(b"", 7, 2000)

    assert bump(packed, 7, 0) == packed


def test_a_score_too_large_for_its_sixteen_bits_stays_at_the_largest() -> None:
    packed = bump(bump(b"", 7, 100, weight=1e9), 7, 100, weight=1e9)

    assert score(packed, 7, 100) == 65504.0


def test_a_tag_nobody_raised_is_absent() -> None:
    packed = bump(b"", 7, 100)

    assert score(packed, 8, 100) == 0.0
    assert not has(packed, 8, 100, at_least=0.0)
    assert score(b"", 8, 100) == 0.0
    assert decode(b"", 100) == {}


def test_asking_for_the_past_gives_the_present() -> None:
    assert score(bump(b"", 7, 100), 7, day=50) == 1.0


def test_ten_thousand_tags_are_each_found() -> None:
    packed = b"".join(bump(b"", tag, 100, weight=float(tag % 7)) for tag in range(0, 60_000, 6))

    assert count(packed) == 10_000
    assert all(score(packed, tag, 100) == tag % 7 for tag in range(0, 60_000, 6 * 13))
    assert not any(has(packed, tag + 1, 100) for tag in range(0, 60_000, 6 * 13))


def test_raising_one_tag_leaves_all_others_as_they_are() -> None:
    before = raised([(tag, 100, 1.0) for tag in (3, 5, 9)])

    after = bump(before, 5, 130)

    assert after[:6] == before[:6]
    assert after[12:] == before[12:]


def test_faded_tags_can_be_dropped() -> None:
    packed = raised([(3, 100, 1.0), (5, 400, 1.0)])

    assert decode(prune(packed, day=400), day=400) == {5: 1.0}
    assert prune(packed, day=100) == packed


@pytest.mark.parametrize(
    ("tag", "day", "weight"), [(-1, 0, 1.0), (65536, 0, 1.0), (0, -1, 1.0), (0, 65536, 1.0), (0, 0, -1.0)]
)
def test_what_does_not_fit_is_refused(tag: int, day: int, weight: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        bump(b"", tag, day, weight)


def test_a_weight_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        bump(b"", 7, 100, math.nan)


def test_damaged_bytes_are_reported() -> None:
    with pytest.raises(ValueError, match="7 bytes are no tags"):
        decode(b"1234567", day=0)
