"""Why and why not, of what happened live: the state as the event found it, and a decision made again byte for byte."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaAdminClient, TopicPartition
from typer.testing import CliRunner, Result

from console.asking import explanations
from console.backtest_live import Beside, Live, beside
from console.cli import app
from console.decisions_found import Found, decision_found
from console.live_histories import of_live, of_log
from console.live_records import KafkaRecords
from console.publishing import catalogue as catalogue_of
from console.publishing import publish
from console.recomputing import differences, recomputed
from kairos.decisions import Decision, Reason
from kairos.instants import HOUR, MINUTE
from kairos.ports import Batch, Record
from kairos.wire import read
from streams import clock
from streams.backtest import Backtest
from streams.catalogue import Catalogue
from streams.cluster import Cluster
from streams.customers import desk_at
from streams.feed import feed
from streams.spec import Running
from streams.stage import Stage
from streams.stages import STAGES
from streams.topic_reader import read_topic
from streams.topics import CUSTOMERS_JOURNAL, DECISIONS, EXAMPLES, LEDGER_COMMANDS, Partitions, partition_of
from streams.versions import Versions
from tests.customer_table import Table, versions

TWICE = """
    who: {all: [{tag: vip}]}
    when: {count: {event: transaction, within: 2h, at_least: 2}}
"""
BOOK = versions(cooldown="1h", extra=TWICE)
CUSTOMERS = ("c1", "c2")
payments = st.lists(
    st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(["fuel", "grocery"]), st.integers(0, 3 * HOUR)),
    min_size=1,
    max_size=8,
)


def table_of(told: list[tuple[str, str, int]]) -> tuple[Table, list[Record]]:
    """Two customers of whom one is known, and a batch of what they pay, in whatever order it happened."""
    table = Table(BOOK)
    table.hear(table.profile("c1", tags=["vip"]), table.profile("c2", tags=["vip"], granted=False))
    table.now += 4 * HOUR
    return table, [table.pays(key, category, ago=ago) for key, category, ago in told]


@given(payments)
def test_each_event_of_a_batch_is_explained_with_the_very_state_that_it_found(told: list[tuple[str, str, int]]) -> None:
    live, records = table_of(told)
    decided = {row["event"]["id"]: row for row in live.hear(*records).decisions}

    for place, record in enumerate(records):
        table, _ = table_of([])
        batch = Batch(0, 1, records, table.now, table.versions)
        work, event = desk_at(table.store, batch, record), read(record, table.now, table.versions.apps)
        work.versions.book.observe(event, work.customer(event.customer))
        found = explanations(work, event, None, work.since(event.at))
        matched = {one.rule: one.reason for one in found if one.matches}
        made = decided.get(event.id)
        verdicts = {} if made is None else {v["rule"]: v["verdict"] for v in made["verdicts"]}

        assert matched.keys() == verdicts.keys(), place
        refused = {rule: verdict for rule, verdict in verdicts.items() if verdict not in ("won", "outranked")}
        assert {rule: reason.kind for rule, reason in matched.items() if reason is not None} == refused


def test_only_what_came_before_an_event_is_taken() -> None:
    live, records = table_of([("c1", "fuel", 2 * MINUTE), ("c1", "fuel", MINUTE), ("c1", "fuel", 0)])
    batch = Batch(0, 1, records, live.now, live.versions)

    first = desk_at(live.store, batch, records[0])

    assert first.customer("c1").decided == {}
    assert first.outputs == []


def test_where_two_records_differ_is_told_without_their_values() -> None:
    assert differences({"a": [1, 2], "b": "x"}, {"a": [1, 3], "c": "secret"}) == ["a.1", "b", "c"]
    assert differences({"a": [1]}, {"a": [1, 2]}) == ["a"]
    assert differences({"a": 1}, {"a": 1}) == []


class House:
    """The customers' stage on a real Kafka, in this process."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder, self.client = cluster, folder, cluster.for_aiokafka()

    async def decides(self, records: list[list[Record]], found: Versions) -> list[Decision]:
        """Put a book into force and give it events, one lot after the other; gives what was decided."""
        await publish(self.client, {"rules": found.book.content, "policy": found.policy.content}, "ann", 0)
        catalogue = Catalogue(self.client)
        await catalogue.start()
        await catalogue.opened.wait()
        running = Running(self.folder, wait=20, tick=50, client=self.client)
        stage = Stage(STAGES["customers"], running, catalogue.versions, catalogue.opened, clock.now)
        await stage.start()
        try:
            for lot in records:
                await feed(iter(lot), self.cluster)
                await self._quiet()
        finally:
            await stage.stop()
            await catalogue.stop()
        return await self.decisions()

    async def _quiet(self) -> None:
        before = -1
        while before != (now := len(await self.decisions())) or not now:
            before = now
            await asyncio.sleep(0.5)

    async def decisions(self) -> list[Decision]:
        rows = await read_topic(self.client, DECISIONS)
        return [Decision.model_validate_json(row.value or b"") for lot in rows.values() for row in lot]

    async def run(self, *arguments: str) -> Result:
        environment = {"KAIROS_BOOTSTRAP": self.cluster.bootstrap}
        return await asyncio.to_thread(CliRunner(env=environment).invoke, app, list(arguments))

    def cut_journal(self, partition: int) -> None:
        """Delete the beginning of the journal, as retention does."""
        with closing(KafkaAdminClient(**self.cluster.for_kafka_python())) as admin:
            admin.delete_records({TopicPartition(CUSTOMERS_JOURNAL, partition): 1})  # type: ignore[attr-defined]  # no stub


