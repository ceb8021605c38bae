"""Columns: a recorded log in NumPy arrays, so that a rule can be tried on millions of events in a moment.

Every field is coded: an array of numbers into a list of the values that occur, nothing (None) among them. So a test is
asked once for each value, by the same code that the engine runs, and the array tells for which events.

Events lie in one table for each type, sorted by customer, time and arrival. `row` is an event's place among the events
of all types in that order: whatever of a customer's past has a smaller row happened before.
"""

import json
from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kairos.events import Event, Profile
from kairos.instants import Millis
from kairos.money import Money
from rules.fields import CATEGORY, RECORDS, EventName
from rules.lives import Forgotten, Happening

__all__ = ["FORMAT", "Arrays", "Coded", "Columns", "Table", "columns_of"]

FORMAT: Final = 2
"""The layout of the arrays; a store of another one is written anew."""
Arrays = Mapping[str, NDArray[Any]]
"""The columns by their names, as they are stored; reading one may cost time, so each is read when it is asked for."""

_PLACE: Final = "lat, lon"
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
        As `columns_of` made them, or as they were stored.

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

    def table(self, event: EventName) -> Table:
        """Give the events of a type."""
        return Table(*(self._arrays[f"{event}/{name}"] for name in ("row", "customer", "at")))

    def field(self, event: EventName, name: str) -> Coded:
        """Give a field of a type's events; `amount` holds money, `near` places."""
        path = f"{event}/{_PLACE if name == 'near' else name}"
        values = _unpacked(self._arrays[f"{path}/values"])
        return Coded(self._arrays[f"{path}/codes"], tuple(map(_value, values)))

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


def columns_of(happenings: Iterable[Happening]) -> Arrays:
    """Put a log into columns; attributes and tags are those at its end.

    Parameters
    ----------
    happenings
        In the order in which they arrived. Who is forgotten and comes back is another customer.

    """
    gathered = _Gathered()
    for happening in happenings:
        gathered.take(happening)
    return gathered.arrays()


class _Column:
    """A column that grows."""

    def __init__(self) -> None:
        self.codes = array("i")
        self.values: list[Hashable] = []
        self._texts: dict[str | None, int] = {}
        self._others: dict[tuple[type, Hashable], int] = {}

    def add(self, value: Hashable) -> None:
        if value is None or type(value) is str:
            code = self._texts.get(value)
            if code is None:
                code = self._texts[value] = self._new(value)
        else:
            # One and true are equal in Python, and not in a rule.
            key = (type(value), value)
            code = self._others.get(key)
            if code is None:
                code = self._others[key] = self._new(value)
        self.codes.append(code)

    def _new(self, value: Hashable) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def arrays(self, path: str, order: NDArray[np.int64] | None = None) -> Iterator[tuple[str, NDArray[Any]]]:
        codes = np.frombuffer(self.codes, np.int32) if self.codes else np.zeros(0, np.int32)
        yield f"{path}/codes", codes if order is None else codes[order]
        yield f"{path}/values", _packed(self.values)


class _Events:
    """The events of one type, as they arrive."""

    def __init__(self, event: EventName) -> None:
        self.arrived, self.customer, self.at = array("q"), array("i"), array("q")
        known = RECORDS[event].model_fields
        self._names = [name for name in known if name not in ("lat", "lon", "amount", CATEGORY.get(event))]
        self._category = CATEGORY.get(event)
        self._has_place = "lat" in known
        special = (
            [self._category] * bool(self._category) + [_PLACE] * self._has_place + ["amount"] * ("amount" in known)
        )
        self.columns = {name: _Column() for name in [*self._names, *special] if name is not None}
        self._adds = [(name, self.columns[name].add) for name in self._names]

    def add(self, event: Event, customer: int, arrived: int) -> None:
        self.arrived.append(arrived)
        self.customer.append(customer)
        self.at.append(event.at)
        data, columns = event.data, self.columns
        for name, add in self._adds:
            add(getattr(data, name))
        if self._category is not None:
            columns[self._category].add(event.category)
        if self._has_place:
            columns[_PLACE].add((data.lat, data.lon))  # type: ignore[union-attr]  # the record has both
        if event.type == "transaction":
            columns["amount"].add((data.amount, data.currency))  # type: ignore[union-attr]  # the type says so


