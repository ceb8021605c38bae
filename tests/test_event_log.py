import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from kairos import wire
from kairos.apps import Apps, AppsFile
from kairos.instants import DAY, HOUR, Millis, from_rfc3339
from kairos.ports import Record
from kairos.wire import BadRecord
from streams import card_feed, event_log
from streams.cluster import Cluster
from streams.event_log import BrokenLog, Header, Line, shift_to
from streams.feed import feed
from streams.topics import APP_USAGE, CUSTOMERS, TRANSACTIONS, Partitions, partition_of

EXAMPLES = Path(__file__).parent.parent / "examples"
DEMO = EXAMPLES / "data" / "demo.jsonl.gz"
AT = "2017-03-01T12:00:03Z"
HEADER = Header("a test", "simulated", "all of it", first=AT, last="2017-03-02T12:00:03Z")


def line(key: str = "C1", time: str = AT, **more: str) -> Line:
    data = msgspec.Raw(b'{"amount":1250,"direction":"debit"}')
    return msgspec.structs.replace(Line("transactions", key, "transaction", "7", "/bank", time, data), **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl.gz"


def records(path: Path, shift: Millis = 0) -> list[Record]:
    return list(event_log.read(path, shift)[1])


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.jsonl"])
def test_what_was_written_is_read_as_the_records_that_the_door_accepts(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert event_log.write(path, HEADER, [line()]) == 1

    header, found = event_log.read(path)

    (record,) = found
    assert header == HEADER
    assert (record.topic, record.key, record.value) == (TRANSACTIONS, b"C1", b'{"amount":1250,"direction":"debit"}')
    event = wire.read(record, record.at, Apps())
    assert (event.type, event.at, event.customer) == ("transaction", from_rfc3339(AT), "C1")


def test_the_headers_are_those_of_the_wire(path: Path) -> None:
    event_log.write(path, HEADER, [line(time="2017-03-01T12:00:03.000Z")])

    (record,) = records(path)

    assert record.headers == wire.headers("kairos.transaction.v1", "7", from_rfc3339(AT), "/bank")


def test_the_same_lines_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        event_log.write(tmp_path / name, HEADER, [line(), line("C2")])

    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_a_late_event_keeps_its_time_and_stands_where_it_arrived(path: Path) -> None:
    event_log.write(path, HEADER, [line("C1", "2017-03-01T15:00:00Z"), line("C2", arrived="2017-03-01T16:00:00Z")])

    _, late = records(path)

    assert late.at == from_rfc3339("2017-03-01T16:00:00Z")
    assert dict(late.headers)["ce_time"] == AT.encode()


def test_a_shift_moves_every_time_there_is(path: Path) -> None:
    profile = b'{"consent":[{"purpose":"marketing","channel":"*","granted":true,"at":"2016-01-01T00:00:00Z"}]}'
    told = Line("customers", "C1", "customer", "1", "/crm", AT, msgspec.Raw(profile))
    foreign = Line("bank-feed", "STORE-31", raw=f"{AT};C1;POS;DBT", arrived=AT)
    event_log.write(path, HEADER, [told, foreign, line()])

    header, found = event_log.read(path, DAY)

    first, second, third = found
    assert (header.first, header.last) == ("2017-03-02T12:00:03.000Z", "2017-03-03T12:00:03.000Z")
    assert b'"at":"2016-01-02T00:00:00.000Z"' in (first.value or b"")
    assert (second.topic, second.value) == (card_feed.TOPIC, b"2017-03-02T12:00:03.000Z;C1;POS;DBT")
    assert dict(third.headers)["ce_time"] == b"2017-03-02T12:00:03.000Z"
    assert {record.at for record in (first, second, third)} == {from_rfc3339(AT) + DAY}


@pytest.mark.parametrize("data", [b"[]", b'{"consent":7}', b'{"consent":[{"purpose":"marketing","at":5}]}'])
def test_a_shift_leaves_a_profile_that_is_none_to_the_door(path: Path, data: bytes) -> None:
    event_log.write(path, HEADER, [Line("customers", "C1", "customer", "1", "/crm", AT, msgspec.Raw(data))])

    (record,) = records(path, DAY)

    assert record.value == data


def test_a_shift_by_weeks_keeps_weekdays_and_never_reaches_beyond_the_end() -> None:
    end = from_rfc3339("2026-11-22T17:00:00Z")

    shift = shift_to(HEADER, end, step=7 * DAY)

    assert shift % (7 * DAY) == 0
    assert end - 7 * DAY < from_rfc3339(HEADER.last) + shift <= end


def test_a_line_without_a_value_is_a_tombstone(path: Path) -> None:
    event_log.write(path, HEADER, [Line("customers", "C1", "customer", "1", "/crm", AT)])

    (record,) = records(path)

    assert record.value is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"topic":"transactions","time":', ":3: "),
        ('{"topic":"weather","time":"2017-03-01T12:00:03Z"}', ":3: .*topic"),
        ('{"topic":"transactions","tome":"2017-03-01T12:00:03Z"}', ":3: .*tome"),
        ('{"topic":"transactions","time":"noon"}', ":3: neither"),
        ('{"topic":"transactions","time":"2017-02-28T12:00:03Z"}', ":3: it arrived before"),
    ],
)
def test_a_broken_line_is_named_with_its_file_and_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "log.jsonl"
    event_log.write(path, HEADER, [line()])
    path.write_bytes(path.read_bytes() + text.encode() + b"\n")

    with pytest.raises(BrokenLog, match=r"log\.jsonl" + complaint):
        records(path)


