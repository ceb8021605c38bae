"""The wire: CloudEvents 1.0 in Kafka's binary mode, read and written without a detour.

The attributes are headers (`ce_id`, `ce_source`, `ce_type`, `ce_time`), the record's key is the customer and
the value is the data as JSON. `tests/test_wire.py` holds this module against the CloudEvents SDK both ways.
"""

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from kairos import ids
from kairos.apps import Apps
from kairos.events import AppUsage, Data, Event, EventType, Feedback, Login, PageView, Profile, Transaction
from kairos.instants import MINUTE, Millis, instant_of, rfc3339
from kairos.ports import Record
from kairos.twins import reader, twin

__all__ = [
    "AHEAD",
    "LARGEST",
    "LONGEST_KEY",
    "SOURCE",
    "BadRecord",
    "bare_type",
    "customer_of",
    "data_of",
    "headers",
    "json_of",
    "problems",
    "read",
    "reading_of",
    "type_of",
    "when",
]

AHEAD: Millis = 5 * MINUTE
"""How far an event's clock may be ahead of ours."""
LARGEST = 65_536
"""The largest value of an incoming record, in bytes."""
LONGEST_KEY = 1024
"""The longest key of an incoming record, in bytes."""
SOURCE = "/kairos"
"""The CloudEvents source of what we write."""


class BadRecord(Exception):
    """A record that cannot be accepted; `code` is a word for machines, the message a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_MODELS: dict[EventType, type[Data]] = {
    "app_usage": AppUsage,
    "transaction": Transaction,
    "page_view": PageView,
    "login": Login,
    "customer": Profile,
    "feedback": Feedback,
}
# Profiles and what comes back are rare beside the others, and have rules of their own.
_READERS: dict[bytes, tuple[EventType, Callable[[bytes], Data]]] = {
    b"kairos.app_usage.v1": ("app_usage", twin(AppUsage)),
    b"kairos.transaction.v1": ("transaction", twin(Transaction)),
    b"kairos.page_view.v1": ("page_view", twin(PageView)),
    b"kairos.login.v1": ("login", twin(Login)),
    b"kairos.customer.v1": ("customer", reader(Profile)),
    b"kairos.feedback.v1": ("feedback", reader(Feedback)),
}


def type_of(event_type: EventType) -> str:
    """Give the CloudEvents type of an event type.

    Examples
    --------
    >>> type_of("app_usage")
    'kairos.app_usage.v1'

    """
    return f"kairos.{event_type}.v1"


def bare_type(type_: str) -> str:
    """Give the event type that a CloudEvents type names, or what else it names.

    Examples
    --------
    >>> bare_type("kairos.app_usage.v1"), bare_type("kairos.decision_ended.v1")
    ('app_usage', 'decision_ended')

    """
    return type_.removeprefix("kairos.").removesuffix(".v1")


def headers(type_: str, id_: str, at: Millis, source: str = SOURCE) -> tuple[tuple[str, bytes], ...]:
    """Write the CloudEvents attributes of a record whose value is JSON."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", id_.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type_.encode()),
        ("ce_time", rfc3339(at).encode()),
        ("content-type", b"application/json"),
    )


def when(record: Record, now: Millis) -> Millis:
    """Read only when an event happened; a batch is put in order by it before its events are read.

    Raises
    ------
    BadRecord
        The time is missing or wrong. `read` says what is wrong with the record, for that may be something else first.

    """
    for name, value in reversed(record.headers):
        if name == "ce_time":
            return _time(value, now)
    return _time(None, now)


def read(record: Record, now: Millis, apps: Apps, at: Millis | None = None) -> Event:
    """Read one event at the door.

    Parameters
    ----------
    record
        As it came from Kafka.
    now
        Processing time, against which clocks that run ahead are noticed.
    apps
        The catalogue of apps, for usage that names no class.
    at
        When it happened, if `when` has read it.

    Raises
    ------
    BadRecord
        What is wrong with it; the record is a dead letter, once.

    """
    customer = customer_of(record.key)
    value = record.value
    if value is None:
        raise BadRecord("empty", "the record has no value")
    if len(value) > LARGEST:
        raise BadRecord("too_large", f"the value has {len(value)} bytes, at most {LARGEST} are read")
    found = dict(record.headers)
    kind = _READERS.get(found.get("ce_type", b""))
    if kind is None:
        raise BadRecord("unknown_type", f"the header ce_type is {_shown(found.get('ce_type'))}, no event type of ours")
    event_type, read_value = kind
    if at is None:
        at = _time(found.get("ce_time"), now)
    name = _name(found)
    try:
        data = read_value(value)
    except ValidationError as error:
        raise BadRecord("invalid", problems(error)) from None
    # Pydantic makes `isinstance` slow where the answer is no; the type's name says the same.
    if event_type == "customer":
        _check_consent(cast(Profile, data), now)
    category = _CATEGORIES.get(event_type)
    return Event(name, event_type, at, customer, category(data, apps) if category else None, data)


