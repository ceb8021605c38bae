"""Metrics: the list is what is exported, and the counts are those of what was committed."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from console.metrics import PATH
from kairos.instants import HOUR, SECOND
from kairos.offers import Offer
from kairos.ports import Output, Record
from streams import clock, watermark
from streams.catalogue import Catalogue
from streams.deadlines import Deadline, Deadlines
from streams.delivery_end import End, feedback
from streams.group import Group
from streams.health import Health
from streams.memory_store import MemoryStore
from streams.meter import Meter, Spread
from streams.metrics import METRICS, page
from streams.metrics_export import behind, exported, timers
from streams.partition import Partition
from streams.skips import Skips
from streams.spec import Running
from streams.stage import Stage
from streams.stages import STAGES
from streams.topics import FEEDBACK, TRANSACTIONS
from streams.turns import Turns
from streams.versions import Versions
from tests.customer_table import NOON, Table, versions
from tests.stage_house import House

Samples = dict[tuple[str, ...], float]
# The parser leaves out what a counter's name ends with.
LABELS = {metric.name.removesuffix("_total"): metric.labels for metric in METRICS}


def row(record: Record, at: int = NOON) -> ConsumerRecord:
    place = (record.topic, record.partition, record.offset)
    # The stub knows only what we read.
    return ConsumerRecord(*place, at, 1, record.key, record.value, None, 0, 0, tuple(record.headers))  # type: ignore[call-arg]


def rows_at(times: Iterable[int]) -> list[ConsumerRecord]:
    return [row(Record(TRANSACTIONS, 0, n, b"k", b""), at) for n, at in enumerate(times)]


def counted(records: list[Record], outputs: list[Output]) -> Meter:
    meter = Meter()
    taken: dict[TopicPartition, list[ConsumerRecord]] = {}
    for record in records:
        taken.setdefault(TopicPartition(record.topic, 0), []).append(row(record))
    meter.committed("customers", taken, outputs, NOON + SECOND)
    return meter


def samples(text: bytes) -> dict[str, Samples]:
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            order = (*LABELS[family.name], "le")
            labels = tuple(sample.labels[label] for label in order if label in sample.labels)
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def test_the_page_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == page(), "renew it with: python -m console.metrics --write"


def test_every_metric_of_the_list_is_exported_and_no_other() -> None:
    stage = Stage(STAGES["customers"], Running(Path()), Versions, asyncio.Event(), clock.now)

    text = exported([stage], NOON).decode()

    told = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE))
    assert told == {metric.name: metric.kind for metric in METRICS}


def test_names_follow_the_customs_of_prometheus() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert bool(metric.bounds) == (metric.kind == "histogram"), metric.name
        assert list(metric.bounds) == sorted(set(metric.bounds)), metric.name
        assert metric.unit in metric.name or metric.kind == "counter" or metric.unit == "timers", metric.name
        assert "customer" not in metric.labels, metric.name


def test_decisions_offers_and_dead_letters_are_counted_from_what_a_commit_wrote() -> None:
    table = Table()
    broken = table.pays()
    broken.value = b"{"
    events = [table.profile("c1"), table.pays("c1", "fuel"), table.pays("c2", "fuel"), broken]
    said = table.hear(*events)

    counts = counted(events, said.outputs).counts

    assert counts["kairos_records_total"] == {("customers", "kairos.customers.v1"): 1, ("customers", TRANSACTIONS): 3}
    assert counts["kairos_offers_total"] == {("sms",): 1}
    assert counts["kairos_decisions_total"].pop(("offered", "")) == 1
    assert [(state, n) for (state, _), n in counts["kairos_decisions_total"].items()] == [("suppressed", 1)]
    assert counts["kairos_dead_letters_total"] == {("customers", "invalid"): 1}


def test_testers_are_counted_in_no_metric_of_decisions_offers_and_deliveries() -> None:
    table = Table(versions(policy={"testers": {"customers": ["c1"]}}))
    events = [table.profile("c1"), table.profile("c2"), table.pays("c1", "fuel"), table.pays("c2", "fuel")]
    said = table.hear(*events)
    sent = [table.as_record(feedback(Offer.model_validate(o), End("accepted"), NOON)) for o in said.offers]
    back = table.hear(*sent, *(table.feedback("delivered", o["customer"], o["decision"]) for o in said.offers))

    counts = counted(sent, [*said.outputs, *back.outputs]).counts

    assert len(said.offers) == len(said.decisions) == len(back.ended) == len(sent) == 2
    assert counts["kairos_offers_total"] == {("sms",): 1}
    assert counts["kairos_decisions_total"] == {("offered", ""): 1}
    assert counts["kairos_decision_ends_total"] == {("delivered",): 1}
    assert counts["kairos_deliveries_total"] == {("sms", "accepted"): 1}


def test_what_delivery_said_is_counted_and_what_others_say_makes_no_label() -> None:
    def said(source: bytes, id_: bytes) -> Record:
        return Record(FEEDBACK, 0, 0, b"c1", b"{}", (("ce_source", source), ("ce_id", id_)))

    found = [
        said(b"/kairos/delivery/sms", b"o1:accepted"),
        said(b"/kairos/delivery/sms", b"o2:accepted"),
        said(b"/kairos/delivery/push", b"o3:expired"),
        said(b"/kairos/delivery/fax", b"o4:accepted"),
        said(b"/kairos/delivery/sms", b"o5:13800000000"),
        said(b"/bank/sms", b"o6:accepted"),
        Record(FEEDBACK, 0, 0, b"c1", b"{}"),
    ]

    counts = counted(found, []).counts["kairos_deliveries_total"]

    assert counts == {("sms", "accepted"): 2, ("push", "expired"): 1}


@given(st.lists(st.integers(-10, 400_000), max_size=60))
def test_ages_counted_by_bound_are_those_counted_one_by_one(ages: list[int]) -> None:
    bounds = (0.01, 1.0, 60.0, 300.0)
    together, single = Spread(bounds), Spread(bounds)

    together.add_since(rows_at(sorted(NOON - age for age in ages)), NOON)
    for age in ages:
        single.add(age / SECOND)

    assert (together.below, together.count) == (single.below, single.count)
    assert together.sum == pytest.approx(max(0, single.sum))


def test_timers_and_deadlines_that_wait_are_counted() -> None:
    store = MemoryStore()
    deadlines = Deadlines(store)
    for number in range(3):
        deadlines.set(Deadline(NOON, b"%08d" % number, "c1"))
    store.put(b"", "t", b"one", b"c1")
    watermark.keep(store, watermark.EventTime(mark=NOON))

    assert timers(store) == 4


async def test_event_time_goes_on_with_the_clock_where_nothing_comes_and_waits_for_what_lies_unread() -> None:
    spec = STAGES["customers"]
    consumer = AIOKafkaConsumer()
    group, skips = Group(lambda _: None), Skips(spec.name, ())
    quiet = Partition(spec, Running(Path()), 0, consumer, group, Versions, clock.now, Meter(), skips, Turns())
    time = watermark.advanced(
        watermark.EventTime(), spec.timed, dict.fromkeys(spec.timed, NOON), spec.timed, NOON, 5_000
    )

    quiet.drained = spec.timed
    later = behind(time, quiet, NOON + HOUR)
    quiet.drained = frozenset()
    unread = behind(time, quiet, NOON + HOUR)
    await consumer.stop()

    assert (later, unread) == (5 * SECOND, HOUR + 5 * SECOND)


@pytest.mark.kafka
async def test_a_worker_tells_what_it_committed_how_far_it_is_and_what_it_restored(house: House) -> None:
    stage, catalogue = await house.start(), Catalogue({})
    health = Health("127.0.0.1", 0, catalogue, [stage])
    await health.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{health.port}") as session:

            async def told() -> dict[str, Samples]:
                async with session.get("/metrics") as answer:
                    assert answer.content_type == "text/plain"
                    return samples(await answer.read())

            await house.send(*[b"1"] * 7, partition=0)
            await house.send(b"1", b"1", topic=house.other, partition=0)
            await house.send(*[b"1"] * 3, partition=1)
            await house.outputs(12)
            await house.until(lambda: sum(stage.meter.counts["kairos_records_total"].values()) == 12)
            first = await told()
            await house.send(b"boom", b"1", partition=1)
            await house.until(lambda: 1 in stage.stopped)
            second = await told()
            await stage.stop()
            again = await house.start(disk="another")
            third = samples(exported([again], clock.now()))
    finally:
        await health.stop()

    name = house.name
    assert first["kairos_records_total"] == {(name, house.main): 10, (name, house.other): 2}
    assert first["kairos_batch_records_sum"] == {(name,): 12}
    commits = first["kairos_commit_seconds_count"][(name,)]
    assert 3 <= commits == first["kairos_step_seconds_count"][(name,)]
    assert first["kairos_latency_seconds_count"] == {(name,): 12}
    assert 0 < first["kairos_latency_seconds_sum"][(name,)] < 12 * 20
    assert first["kairos_partitions"] == {(name, "open"): 2, (name, "opening"): 0, (name, "stopped"): 0}
    assert set(first["kairos_lag_records"]) == {(name, t, n) for t in (house.main, house.other) for n in ("0", "1")}
    assert set(first["kairos_lag_records"].values()) == {0}
    assert min(first["kairos_state_bytes"].values()) > 0
    assert second["kairos_partitions"][name, "stopped"] == 1
    assert second["kairos_records_total"] == first["kairos_records_total"]
    assert third["kairos_restored_records"][name, "0"] > 0
    assert set(third["kairos_restoring_records"].values()) == {0}
