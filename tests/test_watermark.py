"""The watermark: it never goes back, waits for the slowest topic, and for nobody longer than is stated."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import MINUTE, SECOND, Millis
from kairos.ports import Batch
from streams import watermark
from streams.customers import TIMED
from streams.memory_store import MemoryStore
from streams.topics import APP_USAGE, TRANSACTIONS
from streams.watermark import HELD, IDLE, EventTime, advanced
from tests.customer_table import NOON, Table

TOPICS = frozenset({"a", "b", "c"})
LATE = 5 * SECOND

steps = st.lists(
    st.tuples(
        st.integers(0, 60 * SECOND),
        st.dictionaries(st.sampled_from(sorted(TOPICS)), st.integers(-10 * MINUTE, 5 * MINUTE), max_size=3),
        st.frozensets(st.sampled_from(sorted(TOPICS))),
    ),
    max_size=12,
)
"""Each batch: how long after the last, each topic's newest event from the clock's view, which topics were drained."""


def told(
    story: Iterable[tuple[Millis, dict[str, int], frozenset[str]]], start: EventTime | None = None
) -> tuple[EventTime, list[Millis], Millis]:
    """Tell a story; gives event time, the marks on the way, and processing time at the end."""
    time, now, marks = start or EventTime(), NOON, []
    for wait, heard, drained in story:
        now += wait
        time = advanced(time, TOPICS, {topic: now + off for topic, off in heard.items()}, drained, now, LATE)
        marks.append(time.mark)
    return time, marks, now


@given(steps)
def test_event_time_never_goes_back_and_never_overtakes_the_clock(
    story: list[tuple[Millis, dict[str, int], frozenset[str]]],
) -> None:
    _, marks, now = told(story)

    assert marks == sorted(marks)
    assert all(mark <= now - LATE for mark in marks)


@given(steps, st.dictionaries(st.sampled_from(sorted(TOPICS)), st.integers(0, 10 * MINUTE), min_size=3))
def test_while_something_lies_unread_everywhere_the_slowest_topic_tells_the_time(
    story: list[tuple[Millis, dict[str, int], frozenset[str]]], behind: dict[str, int]
) -> None:
    before, _, now = told(story)

    after = advanced(before, TOPICS, {t: now - off for t, off in behind.items()}, frozenset(), now, LATE)

    newest = {t: max(now - off, before.topics[t].newest if t in before.topics else 0) for t, off in behind.items()}
    assert after.mark == max(before.mark, min(min(newest.values()), now) - LATE)


@given(steps)
def test_what_was_read_to_its_end_holds_event_time_no_longer_than_stated_whatever_its_writers_clock_says(
    story: list[tuple[Millis, dict[str, int], frozenset[str]]],
) -> None:
    before, _, now = told(story)

    after = advanced(before, TOPICS, {"a": 0}, TOPICS, now, LATE)

    assert after.mark >= now - HELD - LATE


@given(steps)
def test_when_nothing_has_come_for_half_a_minute_event_time_is_the_clock(
    story: list[tuple[Millis, dict[str, int], frozenset[str]]],
) -> None:
    _, marks, now = told([*story, (0, {}, TOPICS), (IDLE, {}, TOPICS)])

    assert marks[-1] == now - LATE


def test_a_quiet_topic_holds_event_time_until_it_is_idle_and_not_a_moment_longer() -> None:
    both = frozenset({"a", "b"})
    time = advanced(EventTime(), both, {"a": NOON, "b": NOON}, both, NOON, LATE)

    marks = [
        advanced(time, both, {"a": NOON + wait}, both, NOON + wait, LATE).mark - NOON
        for wait in (IDLE - 1, IDLE, 2 * IDLE)
    ]

    assert marks == [-LATE, IDLE - LATE, 2 * IDLE - LATE]


def test_a_topic_never_seen_holds_everything_while_it_is_unread_and_little_once_it_is_known_to_be_empty() -> None:
    unread = advanced(EventTime(), TOPICS, {"a": NOON, "b": NOON}, frozenset({"a", "b"}), NOON, LATE)
    empty = advanced(unread, TOPICS, {}, TOPICS, NOON + SECOND, LATE)

    assert unread.mark == 0
    assert empty.mark == NOON + SECOND - HELD - LATE


def test_an_old_record_on_an_idle_topic_does_not_turn_event_time_back() -> None:
    idle, _, now = told([(0, {}, TOPICS), (IDLE, {}, TOPICS)])

    after = advanced(idle, TOPICS, {"a": now - 8 * 3600 * SECOND}, TOPICS, now, LATE)

    assert after.mark == idle.mark


def test_event_time_is_kept_in_the_store_and_a_tick_that_changed_nothing_writes_nothing() -> None:
    table = Table(drained=TIMED)
    table.hear(table.pays(ago=MINUTE), table.uses(ago=2 * MINUTE))
    table.store.changes()

    table.hear(after=IDLE)

    assert table.store.changes() == []
    kept = watermark.kept(table.store)
    assert (kept.topics[TRANSACTIONS].newest, kept.topics[APP_USAGE].newest) == (NOON - MINUTE, NOON - 2 * MINUTE)
    assert kept.mark == NOON - HELD - LATE


def test_an_event_too_far_ahead_of_the_clock_is_a_dead_letter_and_moves_nothing() -> None:
    table = Table(drained=TIMED)

    said = table.hear(table.pays(ago=-6 * MINUTE))

    assert len(said.dead) == 1
    assert watermark.kept(table.store).topics[TRANSACTIONS].newest == 0


def test_a_batch_of_a_stage_without_event_time_has_none() -> None:
    assert Batch(0, 1, [], NOON, None).drained == frozenset()
    assert watermark.kept(MemoryStore()) == EventTime()
