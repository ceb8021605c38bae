"""The replay of the journal as a judge: it says that all is equal where it is, and what is wrong where it is not."""

import json
from collections.abc import Callable, Mapping

import msgspec
import pytest

from kairos.instants import SECOND
from kairos.ports import Batch, Output, Record
from streams import customers, journal, replay_journal
from streams.memory_store import MemoryStore
from streams.stages import STAGES
from streams.store import META, Meta, encode
from streams.topics import CATALOGUE, CUSTOMERS_CHANGELOG, CUSTOMERS_JOURNAL, DECISIONS, TRANSACTIONS
from streams.versions import Versions
from tests.customer_table import NOON, Table, versions

CUSTOMERS = STAGES["customers"]
CONTENTS = {
    "rules": versions().book.content,
    "policy": json.dumps(
        {"format": 1, "zone": "Asia/Shanghai", "hours": {"sms": "00:00-24:00", "push": "00:00-24:00"}}
    ).encode(),
}
Topics = dict[str, list[Record]]


def record(topic: str, place: int, output: Output) -> Record:
    return Record(topic, 0, place, output.key, output.value, output.headers, NOON)


def world() -> Topics:
    """A stage's topics after three commits: a profile, two payments, and one more."""
    found = Versions()
    for kind, content in CONTENTS.items():
        found = found.having(kind, content)
    table, store, inputs = Table(found), MemoryStore(), dict[str, int]()
    fuel = [table.pays(category="fuel") for _ in range(3)]
    told = [[table.profile()], fuel[:2], fuel[2:]]
    topics: Topics = {name: [] for name in (*CUSTOMERS.inputs, CUSTOMERS_JOURNAL, CUSTOMERS_CHANGELOG, CATALOGUE)}
    for number, batch in enumerate(told):
        records = [
            Record(one.topic, 0, len(topics[one.topic]) + place, one.key, one.value, one.headers, one.at)
            for place, one in enumerate(batch)
        ]
        topics[records[0].topic] += records
        given = Batch(0, 1, records, NOON + number * SECOND, table.versions)
        for output in customers.step(store, given):
            rows = topics.setdefault(output.topic, [])
            rows.append(record(output.topic, len(rows), output))
        ranges = {records[0].topic: (records[0].offset, records[-1].offset + 1)}
        inputs |= {topic: end for topic, (_, end) in ranges.items()}
        entry = journal.write(journal.entry(given, ranges, ()))
        topics[CUSTOMERS_JOURNAL].append(Record(CUSTOMERS_JOURNAL, 0, number, None, entry))
    kept = [*store.items(), (META, encode(Meta(CUSTOMERS.layout, inputs, NOON, 1, journal.BUILD)))]
    topics[CUSTOMERS_CHANGELOG] = [Record(CUSTOMERS_CHANGELOG, 0, n, k, v) for n, (k, v) in enumerate(kept)]
    named = [(found.hashes[kind].encode(), content) for kind, content in CONTENTS.items()]
    topics[CATALOGUE] = [Record(CATALOGUE, 0, n, key, value) for n, (key, value) in enumerate(named)]
    return topics


async def judged(topics: Topics, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    async def read_topic(_client: Mapping[str, object], topic: str) -> dict[int, list[Record]]:
        return {0: topics.get(topic, [])}

    monkeypatch.setattr(replay_journal, "read_topic", read_topic)
    (result,) = await replay_journal.replay_journal({}, [CUSTOMERS])
    return result.problems


Harm = Callable[[Topics], None]


def changed(topic: str, place: int, **fields: object) -> Harm:
    """Change one record of a topic."""

    def change(topics: Topics) -> None:
        topics[topic][place] = msgspec.structs.replace(topics[topic][place], **fields)

    return change


def said(place: int, **fields: object) -> Harm:
    """Change what one entry of the journal says."""

    def change(topics: Topics) -> None:
        entry = journal.read(topics[CUSTOMERS_JOURNAL][place].value or b"")
        changed(CUSTOMERS_JOURNAL, place, value=journal.write(msgspec.structs.replace(entry, **fields)))(topics)

    return change


def lost(topic: str, place: int) -> Harm:
    def change(topics: Topics) -> None:
        del topics[topic][place]

    return change


def doubled(topic: str) -> Harm:
    return lambda topics: topics[topic].append(topics[topic][-1])


async def test_what_happened_so_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = world()

    assert await judged(topics, monkeypatch) == []
    assert len(topics[DECISIONS]) == 3


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(lost(CUSTOMERS_JOURNAL, 1), "goes on at 2, the last commit ended at 0", id="a commit is missing"),
        pytest.param(
            said(2, ranges={TRANSACTIONS: (1, 3)}),
            "goes on at 1, the last commit ended at 2",
            id="two commits overlap",
        ),
        pytest.param(
            said(1, ranges={TRANSACTIONS: (1, 2)}, records=1),
            "goes on at 1, the last commit ended at 0",
            id="the beginning was passed over",
        ),
        pytest.param(lost(TRANSACTIONS, 1), "took 2 records, the topics hold 1", id="an input is missing"),
        pytest.param(lost(DECISIONS, 0), "1 outputs are not there", id="an output is missing"),
        pytest.param(doubled(DECISIONS), "1 outputs are not there exactly as often", id="an output is there twice"),
        pytest.param(changed(DECISIONS, 0, value=b"{}"), "1 records are there that no stage made", id="one is another"),
        pytest.param(said(1, now=NOON + 9 * SECOND), "records of state differ", id="another time"),
        pytest.param(changed(CUSTOMERS_CHANGELOG, 0, value=b"x"), "1 records of state differ", id="another state"),
        pytest.param(lost(CUSTOMERS_CHANGELOG, 0), "1 records of state differ", id="a state is missing"),
        pytest.param(lost(CUSTOMERS_JOURNAL, 2), "the state says it ends at", id="the last commit is missing"),
    ],
)
async def test_what_did_not_happen_so_is_told(harm: Harm, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = world()

    harm(topics)

    assert any(says in problem for problem in await judged(topics, monkeypatch))
