"""Deadlines: each fires once, in order, when event time reaches it, and a look at nothing costs nothing."""

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streams.deadlines import NEVER, Deadline, Deadlines
from streams.memory_store import MemoryStore
from streams.store import Meta, RocksStore

deadlines = st.builds(Deadline, st.integers(0, 50), st.sampled_from([b"reminder", b"overdue."]), st.sampled_from("abc"))
steps = st.lists(st.tuples(st.lists(deadlines), st.lists(deadlines), st.integers(0, 60), st.integers(1, 5)), max_size=8)


@given(steps)
def test_what_is_set_and_not_cancelled_fires_once_and_in_order(
    story: list[tuple[list[Deadline], list[Deadline], int, int]],
) -> None:
    store, plain = MemoryStore(), set[Deadline]()
    for wanted, cancelled, mark, most in story:
        now = Deadlines(store)
        for deadline in wanted:
            now.set(deadline)
        for deadline in cancelled:
            now.cancel(deadline)
        plain = (plain | set(wanted)) - set(cancelled)

        fired = now.reached(mark, most)
        now.finish()

        assert fired == sorted(deadline for deadline in plain if deadline.due <= mark)[:most]
        plain -= set(fired)
        # Nothing is left before the instant that the index remembers.
        assert Deadlines(store).first <= min((deadline.due for deadline in plain), default=NEVER)


class Watched(MemoryStore):
    """A store that tells from where it was scanned."""

    def __init__(self) -> None:
        super().__init__()
        self.scanned: list[int] = []

    def scan(self, key: bytes, kind: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        self.scanned.append(int.from_bytes(start))
        return super().scan(key, kind, start)


def test_a_look_at_nothing_due_does_not_touch_the_index_and_no_look_goes_over_what_is_done() -> None:
    store = Watched()
    first = Deadlines(store)
    for due in range(1_000, 2_000):
        first.set(Deadline(due, b"reminder", "c1"))
    first.finish()

    for mark in (999, 1_500, 1_500, 1_501, 5_000, 6_000):
        look = Deadlines(store)
        look.reached(mark)
        look.finish()

    assert store.scanned == [1_000, 1_501, 1_502]


def test_a_deadline_in_the_past_fires_at_the_next_look() -> None:
    store = MemoryStore()
    look = Deadlines(store)
    look.set(Deadline(9_000, b"reminder", "c1"))
    look.reached(5_000)
    look.finish()

    late = Deadlines(store)
    late.set(Deadline(1_000, b"reminder", "c2"))

    assert [deadline.customer for deadline in late.reached(5_000)] == ["c2"]
    assert [deadline.customer for deadline in late.reached(9_000)] == ["c1"]


def test_deadlines_survive_on_disk_and_an_undone_step_leaves_them_as_they_were(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "one")
    look = Deadlines(store)
    look.set(Deadline(1_000, b"reminder", "王"))
    look.finish()
    store.commit(Meta(), 0)

    undone = Deadlines(store)
    assert len(undone.reached(2_000)) == 1
    undone.finish()
    store.rollback()
    store.close()

    store = RocksStore(tmp_path / "one")
    again = Deadlines(store)
    assert again.reached(2_000) == [Deadline(1_000, b"reminder", "王")]
    assert again.first == NEVER
    store.close()