class _Gathered:
    def __init__(self) -> None:
        self._tables = {event: _Events(event) for event in RECORDS}
        self._by_type: dict[str, _Events] = {str(name): table for name, table in self._tables.items()}
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._profiles: dict[int, tuple[Millis, Profile]] = {}
        self._gone: dict[int, Millis] = {}
        self._arrived = self._newest = 0

    def take(self, happening: Happening) -> None:
        self._arrived += 1
        if isinstance(happening, Forgotten):
            number = self._numbers.pop(happening.customer, None)
            if number is not None:
                self._gone[number] = self._newest
            return
        # Asked by the type's name: whether something is one of the models is a slow question where the answer is no.
        table = self._by_type.get(happening.type)
        if table is not None:
            table.add(happening, self._number(happening.customer), self._arrived)
            self._newest = max(self._newest, happening.at)
        elif isinstance(happening.data, Profile):
            number = self._number(happening.customer)
            if happening.at >= self._profiles.get(number, (0, None))[0]:
                self._profiles[number] = happening.at, happening.data

    def _number(self, customer: str) -> int:
        number = self._numbers.get(customer)
        if number is None:
            number = self._numbers[customer] = len(self._keys)
            self._keys.append(customer)
        return number

    def arrays(self) -> Arrays:
        found: dict[str, NDArray[Any]] = {}
        rows = self._rows()
        for name, table in self._tables.items():
            order = np.argsort(rows[name], kind="stable")
            found[f"{name}/row"] = rows[name][order]
            found[f"{name}/customer"] = np.array(table.customer, np.int32)[order]
            found[f"{name}/at"] = np.array(table.at, np.int64)[order]
            for field, column in table.columns.items():
                found.update(column.arrays(f"{name}/{field}", order))
        attrs, tags = self._attributes(found), self._tags(found)
        times = np.concatenate([found[f"{name}/at"] for name in self._tables])
        found["gone"] = np.full(len(self._keys), np.iinfo(np.int64).max)
        found["gone"][list(self._gone)] = list(self._gone.values())
        found["keys"] = _packed(self._keys)
        found["meta"] = _packed(
            {
                "events": len(times),
                "first": int(times.min()) if len(times) else 0,
                "last": int(times.max()) if len(times) else 0,
                "customers": len(self._keys),
                "attrs": attrs,
                "tags": tags,
            }
        )
        return found

    def _rows(self) -> dict[EventName, NDArray[np.int64]]:
        """Give each event its place by customer, time and arrival among those of all types."""
        tables = self._tables.values()
        customer = np.concatenate([np.array(table.customer, np.int32) for table in tables])
        at = np.concatenate([np.array(table.at, np.int64) for table in tables])
        arrived = np.concatenate([np.array(table.arrived, np.int64) for table in tables])
        row = np.empty(len(at), np.int64)
        row[np.lexsort((arrived, at, customer))] = np.arange(len(at))
        ends = np.cumsum([0, *(len(table.at) for table in tables)])
        return {name: row[ends[n] : ends[n + 1]] for n, name in enumerate(self._tables)}

    def _attributes(self, found: dict[str, NDArray[Any]]) -> list[str]:
        names = sorted({name for _, profile in self._profiles.values() for name in profile.attrs})
        for number, name in enumerate(names):
            column = _Column()
            for customer in range(len(self._keys)):
                kept = self._profiles.get(customer)
                column.add(None if kept is None else kept[1].attrs.get(name))
            found.update(column.arrays(f"attr/{number}"))
        return names

    def _tags(self, found: dict[str, NDArray[Any]]) -> list[str]:
        who: dict[str, list[int]] = {}
        for customer, (_, profile) in sorted(self._profiles.items()):
            for tag in profile.tags:
                who.setdefault(tag, []).append(customer)
        names = sorted(who)
        found["tags/customers"] = np.array([one for name in names for one in who[name]], np.int32)
        found["tags/ends"] = np.cumsum([0, *(len(who[name]) for name in names)])
        return names


def _value(stored: object) -> object:
    """Give a value as tests compare it: money for an amount, a pair for a place."""
    if not isinstance(stored, list):
        return stored
    return Money(stored[0], stored[1]) if isinstance(stored[1], str) else (stored[0], stored[1])


def _packed(value: object) -> NDArray[np.uint8]:
    # JSON in bytes: a store of arrays of Python objects would have to be unpickled, which runs what lies in it.
    return np.frombuffer(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> Any:
    return json.loads(packed.tobytes())
