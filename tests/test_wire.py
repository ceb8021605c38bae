"""The wire: CloudEvents in Kafka's binary mode, held against the CloudEvents SDK both ways, and what is refused."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any, get_args

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from kairos.apps import Apps, AppsFile
from kairos.events import AppUsage, Event, EventType, Feedback, Login, PageView, Profile, Transaction
from kairos.ids import event_id
from kairos.instants import MINUTE, Millis, from_rfc3339, instant_of, moment
from kairos.ports import Headers, Record
from kairos.wire import LARGEST, SOURCE, BadRecord, headers, read, type_of

NOW: Millis = 1_796_097_600_250
APPS = Apps.of(AppsFile(classes=("food_delivery",), apps={"meituan": "food_delivery"}))
RECORDS: dict[EventType, BaseModel] = {
    "app_usage": AppUsage(app="美团外卖", app_class="food_delivery", seconds=42, link="synthetic"),
    "transaction": Transaction(amount=3050, direction="debit", merchant="喜茶", merchant_category="food"),
    "page_view": PageView(page="/积分/商城", coupon="K1"),
    "login": Login(),
    "customer": Profile(attrs={"城市": "上海", "age": 31, "share": 0.25, "staff": False}, tags=frozenset({"vip"})),
    "feedback": Feedback(what="redeemed", offer="o1", decision="d1", code="K1", amount=900, simulated=True),
}
CATEGORY = {"app_usage": "food_delivery", "transaction": "food", "page_view": "/积分/商城"}
text = st.text(min_size=1, max_size=20).filter(str.strip)


def a_record(value: bytes | None, found: Headers, key: bytes | None = "客户7".encode()) -> Record:
    return Record("kairos.events.app-usage.v1", 0, 0, key, value, found, NOW)


def of_the_sdk(type_: str, at: datetime, data: Mapping[str, Any], **more: str) -> Record:
    """Let the SDK write a record, and a Kafka client put it on the line."""
    attributes = {"type": type_, "source": "/银行/手机", "id": "事件-1", "time": at, "partitionkey": "客户7", **more}
    message = to_binary(CloudEvent({"datacontenttype": "application/json", **attributes}, dict(data)), JSONFormat())
    assert isinstance(message.key, str)
    return a_record(message.value, tuple(message.headers.items()), message.key.encode())


def test_there_is_a_record_of_every_type() -> None:
    assert set(RECORDS) == set(get_args(EventType))


@pytest.mark.parametrize(("event_type", "data"), RECORDS.items())
def test_the_sdk_reads_what_we_write(event_type: EventType, data: BaseModel) -> None:
    found = dict(headers(type_of(event_type), "事件-1", NOW))

    read_by_sdk = from_binary(KafkaMessage(found, "客户7".encode(), data.model_dump_json().encode()), JSONFormat())

    assert read_by_sdk.get_type() == f"kairos.{event_type}.v1"
    assert (read_by_sdk.get_id(), read_by_sdk.get_source()) == ("事件-1", SOURCE)
    assert read_by_sdk.get_specversion() == "1.0"
    assert read_by_sdk.get_time() == moment(NOW)
    assert read_by_sdk.get_datacontenttype() == "application/json"
    assert read_by_sdk.get_extension("partitionkey") == "客户7"
    assert read_by_sdk.get_data() == data.model_dump(mode="json")


@pytest.mark.parametrize(("event_type", "data"), RECORDS.items())
def test_we_read_what_the_sdk_writes(event_type: EventType, data: BaseModel) -> None:
    record = of_the_sdk(type_of(event_type), moment(NOW), data.model_dump(mode="json"))

    event = read(record, NOW, APPS)

    name = event_id("/银行/手机", "事件-1")
    expected = Event(name, event_type, NOW, "客户7", CATEGORY.get(event_type), data)  # type: ignore[arg-type]  # the table's types
    # The record and its twin are different classes that show every field alike.
    assert repr(event) == repr(expected)


@pytest.mark.parametrize(("event_type", "data"), RECORDS.items())
def test_we_read_what_we_write(event_type: EventType, data: BaseModel) -> None:
    record = a_record(data.model_dump_json().encode(), headers(type_of(event_type), "1", NOW, "/bank"))

    assert repr(read(record, NOW, APPS).data) == repr(data)


@given(text, text, st.integers(0, NOW), st.dictionaries(text, st.text() | st.integers() | st.booleans()))
def test_whatever_the_text_and_time_the_sdk_reads_it_back(id_: str, source: str, at: Millis, data: Any) -> None:
    value = json.dumps(data).encode()

    back = from_binary(KafkaMessage(dict(headers("kairos.x.v1", id_, at, source)), None, value), JSONFormat())

    assert (back.get_id(), back.get_source(), back.get_time(), back.get_data()) == (id_, source, moment(at), data)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2026, 11, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001  # a zone is put on below
def test_a_time_of_any_zone_is_read_to_the_nearest_millisecond(naive: datetime, minutes: int) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    event = read(of_the_sdk("kairos.login.v1", at, {}), NOW, APPS)

    assert abs(moment(event.at) - at) <= timedelta(microseconds=500)


texts = st.from_regex(
    rb"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9][.,:][0-9]{3}[Zz+]", fullmatch=True
)


@given(texts | st.datetimes(timezones=st.just(UTC)).map(lambda at: rfc3339_of(at).encode()), st.integers(0, 24))
def test_the_quick_way_to_read_a_time_is_the_slow_way(text: bytes, cut: int) -> None:
    for shown in (text, text[:cut] + b"\xff" + text[cut + 1 :], text[:cut] + "\u0665".encode() + text[cut + 1 :]):
        try:
            expected: object = from_rfc3339(shown.decode())
        except ValueError:
            expected = None
        try:
            found: object = instant_of(shown)
        except ValueError:
            found = None
        assert found == expected


def rfc3339_of(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(st.text(), st.text())
def test_an_event_is_named_by_its_source_and_id_with_their_lengths(source: str, id_: str) -> None:
    written = f"5:event{len(source)}:{source}{len(id_)}:{id_}".encode()

    assert event_id(source, id_) == blake2b(written, digest_size=16).hexdigest()


def test_what_a_producer_adds_is_left_alone() -> None:
    record = of_the_sdk("kairos.app_usage.v1", moment(NOW), {"app": "meituan", "battery": 0.5}, traceparent="00-1-2-03")

    event = read(record, NOW, APPS)

    assert (repr(event.data), event.category) == (repr(AppUsage(app="meituan")), "food_delivery")


def test_an_app_that_nobody_classified_has_no_category() -> None:
    assert read(of_the_sdk("kairos.app_usage.v1", moment(NOW), {"app": "unheard-of"}), NOW, APPS).category is None


def test_a_structured_event_is_a_dead_letter_that_says_which_header_is_missing() -> None:
    event = CloudEvent({"type": "kairos.login.v1", "source": "/b", "id": "1", "time": moment(NOW)}, {})
    message = to_structured(event, JSONFormat())

    with pytest.raises(BadRecord, match="ce_type is missing") as refused:
        read(a_record(message.value, tuple(message.headers.items())), NOW, APPS)

    assert refused.value.code == "unknown_type"


GOOD = b'{"app": "meituan"}'
USAGE, MONEY = "kairos.app_usage.v1", "kairos.transaction.v1"
AHEAD = b"2026-12-01T04:06:00.250Z"

BAD: dict[str, tuple[str, bytes | None, dict[str, bytes | None], bytes | None]] = {
    # what: (code, value, headers that differ (None: left out), key)
    "broken JSON": ("invalid", b'{"app": "mei', {}, b"c1"),
    "empty value": ("invalid", b"", {}, b"c1"),
    "a tombstone": ("empty", None, {}, b"c1"),
    "not UTF-8": ("invalid", b'{"app": "\xff\xfe"}', {}, b"c1"),
    "half a surrogate pair": ("invalid", b'{"app": "\\ud83d"}', {}, b"c1"),
    "a list": ("invalid", b"[]", {}, b"c1"),
    "deep nesting": ("invalid", b'{"app": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", {}, b"c1"),
    "text for a number": ("invalid", b'{"app": "a", "seconds": "long"}', {}, b"c1"),
    "a fraction of a cent": ("invalid", b'{"amount": 1.5, "direction": "debit"}', {"ce_type": MONEY.encode()}, b"c1"),
    "a negative amount": ("invalid", b'{"amount": -1, "direction": "debit"}', {"ce_type": MONEY.encode()}, b"c1"),
    "an unknown direction": ("invalid", b'{"amount": 1, "direction": "up"}', {"ce_type": MONEY.encode()}, b"c1"),
    "a missing field": ("invalid", b"{}", {}, b"c1"),
    "an unknown type": ("unknown_type", GOOD, {"ce_type": b"kairos.app_usage.v2"}, b"c1"),
    "a type that is no text": ("unknown_type", GOOD, {"ce_type": b"\xff"}, b"c1"),
    "no type": ("unknown_type", GOOD, {"ce_type": None}, b"c1"),
    "6 minutes ahead": ("future", GOOD, {"ce_time": AHEAD}, b"c1"),
    "a naive time": ("invalid_time", GOOD, {"ce_time": b"2026-12-01T04:00:00"}, b"c1"),
    "a day": ("invalid_time", GOOD, {"ce_time": b"2026-12-01"}, b"c1"),
    "no time at all": ("no_time", GOOD, {"ce_time": None}, b"c1"),
    "a time that is none": ("invalid_time", GOOD, {"ce_time": b"noon"}, b"c1"),
    "a time that is no text": ("invalid_time", GOOD, {"ce_time": b"\xff"}, b"c1"),
    "before 1970": ("invalid_time", GOOD, {"ce_time": b"1969-12-31T23:59:59Z"}, b"c1"),
    "before the calendar": ("invalid_time", GOOD, {"ce_time": b"0001-01-01T00:00:00+23:59"}, b"c1"),
    "after the calendar": ("future", GOOD, {"ce_time": b"9999-12-31T23:59:59-23:59"}, b"c1"),
    "huge": ("too_large", b'{"app": "meituan", "x": "' + b"x" * LARGEST + b'"}', {}, b"c1"),
    "no key": ("no_key", GOOD, {}, None),
    "an empty key": ("no_key", GOOD, {}, b""),
    "a key that is not UTF-8": ("invalid_key", GOOD, {}, b"\xff\xfe"),
    "a key over 1024 bytes": ("invalid_key", GOOD, {}, b"c" * 1025),
    "no id": ("no_id", GOOD, {"ce_id": None}, b"c1"),
    "an empty id": ("no_id", GOOD, {"ce_id": b""}, b"c1"),
    "no source": ("no_id", GOOD, {"ce_source": None}, b"c1"),
    "an id that is not UTF-8": ("no_id", GOOD, {"ce_id": b"\xff"}, b"c1"),
}


@pytest.mark.parametrize(("code", "value", "differ", "key"), BAD.values(), ids=BAD)
def test_a_bad_record_is_named(
    code: str, value: bytes | None, differ: dict[str, bytes | None], key: bytes | None
) -> None:
    found = {**dict(headers(USAGE, "1", NOW, "/bank")), **differ}
    record = a_record(value, tuple((name, value) for name, value in found.items() if value is not None), key)

    with pytest.raises(BadRecord) as refused:
        read(record, NOW, APPS)

    assert refused.value.code == code


@pytest.mark.parametrize("ahead", [0, 5 * MINUTE])
def test_a_clock_may_be_five_minutes_ahead(ahead: Millis) -> None:
    assert read(a_record(GOOD, headers(USAGE, "1", NOW + ahead, "/bank")), NOW, APPS).at == NOW + ahead


def test_the_largest_value_and_key_are_read() -> None:
    value = GOOD[:-1] + b" " * (LARGEST - len(GOOD)) + b"}"

    assert read(a_record(value, headers(USAGE, "1", NOW, "/bank"), b"c" * 1024), NOW, APPS).customer == "c" * 1024


def test_a_refusal_tells_no_value_of_the_customer() -> None:
    value = b'{"amount": "6222020000000000000", "direction": "13800138000"}'

    with pytest.raises(BadRecord) as refused:
        read(a_record(value, headers(MONEY, "1", NOW, "/bank")), NOW, APPS)

    assert "6222" not in str(refused.value)
    assert "1380" not in str(refused.value)


@given(
    st.binary(max_size=300) | st.text().map(lambda text: json.dumps(text).encode()),
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_time"]), st.binary(max_size=40))),
    st.none() | st.binary(max_size=40),
)
def test_whatever_comes_is_an_event_or_a_dead_letter(value: bytes, odd: Headers, key: bytes | None) -> None:
    usual = headers(USAGE, "1", NOW, "/bank")

    for found in (odd, (*usual, *odd), usual):
        try:
            read(a_record(value, found, key), NOW, APPS)
        except BadRecord as refused:
            refused.code.encode("ascii")
            str(refused).encode()


def test_a_consent_from_the_future_is_a_dead_letter_for_it_would_outrank_every_refusal() -> None:
    word = '{"purpose":"*","channel":"*","granted":true,"at":"9999-01-01T00:00:00Z"}'
    value = f'{{"consent":[{word}]}}'.encode()
    record = Record(
        "kairos.customers.v1", 0, 0, b"c7", value, headers("kairos.customer.v1", "1", 1_796_097_600_000, "/bank/crm")
    )

    with pytest.raises(BadRecord, match="consent is ahead"):
        read(record, 1_796_097_600_000, Apps())
