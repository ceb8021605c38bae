"""Columns: a recorded log in NumPy arrays, so that a rule can be tried on millions of events in a moment.

Every field is coded: an array of numbers into a list of the values that occur, nothing (None) among them. So a test is
asked once for each value, by the same code that the engine runs, and the array tells for which events.

Events lie in one table for each type, sorted by customer, time and arrival. `row` is an event's place among the events
of all types in that order: whatever of a customer's past has a smaller row happened before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from kairos.instants import Millis
from kairos.money import Money
from rules.fields import EventName

__all__ = ["PLACE", "Arrays", "Coded", "Columns", "Table", "packed"]

Arrays = Mapping[str, NDArray[Any]]
"""The columns by their names, as they are stored; reading one may cost time, so each is read when it is asked for."""

PLACE: Final = "lat, lon"
"""The column of places: latitude and longitude together."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column: the number of each value, and the values."""

    codes: NDArray[np.int32]
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The events of one type: their rows, customers and times in milliseconds."""

    row: NDArray[np.int64]
    customer: NDArray[np.int32]
    at: NDArray[np.int64]


class Columns:
    """A log in columns.

    Parameters
    ----------
    arrays
        As `rules.columns_made` made them, or as they were stored.

    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        meta = _unpacked(arrays["meta"])
        self.events: int = meta["events"]
        self.first: Millis = meta["first"]
        self.last: Millis = meta["last"]
        self.customers: int = meta["customers"]
        self._attrs: list[str] = meta["attrs"]
        self._tags: list[str] = meta["tags"]
        self._fields: dict[str, Coded] = {}

    def table(self, event: EventName) -> Table:
        """Give the events of a type."""
        return Table(*(self._arrays[f"{event}/{name}"] for name in ("row", "customer", "at")))

    def field(self, event: EventName, name: str) -> Coded:
        """Give a field of a type's events; `amount` holds money, `near` places."""
        path = f"{event}/{PLACE if name == 'near' else name}"
        if path not in self._fields:
            values = _unpacked(self._arrays[f"{path}/values"])
            self._fields[path] = Coded(self._arrays[f"{path}/codes"], tuple(map(_value, values)))
        return self._fields[path]

    def attribute(self, name: str) -> Coded:
        """Give an attribute of all customers, by their numbers; None where the bank does not know it."""
        if name not in self._attrs:
            return Coded(np.zeros(self.customers, np.int32), (None,))
        path = f"attr/{self._attrs.index(name)}"
        return Coded(self._arrays[f"{path}/codes"], tuple(_unpacked(self._arrays[f"{path}/values"])))

    def tagged(self, name: str) -> NDArray[np.bool_]:
        """Give which customers have a tag."""
        found = np.zeros(self.customers, np.bool_)
        if name in self._tags:
            number, ends = self._tags.index(name), self._arrays["tags/ends"]
            found[self._arrays["tags/customers"][ends[number] : ends[number + 1]]] = True
        return found

    @property
    def gone(self) -> NDArray[np.int64]:
        """Give until when each customer was known: to the newest event before they were forgotten, or for ever."""
        return self._arrays["gone"]

    def keys(self, numbers: Iterable[int]) -> list[str]:
        """Give the keys of some customers."""
        keys: list[str] = _unpacked(self._arrays["keys"])
        return [keys[number] for number in numbers]


def _value(stored: object) -> object:
    """Give a value as tests compare it: money for an amount, a pair for a place."""
    if not isinstance(stored, list):
        return stored
    return Money(stored[0], stored[1]) if isinstance(stored[1], str) else (stored[0], stored[1])


def packed(value: object) -> NDArray[np.uint8]:
    """Give a value as it is stored: in JSON, for what arrays of Python objects are unpickled from may be a program."""
    return np.frombuffer(msgspec.json.encode(value), np.uint8)


def _unpacked(stored: NDArray[np.uint8]) -> Any:
    return msgspec.json.decode(stored.tobytes())
