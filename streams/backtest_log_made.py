"""Making the arrays of a log: each line read once, as the door reads it, under the replay's own clock.

Most lines are events of a few types whose data a twin reads; these take a short way from the line to the columns.
Every other line becomes a record and goes through the door itself.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, cast

import msgspec
import numpy as np
from pydantic import ValidationError

from kairos.apps import Apps
from kairos.events import Data, EventType
from kairos.instants import Millis, instant_of
from kairos.ports import Record
from kairos.wire import AHEAD, LARGEST, LONGEST_KEY, BadRecord, customer_of, read, reading_of
from rules.columns import Columns
from rules.columns_made import Events, Gathered
from rules.lives import Forgotten, Happening
from streams.abreast import time_of
from streams.backtest_log import FORGOTTEN, REFUSED, TOPICS, Arrays
from streams.backtest_log_flags import MOVES, NOTHING, OTHER, PROFILE, Noted, came_twice, flagged
from streams.card_feed import mapped
from streams.carried import CARRIES, TOPIC_OF
from streams.event_log import Arrived, Line
from streams.event_log_line import TOPIC_OF_LINE
from streams.event_log_record import record_of
from streams.topics import CUSTOMERS

__all__ = ["arrays_of"]

_SHORT: Final = LONGEST_KEY // 4
"""So many letters have no more bytes than a key may have."""
_MANY: Final = 256
_NOTED: Final = {"line": "q", "clock": "q", "topic": "b", "customer": "i", "at": "q", "kind": "b", "name": "q"}
"""What is noted of each record, and how wide it is."""


def arrays_of(lines: Iterable[Arrived], apps: Apps) -> Arrays:
    """Put a log into arrays: `log/line`, `/clock`, `/topic`, `/at` and `/customer` by record, and the columns of rules.

    `clock` is what the replay's clock says after the record, `at` when the event happened, or why there is none.
    """
    making = _Making(apps)
    making.take_all(lines)
    return making.arrays()


class _Way(NamedTuple):
    """The short way of a type: which lines take it, and what they are read with."""

    topic: str
    number: int
    read: Callable[[bytes], Data]
    category: Callable[[Any, Apps], str | None]
    table: Events


class _Making:
    def __init__(self, apps: Apps) -> None:
        self._apps, self._now, self._columns = apps, 0, Gathered()
        self._ways: dict[str | None, _Way] = {
            event: _way(event, table) for event, table in self._columns.tables.items()
        }
        self._noted = {name: array(code) for name, code in _NOTED.items()}
        self._rows: list[tuple[int, ...]] = []
        self._count = 0
        self._numbers: dict[str, int] = {}
        self._odd: set[int] = set()

    def take_all(self, lines: Iterable[Arrived]) -> None:
        """Note each line, and put what it tells into the columns."""
        for place, line, arrived in lines:
            way = self._ways.get(line.type)
            told = _told(line) if line.arrived else arrived
            value = None if way is None else _plain(line, way.topic)
            if way is None or value is None or not 0 <= told <= arrived + AHEAD:
                if (record := mapped(record_of(line, place, arrived))) is not None:
                    self._take(record)
                continue
            self._now = max(self._now, told)
            try:
                data = way.read(value)
            except ValidationError:
                self._note(place, way.number, -1, REFUSED, NOTHING, 0)
                continue
            key = line.key or ""
            number = self._number(key)
            way.table.add(self._columns.number(key), self._count, told, way.category(data, self._apps), data)
            self._note(place, way.number, number, told, MOVES, hash((number, line.source, line.id)))

    def _take(self, record: Record) -> None:
        """Take a record through the door."""
        told = time_of(record.headers) or 0
        is_ahead = told > record.at + AHEAD
        if not is_ahead:
            self._now = max(self._now, told)
        place, topic = record.offset, TOPICS.index(record.topic)
        found = self._read(record)
        if found is None:
            self._note(place, topic, -1, REFUSED, NOTHING, 0)
            return
        number = self._number(found.customer)
        if isinstance(found, Forgotten) or is_ahead:
            self._odd.add(number)
        if isinstance(found, Forgotten):
            self._columns.forget(found.customer)
            self._note(place, topic, number, FORGOTTEN, NOTHING, 0)
            return
        named = dict(record.headers)
        name = hash((number, named["ce_source"].decode(), named["ce_id"].decode()))
        kind = PROFILE if found.type == "customer" else OTHER if found.type == "feedback" else MOVES
        self._columns.take(found, self._count)
        self._note(place, topic, number, found.at, kind, name)

    def _read(self, record: Record) -> Happening | None:
        try:
            if record.topic == CUSTOMERS and record.value is None:
                return Forgotten(customer_of(record.key))
            event = read(record, self._now, self._apps)
        except BadRecord:
            return None
        return event if event.type in CARRIES[record.topic] else None

    def _number(self, customer: str) -> int:
        number = self._numbers.get(customer)
        if number is None:
            number = self._numbers[customer] = len(self._numbers)
        return number

    def _note(self, place: int, topic: int, customer: int, at: Millis, kind: int, name: int) -> None:
        self._count += 1
        self._rows.append((place, self._now, topic, customer, at, kind, name))
        if len(self._rows) == _MANY:
            self._put()

    def _put(self) -> None:
        for column, found in zip(self._noted.values(), zip(*self._rows, strict=True), strict=False):
            column.extend(found)
        self._rows.clear()

    def arrays(self) -> Arrays:
        """Give what was noted."""
        self._put()
        size = len(self._numbers)
        line, clock, topic, customer, at, kind, name = (np.array(noted) for noted in self._noted.values())
        log = Noted(customer, kind, at, clock, name)
        twice = came_twice(log)
        columns = self._columns.arrays(twice)
        odd, steady, ordered = flagged(log, twice, size, self._odd)
        whole = Columns(columns)
        return {
            **columns,
            "log/line": line,
            "log/clock": clock,
            "log/at": at,
            "log/topic": topic,
            "log/customer": customer,
            "log/numbers": np.array([self._numbers[key] for key in whole.keys(range(whole.customers))], np.int64),
            "log/odd": odd,
            "log/steady": steady,
            "log/ordered": ordered,
        }


def _way(event: str, table: Events) -> _Way:
    topic = TOPIC_OF[event]
    (name,) = (name for name, whole in TOPIC_OF_LINE.items() if whole == topic)
    return _Way(name, TOPICS.index(topic), *reading_of(cast(EventType, event)), table)


def _told(line: Line) -> Millis:
    """Give the time that a line tells of itself, or -1."""
    try:
        return instant_of((line.time or "").encode())
    except (ValueError, OverflowError, OSError):
        return -1


def _plain(line: Line, topic: str) -> bytes | None:
    """Give the value of a line that has all that an event needs where it belongs; None for every other line."""
    if line.topic != topic or line.raw is not None or not line.id or not line.source:
        return None
    if not line.key or len(line.key) > _SHORT or isinstance(line.data, msgspec.UnsetType):
        return None
    value = bytes(line.data)
    return value if len(value) <= LARGEST else None