@pytest.mark.kafka
async def test_what_happened_live_is_explained_exactly_and_made_again_byte_for_byte(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    house, table = House(cluster, tmp_path), Table(versions(cooldown="1d", extra=TWICE), now=clock.now())
    known = [table.profile("c1", tags=["vip"], attrs={"age": 41})]
    paid = [table.pays("c1", "fuel", ago=ago * MINUTE) for ago in (3, 2, 1)]
    decisions = await house.decides([[*known, paid[0], paid[1]], [paid[2]]], table.versions)
    first, second = sorted(decisions, key=lambda one: one.event.at)
    before = {t: await read_topic(house.client, t) for t in (DECISIONS, EXAMPLES, LEDGER_COMMANDS)}

    again = await house.run("explain", first.id[:10], "--replay", "--customer", "c1")
    listed = await house.run("why", "c1")
    refused = await house.run("why", "c1", "--rule", "card", "--language", "zh")
    uplift, other = await house.run("uplift"), await house.run("uplift", "--rule", "crad")
    slip = await house.run("why", "c1", "--rule", "crad", "--language", "zh")
    made = await decision_found(house.client, first.id, None, lambda _read, _all: None)
    forged = Found(replace_value(made.made, b'"state":"offered"', b'"state":"withheld"'))
    contents = (await catalogue_of(house.client)).contents
    differs = await recomputed(house.client, forged, contents, lambda _read, _all: None)
    run = Beside()
    for output in Backtest(table.versions).run([*known, *paid]):
        run.take(output)
    kafka = KafkaRecords(house.client)
    was = await asyncio.to_thread(Live, kafka)
    history = await asyncio.to_thread(of_live, kafka, was.heard.fates, {"c1"})
    held = await asyncio.to_thread(beside, run, was, lambda: [*known, *paid], table.versions.hashes)
    house.cut_journal(partition_of(b"c1", declared.customers))
    cut = await house.run("explain", first.id, "--replay", "--customer", "c1", "--language", "zh")
    live = await house.run("why", "c1", "--rule", "card")

    assert [(one.state, one.reason) for one in (first, second)] == [("offered", None), ("suppressed", Reason.COOLDOWN)]
    assert [run.exit_code for run in (again, listed, refused, slip, cut, live)] == [0, 0, 0, 1, 2, 0]
    assert "equal, byte for byte: 1 of 1 records" in again.output
    assert (held.same, held.all, history.is_whole) == (2, 2, True)
    assert [e.id for e in history.events["c1"]] == [e.id for e in of_log([*known, *paid], {"c1"}).events["c1"]]
    assert "at least 2 × transaction in 2 hours: 2" in again.output
    assert "attr.age = ***" in again.output
    assert [line.split()[2] for line in listed.output.splitlines()[2:4]] == [second.id[:12], first.id[:12]]
    assert "精确" in refused.output
    assert "no rule with a control group or several forms has decided anything" in uplift.output
    assert "no rule 'crad' has decided anything in 30 days; did you mean 'card'?" in other.output
    assert "满足条件，但被拦下：cooldown" in refused.output
    assert "生效的规则中没有'crad'；是否指'card'？" in slip.output
    assert (differs.equal, differs.differs) == (0, ["state"])
    assert "无法重新得出：日志从" in cut.output
    assert "it could not be played again: the journal begins at" in live.output
    assert "not exact for then" in live.output
    assert before == {t: await read_topic(house.client, t) for t in before}


def replace_value(record: Record, old: bytes, new: bytes) -> Record:
    value = (record.value or b"").replace(old, new)
    return Record(record.topic, record.partition, record.offset, record.key, value, record.headers, record.at)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explain", "Ж"), "'Ж' is no id of a decision; it is written in 0-9 and a-f"),
        (("explain", ""), "is no id of a decision"),
        (("why", ""), "name the customer by the key that the bank's events have"),
        (("why", "", "--language", "zh"), "请给出客户号"),
        (("explain", "Ж", "--language", "zh"), "'Ж'不是决策编号"),
        (("explain", "ab"), "no Kafka is configured"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    run = CliRunner(env={"KAIROS_BOOTSTRAP": ""}).invoke(app, list(arguments))

    assert run.exit_code != 0
    assert said in run.output
    assert "Traceback" not in run.output
