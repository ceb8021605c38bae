"""What is asked of a whole log at once: the same that is found by looking at one record after the other."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import HOUR
from kairos.recent import remember
from streams.backtest_log_flags import MOVES, NOTHING, OTHER, PROFILE, Noted, came_twice, flagged
from tests.rules_strategies import unhurried

rows = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([NOTHING, MOVES, MOVES, PROFILE, OTHER]), st.integers(0, 9)),
    max_size=30,
)


def noted(rows: list[tuple[int, int, int]], clock: list[int], names: list[int]) -> Noted:
    customer, kind, at = (np.array(column, np.int64) for column in (zip(*rows, strict=True) if rows else ((), (), ())))
    return Noted(customer, kind, at, np.array(clock, np.int64), np.array(names, np.int64))


@given(st.integers(0, 10**6))
@unhurried
def test_what_came_twice_is_what_the_memory_of_names_knows(seed: int) -> None:
    # Long lives, for names are forgotten beyond the newest 64 and after a day.
    chance = Random(seed)
    rows = [(chance.randrange(3), chance.choice([MOVES, MOVES, NOTHING]), 0) for _ in range(500)]
    clock = np.cumsum([chance.choice([0, 1000, HOUR]) for _ in rows]).tolist()
    names = [customer + 3 * chance.randrange(200) for customer, _, _ in rows]
    memory: dict[int, bytes] = {}
    expected = []
    for (customer, kind, _), now, name in zip(rows, clock, names, strict=True):
        known = None if kind == NOTHING else remember(memory.get(customer, b""), f"{name:016x}", now)
        expected.append(kind != NOTHING and known is None)
        memory[customer] = known or memory.get(customer, b"")

    assert came_twice(noted(rows, clock, names)).tolist() == expected
    assert any(expected)


@given(rows, st.integers(0, 10**6))
def test_whose_profile_and_order_are_plain_is_found_as_by_looking_at_each_record(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    twice = [kind != NOTHING and Random(seed + place).random() < 0.2 for place, (_, kind, _) in enumerate(rows)]
    unsteady, unordered, known, last = set[int](), set[int](), set[int](), dict[int, int]()
    odd = {3}
    for (customer, kind, at), again in zip(rows, twice, strict=True):
        if again:
            continue
        if kind == PROFILE:
            if customer in known or customer in last:
                unsteady.add(customer)
            known.add(customer)
        elif kind == MOVES:
            if not last:
                odd.add(customer)
            if at < last.get(customer, at):
                unordered.add(customer)
            last[customer] = max(at, last.get(customer, at))

    found = flagged(noted(rows, [0] * len(rows), [0] * len(rows)), np.array(twice, np.bool_), 4, {3})

    assert np.flatnonzero(found.odd).tolist() == sorted(odd)
    assert np.flatnonzero(~found.steady).tolist() == sorted(unsteady)
    assert np.flatnonzero(~found.ordered).tolist() == sorted(unordered)
