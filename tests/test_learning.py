"""The learning stage: examples become a model, and the model snapshots in the catalogue, now and then."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.examples import Example
from kairos.instants import SECOND, Millis, moment
from kairos.ports import Batch, Output, Record
from models.snapshot import Snapshot
from streams.catalogue import CatalogueReader
from streams.learning import PRIOR, snapshot, step
from streams.memory_store import MemoryStore
from streams.topics import CATALOGUE, DEAD_LETTERS, EXAMPLES
from streams.versions import Versions
from tests.customer_table import NOON


def example(
    number: int, label: bool, *, corrects: bool = False, objective: str = "reaction", key: str = "noon"
) -> Record:
    found = Example(
        id=f"d{number}",
        objective=objective,
        features={"rule=cafe": 1.0, f"hour={key}": 1.0},
        label=label,
        corrects=corrects,
        decided_at=moment(NOON),
    )
    return Record(EXAMPLES, 0, number, objective.encode(), found.model_dump_json().encode())


def learn(store: MemoryStore, *records: Record, now: Millis = NOON) -> list[Output]:
    return step(store, Batch(0, 1, list(records), now, Versions()))


def published(outputs: list[Output]) -> list[Snapshot]:
    assert {output.topic for output in outputs} <= {CATALOGUE}
    return [Snapshot.from_bytes(o.value or b"") for o in outputs if not (o.key or b"").startswith(b"current/")]


def test_a_customer_who_reacted_makes_the_next_one_like_it_likelier() -> None:
    store = MemoryStore()

    learn(store, *[example(n, label=n % 2 == 0, key="noon" if n % 2 == 0 else "night") for n in range(200)])

    model = snapshot(store, "reaction")
    noon, night, unheard = (model.score({"rule=cafe": 1.0, f"hour={key}": 1.0}) for key in ("noon", "night", "x"))
    assert noon > unheard > night
    assert Snapshot("reaction", PRIOR).score({}) == pytest.approx(PRIOR)


def test_a_snapshot_is_published_at_once_then_every_five_seconds_and_only_if_something_was_learnt() -> None:
    store = MemoryStore()

    told = [
        len(published(learn(store, *records, now=NOON + seconds * SECOND)))
        for records, seconds in (
            ([example(1, True)], 0),
            ([example(2, True)], 1),
            ([], 4),
            ([], 5),
            ([], 60),
            ([example(n, False) for n in range(500)], 61),
        )
    ]

    assert told == [1, 0, 0, 1, 0, 1]


def test_what_is_published_is_taken_by_the_workers() -> None:
    store, reader = MemoryStore(), CatalogueReader()

    for output in learn(store, example(1, True)):
        reader.take(Record(output.topic, 0, 0, output.key, output.value, output.headers))

    assert reader.versions.models["reaction"] == snapshot(store, "reaction")
    assert json.loads(json.dumps(dict(reader.versions.hashes))).keys() == {"model/reaction"}
    assert reader.pointers["model/reaction"].by == "learning"


def test_how_often_each_rule_was_shown_is_counted_and_a_late_reaction_is_no_second_showing() -> None:
    store = MemoryStore()

    learn(store, example(1, label=False), example(2, label=True), example(1, label=True, corrects=True))
    (found,) = published(learn(store, example(3, label=False), now=NOON + 5 * SECOND))

    assert found.shown == {"cafe": 3}
    assert Snapshot.from_bytes(found.to_bytes()) == found


def test_each_objective_has_a_model_of_its_own() -> None:
    store = MemoryStore()

    told = published(learn(store, example(1, True), example(2, False, objective="click")))

    assert [one.objective for one in told] == ["click", "reaction"]
    assert told[0].score({"rule=cafe": 1.0}) < PRIOR < told[1].score({"rule=cafe": 1.0})


def test_a_late_reaction_takes_the_negative_back() -> None:
    corrected, never = MemoryStore(), MemoryStore()

    learn(corrected, example(1, False))
    learn(corrected, example(1, True, corrects=True))
    learn(never, example(1, False))
    learn(never, example(1, True))

    features = {"rule=cafe": 1.0, "hour=noon": 1.0}
    assert snapshot(corrected, "reaction").score(features) > snapshot(never, "reaction").score(features)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"id": "d"}'])
def test_what_is_no_example_is_a_dead_letter_and_the_others_are_learnt(value: bytes | None) -> None:
    store, alone = MemoryStore(), MemoryStore()
    bad = Record(EXAMPLES, 0, 7, b"reaction", value)

    outputs = learn(store, example(1, True), bad, example(2, False))
    learn(alone, example(1, True), example(2, False))

    (letter,) = (output for output in outputs if output.topic == DEAD_LETTERS)
    head = dict(letter.headers)
    assert (letter.value, head["kairos.errors.offset"], head["kairos.errors.stage"]) == (value, b"7", b"learning")
    assert snapshot(store, "reaction") == snapshot(alone, "reaction")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_a_dead_letter_and_spoils_no_model(number: str) -> None:
    store = MemoryStore()
    record = example(1, True)
    record.value = (record.value or b"").replace(b'"rule=cafe":1.0', b'"rule=cafe":' + number.encode())

    outputs = learn(store, record, example(2, True))

    assert outputs[0].topic == DEAD_LETTERS
    assert snapshot(store, "reaction").score({"rule=cafe": 1.0}) > PRIOR


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=20), st.data())
def test_however_the_examples_are_cut_into_batches_the_model_is_the_same_to_the_bit(
    told: list[tuple[bool, str]], data: st.DataObject
) -> None:
    records = [example(n, label, key=key) for n, (label, key) in enumerate(told)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=4)))
    whole, cut = MemoryStore(), MemoryStore()

    learn(whole, *records)
    for a, b in zip([0, *cuts], [*cuts, len(records)], strict=True):
        learn(cut, *records[a:b])

    assert snapshot(cut, "reaction").to_bytes() == snapshot(whole, "reaction").to_bytes()