@pytest.mark.parametrize("content", [b"", b"[]\n", b'{"topic":"transactions"}\n', b'{"format":"kairos-log/2"}\n'])
def test_a_file_without_our_header_is_refused_at_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)

    with pytest.raises(BrokenLog, match=r"log\.jsonl:1: no header of kairos-log/1"):
        event_log.read(path)


def test_a_file_that_is_cut_off_is_refused_where_it_ends(path: Path) -> None:
    event_log.write(path, HEADER, [line(str(number)) for number in range(1000)])
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(BrokenLog, match="cut off"):
        records(path)


def test_a_file_that_is_no_gzip_is_refused(path: Path) -> None:
    path.write_bytes(b"{}\n")

    with pytest.raises(BrokenLog, match="no gzip"):
        event_log.read(path)


@pytest.fixture(scope="module")
def demo() -> tuple[Header, list[Line]]:
    header, found = event_log.lines(DEMO)
    return header, list(found)


@pytest.fixture(scope="module")
def catalogue() -> AppsFile:
    return AppsFile.model_validate_json((EXAMPLES / "apps.json").read_bytes())


def test_the_demo_log_is_large_enough_and_says_what_is_in_it(demo: tuple[Header, list[Line]]) -> None:
    header, found = demo

    assert header.origin == "real"
    assert "invented" in header.note.lower()
    counts = Counter(each.topic for each in found if not each.broken)
    assert {topic: number for topic, number in header.counts.items() if " " not in topic} == dict(counts)
    assert counts.total() - counts["customers"] >= 100_000
    assert counts["customers"] >= 2_000
    assert counts["bank-feed"] >= 5_000
    assert header.broken == sum(bool(each.broken) for each in found) >= 25
    assert DEMO.stat().st_size <= 15_000_000


def test_the_door_accepts_the_demo_log_but_for_what_is_broken_on_purpose(
    demo: tuple[Header, list[Line]], catalogue: AppsFile
) -> None:
    header, found = demo
    now, apps = from_rfc3339(header.last) + HOUR, Apps.of(catalogue)

    for each, record in zip(found, records(DEMO), strict=True):
        assert _refusal(record, now, apps) == each.broken, each


def test_nothing_invented_in_the_demo_log_passes_for_real(demo: tuple[Header, list[Line]]) -> None:
    for each in demo[1]:
        if each.broken or isinstance(each.data, msgspec.UnsetType):
            continue
        data = bytes(each.data)
        real = each.type == "transaction"
        assert (b'"link":"real"' in data) == real
        assert real or b'"link":"synthetic"' in data or b'"simulated":true' in data


def test_every_app_of_the_demo_log_is_in_the_catalogue(demo: tuple[Header, list[Line]], catalogue: AppsFile) -> None:
    used = {msgspec.json.decode(each.data)["app"] for each in demo[1] if each.type == "app_usage" and not each.broken}  # type: ignore[arg-type]  # such a line has data

    assert len(catalogue.classes) == 26
    assert used == set(catalogue.apps)


@pytest.mark.kafka
async def test_the_feed_brings_every_record_in_the_order_of_its_key(
    cluster: Cluster, declared: Partitions, path: Path
) -> None:
    told = [Line("customers", f"C{n}", "customer", f"p{n}", "/crm", AT, msgspec.Raw(b"{}")) for n in range(50)]
    paid = [line(f"C{n % 50}", id=str(n)) for n in range(5_000)]
    event_log.write(path, HEADER, [*told, *paid, Line("transactions", None, "transaction", "9", "/bank", AT, raw="{}")])
    seen: list[int] = []

    fed = await feed(event_log.read(path)[1], cluster, progress=seen.append)

    assert fed.counts == {CUSTOMERS: 50, TRANSACTIONS: 5_001}
    assert seen[-1] == 5_051
    places: dict[bytes | None, list[int]] = {}
    async for partition, record in _all(cluster, TRANSACTIONS, declared.of("customers"), 5_001):
        assert record.key is None or partition == partition_of(record.key, declared.of("customers"))
        places.setdefault(record.key, []).append(int(dict(record.headers)["ce_id"]))
    assert all(ids == sorted(ids) for ids in places.values())


@pytest.mark.kafka
async def test_the_feed_keeps_to_its_rate(cluster: Cluster, declared: Partitions, path: Path) -> None:
    event_log.write(path, HEADER, [line(f"C{n}") for n in range(100)])
    began = asyncio.get_running_loop().time()

    fed = await feed(event_log.read(path)[1], cluster, rate=200)

    assert fed.total == 100
    assert asyncio.get_running_loop().time() - began > 0.4


def _refusal(record: Record, now: Millis, apps: Apps) -> str | None:
    try:
        if record.topic == card_feed.TOPIC:
            record = _as_ours(record)
        event = wire.read(record, now, apps)
    except BadRecord as error:
        return "feed" if record.topic == card_feed.TOPIC else error.code
    assert record.topic != APP_USAGE or event.type != "app_usage" or event.category
    return None


def _as_ours(record: Record) -> Record:
    topic, key, value, headers = card_feed.map_line(record.value or b"")
    return Record(topic, 0, record.offset, key, value, headers, record.at)


async def _all(cluster: Cluster, topic: str, partitions: int, number: int) -> AsyncIterator[tuple[int, Record]]:
    consumer = AIOKafkaConsumer(**cluster.for_aiokafka(), group_id=None, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, partition) for partition in range(partitions)])
    await consumer.start()
    try:
        for _ in range(number):
            found = await consumer.getone()
            yield found.partition, Record(topic, found.partition, found.offset, found.key, found.value, found.headers)
    finally:
        await consumer.stop()
