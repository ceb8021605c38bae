"""Small event logs, written for one test."""

import json
from pathlib import Path
from typing import Any

import msgspec

from kairos.events import EventType
from kairos.instants import Millis, rfc3339
from streams.event_log import Header, Line, write

__all__ = ["happened", "profile", "small_log"]

CONSENT = [{"purpose": "*", "channel": "*", "granted": True, "at": "2015-01-01T00:00:00Z"}]


def happened(customer: str, type_: EventType, at: Millis, name: str = "", **data: Any) -> Line:
    """Write one line; its id follows from all that it says unless it is given."""
    topic = {"transaction": "transactions", "customer": "customers"}.get(type_, "app-usage")
    raw = json.dumps(data, ensure_ascii=False)
    return Line(
        topic,  # type: ignore[arg-type]  # the table's names
        customer,
        type_,
        name or f"{customer}-{type_}-{at}-{raw}",
        "/test",
        rfc3339(at),
        msgspec.Raw(raw.encode()),
    )


def profile(customer: str, *tags: str, **attrs: Any) -> Line:
    """Write a profile of long ago, with consent for everything."""
    known: dict[str, Any] = {"attrs": attrs, "tags": list(tags), "consent": CONSENT, "personalisation": True}
    return happened(customer, "customer", 1_500_000_000_000, **known)


def small_log(path: Path, *lines: Line) -> Path:
    """Write a log; gives its path."""
    times = [line.time or "" for line in lines] or ["2017-01-01T00:00:00Z"]
    write(path, Header("a test", "simulated", "", first=min(times), last=max(times)), lines)
    return path