def data_of(event_type: EventType, value: bytes) -> Data:
    """Read an event's data again that was accepted before.

    Examples
    --------
    >>> data_of("page_view", b'{"page":"coupon_detail"}')
    PageView(page='coupon_detail', coupon=None)

    """
    _, read_value = _READERS[type_of(event_type).encode()]
    return read_value(value)


def reading_of(event_type: EventType) -> tuple[Callable[[bytes], Data], Callable[[Any, Apps], str | None]]:
    """Give what `read` reads the data of a type with, and how it finds the event's category.

    Examples
    --------
    >>> read_value, category = reading_of("page_view")
    >>> category(read_value(b'{"page":"coupon_detail"}'), Apps())
    'coupon_detail'

    """
    return _READERS[type_of(event_type).encode()][1], _CATEGORIES.get(event_type, lambda _data, _apps: None)


def json_of(event_type: EventType, data: Data) -> bytes:
    """Write an event's data as `data_of` reads it; what is not known is left out.

    Examples
    --------
    >>> json_of("page_view", data_of("page_view", b'{"page":"coupon_detail","more":1}'))
    b'{"page":"coupon_detail"}'

    """
    model = _MODELS[event_type]
    # It may be the model's twin: the names of the fields are all that both have.
    whole = model.model_construct(**{name: getattr(data, name) for name in model.model_fields})
    return whole.model_dump_json(exclude_none=True).encode()


def customer_of(key: bytes | None) -> str:
    """Read whom a record's key names.

    Raises
    ------
    BadRecord
        There is no key, it is not UTF-8, or it is too long.

    """
    if not key:
        raise BadRecord("no_key", "the record has no key; it must be the customer's")
    if len(key) > LONGEST_KEY:
        raise BadRecord("invalid_key", f"the key has {len(key)} bytes, at most {LONGEST_KEY} are read")
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise BadRecord("invalid_key", "the key is not UTF-8") from None


def _time(text: bytes | None, now: Millis) -> Millis:
    if text is None:
        raise BadRecord("no_time", "the header ce_time is missing")
    try:
        at = instant_of(text)
    except (ValueError, OverflowError, OSError):
        raise BadRecord("invalid_time", f"the header ce_time is {_shown(text)}, not RFC 3339 with a zone") from None
    if at > now + AHEAD:
        raise BadRecord(
            "future",
            f"the event is {(at - now) / MINUTE:.0f} minutes ahead of our clock, at most 5 are borne",
        )
    if at < 0:
        raise BadRecord("invalid_time", "the event is from before 1970")
    return at


def _check_consent(profile: Profile, now: Millis) -> None:
    # A grant from the future would outrank every later refusal.
    if any(word.at.timestamp() * 1000 > now + AHEAD for word in profile.consent):
        raise BadRecord("future", "a consent is ahead of our clock by more than 5 minutes")


def _name(found: dict[str, bytes]) -> str:
    id_, source = found.get("ce_id"), found.get("ce_source")
    if not id_ or not source:
        raise BadRecord("no_id", "the headers ce_id and ce_source are missing")
    try:
        return ids.event_id_of(source, id_)
    except UnicodeDecodeError:
        raise BadRecord("no_id", "the headers ce_id and ce_source are not UTF-8") from None


_CATEGORIES: dict[EventType, Callable[[Any, Apps], str | None]] = {
    "transaction": lambda data, _: data.merchant_category,
    "app_usage": lambda data, apps: data.app_class or apps.class_of(data.app),
    "page_view": lambda data, _: data.page,
}
"""Any: each is called with the data of its own type."""


def problems(error: ValidationError) -> str:
    """Say what is wrong with a value: places and kinds only, for a dead letter's headers are read by many."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    return "; ".join(f"{_place(e['loc'])}: {_kind(e['type'], e['msg'])}" for e in found)


def _place(parts: tuple[int | str, ...]) -> str:
    # An attribute's name is the bank's, and may be personal too.
    shown = parts[:1] if parts[:1] == ("attrs",) else parts
    return ".".join(map(str, shown)) or "value"


def _kind(type_: str, message: str) -> str:
    # This one of pydantic's messages quotes the value.
    return "kind is none of ours" if type_ == "union_tag_invalid" else message


def _shown(text: bytes | None) -> str:
    return "missing" if text is None else repr(text[:60].decode(errors="replace"))
