"""The attempt: what a batch fails on is named, never what it says; and only what somebody named is passed by."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from kairos.instants import DAY, Millis
from kairos.ports import Batch, Output, Record, Store
from streams import absences, customers, outcomes
from streams.attempt import StepFailed, attempt
from streams.commit import LARGEST
from streams.dead_letters import Place, read_letter
from streams.deadlines import Deadline, Deadlines
from streams.journal import Entry, Skipped, read, write
from streams.skips import Skip, Skips, letters, without
from streams.spec import StageSpec
from streams.stages import STAGES
from streams.store import RocksStore
from streams.topics import DEAD_LETTERS, TRANSACTIONS
from streams.versions import Versions
from tests.customer_table import NOON, Table, versions
from tests.stage_house import Nothing

TOPIC = "events"
SECRET = "Zhang San 138 0013 8000"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksStore]:
    store = RocksStore(tmp_path / "0")
    yield store
    store.close()


def step(store: Store, batch: Batch[Nothing]) -> list[Output]:
    """Count records; `boom` is our mistake, `huge` makes a state beyond all measure, a state of `ill` fails anyway."""
    for record in batch.records:
        if record.value == b"boom":
            raise KeyError(SECRET)
        store.put(record.key or b"", "c", b"", b"x" * (LARGEST + 1 if record.value == b"huge" else 1))
    if store.get(b"ill", "c"):
        raise KeyError(SECRET)
    return [Output("out", record.key, record.value) for record in batch.records]


SPEC: StageSpec[Nothing] = StageSpec("counts", "kairos.counts", (TOPIC,), "changelog", "journal", step)


def batch(*values: bytes, now: Millis = NOON) -> Batch[Nothing]:
    records = [Record(TOPIC, 0, 100 + place, b"k%d" % place, value) for place, value in enumerate(values)]
    return Batch(0, 1, records, now, Nothing())


def asked(*offsets: int) -> Skips:
    return Skips("counts", [Skip(Place(TOPIC, 0, offset), "ann, OPS-7") for offset in offsets])


async def why(store: RocksStore, of: Batch[Nothing], spec: StageSpec[Nothing] = SPEC) -> str:
    with pytest.raises(StepFailed) as raised:
        await attempt(spec, store, of, asked())
    return str(raised.value)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_the_record_that_raises_is_named_wherever_it_lies(store: RocksStore, size: int) -> None:
    for place in range(size):
        values = [b"boom" if number == place else b"1" for number in range(size)]

        assert await why(store, batch(*values)) == f"KeyError on events:0:{100 + place}"
        assert store.changes() == []


async def test_of_two_records_that_raise_one_is_named_and_the_other_after_it(store: RocksStore) -> None:
    of = batch(b"1", b"boom", b"1", b"1", b"boom", b"1")
    first = await why(store, of)

    with pytest.raises(StepFailed) as second:
        await attempt(SPEC, store, of, asked(int(first.rpartition(":")[2])))

    assert {first, str(second.value)} == {"KeyError on events:0:101", "KeyError on events:0:104"}


async def test_a_record_that_makes_the_state_too_large_is_named_before_anything_is_sent(store: RocksStore) -> None:
    assert await why(store, batch(b"1", b"huge", b"1")) == "TooLarge on events:0:101"


async def test_a_state_that_fails_without_any_record_is_not_blamed_on_one(store: RocksStore) -> None:
    store.put(b"ill", "c", b"", b"x")
    store.commit(store.meta, 0)

    assert await why(store, batch(b"1", b"1")) == "KeyError on a timer, or what stands in the state"


async def test_what_does_not_happen_again_is_said_to_be_so(store: RocksStore) -> None:
    errors = [MemoryError()]

    def once(store: Store, batch: Batch[Nothing]) -> list[Output]:
        if errors:
            raise errors.pop()
        return step(store, batch)

    spec = replace(SPEC, step=once)

    assert await why(store, batch(b"1"), spec) == "MemoryError on something that did not happen again"


async def test_a_timer_that_raises_is_blamed_and_not_the_record_that_came_in_beside_it(
    store: RocksStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, spec = Table(versions=versions(wait="1s")), STAGES["customers"]
    bought = table.pays(category="fuel")
    await attempt(spec, store, _customers([table.profile(), bought], table.now), asked())
    store.commit(store.meta, 0)
    monkeypatch.setattr(outcomes, "remove", _raises)
    monkeypatch.setattr(outcomes, "_label", _raises)
    monkeypatch.setattr(outcomes, "_end", _raises)

    with pytest.raises(StepFailed, match=r"^KeyError on timer (wait|end) of decision [0-9a-f]{32}$"):
        await attempt(spec, store, _customers([table.pays()], table.now + DAY), asked())


async def test_an_absence_that_raises_is_blamed_and_not_the_event_that_let_time_pass(
    store: RocksStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, spec = Table(), STAGES["customers"]
    monkeypatch.setattr(absences, "pending", _raises)
    name = _absence_due(store, table.now)
    store.commit(store.meta, 0)

    with pytest.raises(StepFailed, match=rf"^KeyError on absence {name} due at {table.now}$"):
        await attempt(spec, store, _customers([table.pays(ago=-1000)], table.now + DAY), asked())


async def test_a_mistake_on_an_event_names_its_place_and_its_id_and_nothing_of_the_customer(
    store: RocksStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table()
    monkeypatch.setattr(customers, "_observe", _raises)
    record = table.pays("C-31-personal")

    with pytest.raises(StepFailed) as raised:
        await attempt(STAGES["customers"], store, _customers([table.profile(), record], table.now), asked())

    said = str(raised.value)
    assert said.startswith(f"KeyError on {TRANSACTIONS}:0:{record.offset}, event ")
    assert len(said.rpartition(" ")[2]) == 32
    assert "personal" not in said
    assert SECRET not in said


async def test_what_was_named_is_passed_by_with_a_letter_and_everything_else_is_taken(store: RocksStore) -> None:
    of = batch(b"1", b"boom", b"2", b"boom", b"3")

    outputs, skipped = await attempt(SPEC, store, of, asked(101, 103))

    reason = "KeyError; skipped: ann, OPS-7"
    assert sorted(skipped, key=lambda one: one.offset) == [Skipped(TOPIC, 101, reason), Skipped(TOPIC, 103, reason)]
    assert [o.value for o in outputs if o.topic == "out"] == [b"1", b"2", b"3"]
    found = [read_letter(Record(o.topic, 0, 0, o.key, o.value, o.headers)) for o in outputs if o.topic == DEAD_LETTERS]
    assert {(one.origin.offset, one.kind.code, one.message) for one in found if one} == {
        (101, "skipped", reason),
        (103, "skipped", reason),
    }
    assert {key for key, _ in store.changes()} == {key for key, _ in _after(store, b"1", b"2", b"3")}


async def test_a_record_that_the_step_takes_is_never_skipped(store: RocksStore) -> None:
    outputs, skipped = await attempt(SPEC, store, batch(b"1", b"2"), asked(101))

    assert ([o.value for o in outputs], skipped) == ([b"1", b"2"], ())


async def test_the_journal_alone_repeats_a_batch_with_skips(store: RocksStore) -> None:
    of = batch(b"1", b"boom", b"2")
    outputs, skipped = await attempt(SPEC, store, of, asked(101))
    live = store.changes()
    store.rollback()

    entry = read(write(Entry({TOPIC: (100, 103)}, NOON, {}, records=3, skipped=skipped)))
    again = letters(of.records, entry.skipped, "counts", NOON)
    again += step(store, replace(of, records=without(of.records, entry.skipped)))

    assert (again, store.changes()) == (outputs, live)


def test_a_commit_without_skips_is_in_the_journal_as_it_always_was() -> None:
    assert b"skipped" not in write(Entry({TOPIC: (0, 3)}, NOON, {}, records=3))


def test_a_skip_says_once_what_came_of_it() -> None:
    passed, ahead, done, needless = 3, 900, 10, 11
    skips = asked(passed, ahead, done, needless)

    told = _told(lambda: skips.opened(0, {TOPIC: 5}))
    told += _told(lambda: skips.opened(1, {TOPIC: 500}))
    told += _told(lambda: skips.committed(0, {TOPIC: 9}, ()))
    told += _told(lambda: skips.committed(0, {TOPIC: 12}, (Skipped(TOPIC, done, "KeyError; skipped: ann"),)))
    told += _told(skips.end)

    warned = [(row["place"], row["why"]) for row in told if row["log_level"] == "warning"]
    assert warned == [
        ("events/0@3", "passed already, nothing is skipped"),
        ("events/0@10", "KeyError; skipped: ann"),
        ("events/0@11", "no record lies there, or the step takes it: nothing is skipped"),
        ("events/0@900", "never reached, nothing is skipped"),
    ]
    assert [row["place"] for row in told if row["log_level"] == "info"] == [
        "events/0@900",
        "events/0@10",
        "events/0@11",
    ]


def _told(act: Callable[[], None]) -> list[EventDict]:
    with capture_logs() as told:
        act()
    return list(told)


def _after(store: RocksStore, *values: bytes) -> Sequence[tuple[bytes, bytes | None]]:
    """What a store is changed by when these values are all there is, at the places they have in the batch above."""
    store.rollback()
    places = {b"1": 0, b"2": 2, b"3": 4}
    step(store, replace(batch(), records=[Record(TOPIC, 0, 0, b"k%d" % places[value], value) for value in values]))
    return store.changes()


def _customers(records: list[Record], now: Millis) -> Batch[Versions]:
    return Batch(0, 1, records, now, versions(wait="1s"), customers.TIMED)


def _raises(*_: object) -> None:
    raise KeyError(SECRET)


def _absence_due(store: RocksStore, at: Millis) -> str:
    """Let an absence be due, and give its name."""
    deadlines = Deadlines(store)
    deadlines.set(Deadline(at, b"reminder", "c1"))
    deadlines.finish()
    return b"reminder".hex()
