"""Rings against plain lists."""

from hypothesis import given
from hypothesis import strategies as st

from rules import rings

seconds = st.lists(st.integers(1000, 1040), max_size=16)
now = st.integers(1000, 1040)


def ring_of(found: list[int], kept: int = rings.KEPT) -> bytes:
    ring = b""
    for second in found:
        ring = rings.add(ring, second, kept)
    return ring


@given(seconds, now, st.integers(1, 50), st.integers(1, 6))
def test_a_window_counts_what_lies_in_it_however_late_it_came(
    found: list[int], at: int, within: int, count: int
) -> None:
    expected = sum(at - within < second <= at for second in found) >= count

    assert rings.reached(ring_of(found), at, within, count) == expected


@given(seconds.filter(lambda found: len(found) < rings.KEPT), now, st.integers(1, 50))
def test_what_was_seen_is_either_recent_or_long_ago(found: list[int], at: int, within: int) -> None:
    ring, last = ring_of(found), max((second for second in found if second < at), default=None)

    assert rings.before(ring, at) == last
    assert rings.recent(ring, at, at - within) == (last is not None and last > at - within)
    assert rings.long_ago(ring, at, at - within) != rings.recent(ring, at, at - within)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.integers(1, 64))
def test_the_newest_are_kept_in_their_order(found: list[int], kept: int) -> None:
    assert rings.until(ring_of(found, kept), 2**32 - 1) == tuple(sorted(found)[-kept:])


@given(seconds, now)
def test_taking_out_undoes_putting_in(found: list[int], second: int) -> None:
    ring = ring_of(found, 64)

    assert rings.remove(rings.add(ring, second, 64), second) == ring
