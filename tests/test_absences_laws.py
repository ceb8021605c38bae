"""Laws of absences: batches are chance and change nothing, and who paid is not reminded whenever that is told."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import HOUR, MINUTE, Millis
from kairos.ports import Record
from rules.absences import KEPT
from streams.watermark import IDLE
from tests.absence_table import Waiting
from tests.customer_table import NOON

Told = tuple[int, str, str]
"""How many minutes after noon, what (a look or a payment), which coupon."""
T = 30


def stories(coupons: str, size: int) -> st.SearchStrategy[list[Told]]:
    told = st.tuples(st.integers(0, 120), st.sampled_from(["looks", "looks", "buys"]), st.sampled_from(coupons))
    return st.lists(told, max_size=size, unique_by=lambda one: one[0])


def expected(story: Sequence[Told]) -> list[str]:
    """Count by hand: a look that falls into no wait begins one, and a payment in its time ends it."""
    found: list[int] = []
    for coupon in {coupon for _, _, coupon in story}:
        begun: int | None = None
        for at, what, _ in sorted(one for one in story if one[2] == coupon):
            if begun is not None and at > begun + T:
                found.append(begun + T)
                begun = None
            begun = None if what == "buys" else at if begun is None else begun
        found += [] if begun is None else [begun + T]
    return [f"{deadline}" for deadline in sorted(found)]


def decided(story: Sequence[Told], cuts: Sequence[int] = ()) -> list[str]:
    """Tell the story to the stage in batches, while something lies unread; then let time pass."""
    table = Waiting()
    table.now, table.drained = NOON + 3 * HOUR, frozenset()
    records = [_record(table, one) for one in story]
    for a, b in zip([0, *cuts], [*cuts, len(records)], strict=True):
        assert table.hear(*records[a:b]).decisions == []
    table.drained = Waiting().drained
    found = [*table.fired(), *table.fired(after=IDLE)]
    assert table.fired() == []
    assert table.customer("c1").pending == b""
    return sorted(found, key=int)


def _record(table: Waiting, told: Told) -> Record:
    at, what, coupon = told
    ago: Millis = table.now - NOON - at * MINUTE
    return table.looks(coupon, ago=ago) if what == "looks" else table.buys(coupon, ago=ago)


@given(stories("ab", 10).map(sorted), st.lists(st.integers(0, 10), max_size=4).map(sorted))
def test_what_is_told_in_order_fires_the_same_however_it_is_cut_into_batches(
    story: list[Told], cuts: list[int]
) -> None:
    assert decided(story, [min(cut, len(story)) for cut in cuts]) == expected(story)


@given(st.sets(st.integers(0, 120), max_size=KEPT), st.data())
def test_one_look_and_its_payments_come_to_the_same_in_whatever_order_they_are_told(
    payments: set[int], data: st.DataObject
) -> None:
    looked: Told = (data.draw(st.integers(0, 120)), "looks", "a")
    paid: list[Told] = [(at, "buys", "a") for at in payments - {looked[0]}]
    story = data.draw(st.permutations([looked, *paid]))

    found = decided(story, range(1, len(story)))

    assert found == expected([looked, *paid])
