"""A log in arrays for a backtest: when each record came, whose it is, whether the door takes it, who may be left out.

It is made by the door's own reader under the replay's own clock, in one pass; afterwards a backtest looks only at the
records of customers whom a rule may meet.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kairos.apps import Apps
from kairos.instants import Millis
from kairos.ports import Record
from kairos.recent import remember, seen
from kairos.wire import AHEAD, BadRecord, customer_of, read
from rules.book import Book
from rules.columns import Columns, columns_of
from rules.estimate import may_match
from rules.lives import Forgotten, Happening
from rules.met import Flags, Met
from streams.abreast import time_of
from streams.carried import CARRIES
from streams.topics import CUSTOMERS

__all__ = ["REFUSED", "TOPICS", "Arrays", "arrays_of", "met_by", "moved"]

Arrays = Mapping[str, NDArray[Any]]
TOPICS: Final = tuple(sorted(CARRIES))
"""The topics by their numbers."""
REFUSED: Final = -1
"""In the place of the time at which an event happened: the door refuses it."""
_FORGOTTEN: Final = -2


def arrays_of(records: Iterable[Record], apps: Apps) -> Arrays:
    """Put a log into arrays: `log/line`, `/clock`, `/topic`, `/at` and `/customer` by record, and the columns of rules.

    `clock` is what the replay's clock says after the record, `at` when the event happened, or why there is none.
    """
    gathered = _Gathered(apps)
    columns = columns_of(gathered.happenings(records))
    return {**columns, **gathered.arrays(Columns(columns))}


def moved(arrays: Arrays, shift: Millis) -> dict[str, NDArray[Any]]:
    """Give the arrays of the log as it is with all its times moved."""
    found = dict(arrays)
    if shift:
        found["log/clock"] = arrays["log/clock"] + shift
        found["log/at"] = np.where(arrays["log/at"] >= 0, arrays["log/at"] + shift, arrays["log/at"])
        for name in arrays:
            if name.endswith("/at") and name != "log/at":
                found[name] = arrays[name] + shift
    return found


def met_by(book: Book, arrays: Arrays) -> Flags:
    """Tell which customers a rule may meet, and who else cannot be left out; by the customers' numbers in the log.

    Not left out are those of whom the columns do not tell all: who was forgotten, or whose clock ran ahead. The
    customer of the very first event stays, for with it all memories begin.
    """
    columns, known = Columns(arrays), Met(Columns(arrays))
    numbers, found = arrays["log/numbers"], arrays["log/odd"].copy()
    steady, ordered = arrays["log/steady"][numbers], arrays["log/ordered"][numbers]
    for rule in book.rules.values():
        found[numbers[may_match(rule, columns, known, steady, ordered)]] = True
    return found


class _Gathered:
    def __init__(self, apps: Apps) -> None:
        self._apps, self._now = apps, 0
        self._line, self._clock, self._at = array("q"), array("q"), array("q")
        self._topic, self._customer = array("b"), array("i")
        self._numbers: dict[str, int] = {}
        self._names: dict[str, bytes] = {}
        self._last: dict[int, Millis] = {}
        self._profiled: set[int] = set()
        self._odd: set[int] = set()
        self._unsteady: set[int] = set()
        self._unordered: set[int] = set()

    def happenings(self, records: Iterable[Record]) -> Iterator[Happening]:
        """Note each record, and give what the rules' columns are made of."""
        for record in records:
            told = time_of(record.headers) or 0
            if told <= record.at + AHEAD:
                self._now = max(self._now, told)
            found = self._read(record)
            number = -1 if found is None else self._number(found.customer)
            self._note(record, number, found)
            if isinstance(found, Forgotten):
                self._odd.add(number)
                yield found
            elif found is not None and self._is_new(found, number, ahead=told > record.at + AHEAD):
                yield found

    def _read(self, record: Record) -> Happening | None:
        try:
            if record.topic == CUSTOMERS and record.value is None:
                return Forgotten(customer_of(record.key))
            event = read(record, self._now, self._apps)
        except BadRecord:
            return None
        return event if event.type in CARRIES[record.topic] else None

    def _number(self, customer: str) -> int:
        return self._numbers.setdefault(customer, len(self._numbers))

    def _note(self, record: Record, number: int, found: Happening | None) -> None:
        self._line.append(record.offset)
        self._clock.append(self._now)
        self._topic.append(TOPICS.index(record.topic))
        self._customer.append(number)
        self._at.append(REFUSED if found is None else _FORGOTTEN if isinstance(found, Forgotten) else found.at)

    def _is_new(self, event: Any, number: int, *, ahead: bool) -> bool:
        """Note what is odd about an event; an event that came twice tells nothing new."""
        if ahead:
            self._odd.add(number)
        if seen(self._names.get(event.customer, b""), event.id):
            return False
        self._names[event.customer] = remember(self._names.get(event.customer, b""), event.id, self._now)
        if event.type == "customer":
            # Told once and before anything happened, it is what holds at each event.
            if number in self._profiled or number in self._last:
                self._unsteady.add(number)
            self._profiled.add(number)
        elif event.type != "feedback":
            if not self._last:
                self._odd.add(number)
            if event.at < self._last.get(number, event.at):
                self._unordered.add(number)
            self._last[number] = max(event.at, self._last.get(number, event.at))
        return True

    def arrays(self, columns: Columns) -> Arrays:
        """Give what was noted."""
        size, keys = len(self._numbers), columns.keys(range(columns.customers))
        return {
            "log/line": np.array(self._line, np.int64),
            "log/clock": np.array(self._clock, np.int64),
            "log/at": np.array(self._at, np.int64),
            "log/topic": np.array(self._topic, np.int8),
            "log/customer": np.array(self._customer, np.int32),
            "log/numbers": np.array([self._numbers[key] for key in keys], np.int64),
            "log/odd": _flags(size, self._odd),
            "log/steady": ~_flags(size, self._unsteady),
            "log/ordered": ~_flags(size, self._unordered),
        }


def _flags(size: int, chosen: set[int]) -> Flags:
    found = np.zeros(size, np.bool_)
    found[sorted(chosen)] = True
    return found
