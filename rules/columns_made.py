"""Making columns: what a log tells is put into the arrays that `rules.columns` reads, one event after the other."""

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from kairos.events import Attribute, Data, Event, Profile
from kairos.instants import Millis
from rules.columns import PLACE, Arrays, packed
from rules.fields import CATEGORY, RECORDS, EventName
from rules.lives import Forgotten, Happening

__all__ = ["Gathered", "columns_of"]

_MANY: Final = 256
"""How many events wait until their fields are coded: one field of all of them at once takes a third of the time."""

_Flags = NDArray[np.bool_]


def columns_of(happenings: Iterable[Happening]) -> Arrays:
    """Put a log into columns; attributes and tags are those at its end.

    Parameters
    ----------
    happenings
        In the order in which they arrived. Who is forgotten and comes back is another customer.

    """
    gathered = Gathered()
    for place, happening in enumerate(happenings):
        if isinstance(happening, Forgotten):
            gathered.forget(happening.customer)
        else:
            gathered.take(happening, place)
    return gathered.arrays(np.zeros(0, np.bool_))


class _Known(NamedTuple):
    """What columns hold of a profile."""

    attrs: Mapping[str, Attribute]
    tags: frozenset[str]


class _Column(dict[Hashable, int]):
    """A column that grows: the number of each value, by the value."""

    def __init__(self) -> None:
        super().__init__()
        self.codes = array("i")

    def __missing__(self, value: Hashable) -> int:
        code = self[value] = len(self)
        return code

    def extend(self, values: Iterable[Hashable]) -> None:
        self.codes.extend(map(self.__getitem__, values))

    def arrays(self, path: str, values: Iterable[object], order: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
        yield f"{path}/codes", np.array(self.codes, np.int32)[order]
        yield f"{path}/values", packed(list(values))


class Events:
    """The events of one type, as they arrive."""

    def __init__(self, event: EventName) -> None:
        self.customer, self.place, self.at = array("i"), array("q"), array("q")
        self.newest: Millis = 0
        self.columns = {name: _Column() for name in _FIELDS[event]}
        self._category = CATEGORY.get(event)
        self._read = {name: attrgetter(*fields) for name, fields in _FIELDS[event].items() if name != self._category}
        self._waiting: list[tuple[int, int, Millis, str | None, Data]] = []

    def add(self, customer: int, place: int, at: Millis, category: str | None, data: Data) -> None:
        """Take one event: whose it is, its place in the log, when it happened, and what it says."""
        self._waiting.append((customer, place, at, category, data))
        if len(self._waiting) == _MANY:
            self.code()

    def code(self) -> None:
        """Put what waits into the columns."""
        if not self._waiting:
            return
        customer, place, at, categories, datas = zip(*self._waiting, strict=True)
        self.customer.extend(customer)
        self.place.extend(place)
        self.at.extend(at)
        self.newest = max(self.newest, *at)
        for name, read in self._read.items():
            self.columns[name].extend(map(read, datas))
        if self._category is not None:
            self.columns[self._category].extend(categories)
        self._waiting.clear()

    def arrays(self, path: str, row: NDArray[Any], kept: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Give the columns of those events that are kept, in the order of their rows."""
        sorting = np.argsort(row)
        order = kept[sorting]
        yield f"{path}/row", row[sorting]
        yield f"{path}/customer", np.array(self.customer, np.int32)[order]
        yield f"{path}/at", np.array(self.at, np.int64)[order]
        for name, column in self.columns.items():
            yield from column.arrays(f"{path}/{name}", column, order)


class Gathered:
    """What was told so far; whoever reads a log adds to it."""

    def __init__(self) -> None:
        self.tables: dict[str, Events] = {str(event): Events(event) for event in RECORDS}
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._profiles: list[tuple[int, int, Millis, _Known]] = []
        self._gone: dict[int, Millis] = {}

    def number(self, customer: str) -> int:
        """Give the number of a customer who did something."""
        number = self._numbers.get(customer)
        if number is None:
            number = self._numbers[customer] = len(self._keys)
            self._keys.append(customer)
        return number

    def forget(self, customer: str) -> None:
        """Forget a customer; who comes back is another one."""
        number = self._numbers.pop(customer, None)
        if number is not None:
            for table in self.tables.values():
                table.code()
            self._gone[number] = max(table.newest for table in self.tables.values())

    def take(self, event: Event, place: int) -> None:
        """Take an event, and its place in the log; what comes back is looked at by no rule."""
        # Asked by the type's name: whether something is one of the models is a slow question where the answer is no.
        table = self.tables.get(event.type)
        if table is not None:
            table.add(self.number(event.customer), place, event.at, event.category, event.data)
        elif event.type == "customer":
            profile = cast(Profile, event.data)
            self._profiles.append((self.number(event.customer), place, event.at, _Known(profile.attrs, profile.tags)))

    def arrays(self, twice: _Flags) -> Arrays:
        """Give the columns.

        Parameters
        ----------
        twice
            By the place in the log, what came twice and is left out; nothing is where it is empty.

        """
        tables = list(self.tables.values())
        for table in tables:
            table.code()
        kept = [_kept(np.array(table.place, np.int64), twice) for table in tables]
        found: dict[str, NDArray[Any]] = {}
        for (name, table), row, chosen in zip(self.tables.items(), _rows(tables, kept), kept, strict=True):
            found.update(table.arrays(name, row, chosen))
        profiles = self._newest(twice)
        attrs, tags = _attributes(profiles, len(self._keys), found), _tags(profiles, found)
        times = np.concatenate([found[f"{name}/at"] for name in self.tables])
        found["gone"] = np.full(len(self._keys), np.iinfo(np.int64).max)
        found["gone"][list(self._gone)] = list(self._gone.values())
        found["keys"] = packed(self._keys)
        found["meta"] = packed(
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

    def _newest(self, twice: _Flags) -> dict[int, _Known]:
        """Give the profiles as they hold at the end: the newest word of the bank wins, not the last to arrive."""
        since: dict[int, Millis] = {}
        found: dict[int, _Known] = {}
        for customer, place, at, profile in self._profiles:
            if at >= since.get(customer, 0) and not (len(twice) and twice[place]):
                since[customer], found[customer] = at, profile
        return found


def _fields(event: EventName) -> Mapping[str, tuple[str, ...]]:
    """Give the columns of a type, each with the fields whose values stand in it."""
    known = RECORDS[event].model_fields
    found = {name: (name,) for name in known if name not in ("lat", "lon", "amount")}
    special = {PLACE: ("lat", "lon"), "amount": ("amount", "currency")}
    return {**found, **{name: fields for name, fields in special.items() if fields[0] in known}}


_FIELDS: Final = {event: _fields(event) for event in RECORDS}


def _kept(place: NDArray[np.int64], twice: _Flags) -> NDArray[np.int64]:
    return np.flatnonzero(~twice[place]) if len(twice) else np.arange(len(place))


def _rows(tables: list[Events], kept: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Give each event its place by customer, time and arrival among those of all types."""

    def whole(of: Any) -> NDArray[np.int64]:
        return np.concatenate(
            [np.array(of(table), np.int64)[chosen] for table, chosen in zip(tables, kept, strict=True)]
        )

    customer, at, place = (whole(attrgetter(name)) for name in ("customer", "at", "place"))
    row = np.empty(len(at), np.int64)
    row[np.lexsort((place, at, customer))] = np.arange(len(at))
    return np.split(row, np.cumsum([len(chosen) for chosen in kept])[:-1])


def _attributes(profiles: dict[int, _Known], customers: int, found: dict[str, NDArray[Any]]) -> list[str]:
    names = sorted({name for profile in profiles.values() for name in profile.attrs})
    everybody = np.arange(customers)
    known = [profiles.get(customer) for customer in range(customers)]
    for number, name in enumerate(names):
        column, told = _Column(), [None if one is None else one.attrs.get(name) for one in known]
        # One and true are equal in Python, and not in a rule.
        column.extend((type(value), value) for value in told)
        values = (value for _, value in cast(Iterable[tuple[type, object]], column))
        found.update(column.arrays(f"attr/{number}", values, everybody))
    return names


def _tags(profiles: dict[int, _Known], found: dict[str, NDArray[Any]]) -> list[str]:
    who: dict[str, list[int]] = {}
    for customer, profile in sorted(profiles.items(), key=lambda one: one[0]):
        for tag in profile.tags:
            who.setdefault(tag, []).append(customer)
    names = sorted(who)
    found["tags/customers"] = np.array([one for name in names for one in who[name]], np.int32)
    found["tags/ends"] = np.cumsum([0, *(len(who[name]) for name in names)])
    return names
