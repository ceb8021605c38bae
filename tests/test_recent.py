"""The names of recent events that a customer's record remembers."""

from hypothesis import example, given
from hypothesis import strategies as st

from kairos import ids
from kairos.instants import DAY, SECOND, Millis
from kairos.recent import KEPT, remember


def event_names(count: int) -> list[str]:
    return [ids.event_id("/bank", str(number)) for number in range(count)]


def grown(packed: bytes, name: str, now: Millis) -> bytes:
    found = remember(packed, name, now)
    assert found is not None
    return found


@given(st.lists(st.integers(0, 12 * 3_600), min_size=1, max_size=200))
@example([0] * 200)
@example([12 * 3_600] * 200)
def test_a_name_is_known_for_a_day_or_until_64_others_came(gaps: list[int]) -> None:
    packed, now, when = b"", 1_796_097_600_250, list[Millis]()
    known = event_names(len(gaps))
    for name, gap in zip(known, gaps, strict=True):
        now += gap * SECOND
        packed = grown(packed, name, now)
        when.append(now)

    for others, (name, then) in enumerate(zip(reversed(known), reversed(when), strict=True)):
        assert (remember(packed, name, now) is None) == (others < KEPT or now - then <= DAY)


def test_a_name_across_two_entries_is_no_name() -> None:
    packed = grown(grown(b"", "00" * 16, 0), "11" * 16, 0)

    assert remember(packed, packed[6:14].hex() + "00" * 8, 0) is not None


def test_a_clock_that_goes_back_forgets_nothing_early() -> None:
    known = event_names(100)
    packed = b""
    for number, name in enumerate(known):
        packed = grown(packed, name, 10 * DAY - number * SECOND)

    assert all(remember(packed, name, 10 * DAY) is None for name in known)
