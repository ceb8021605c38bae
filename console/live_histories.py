"""Histories: in which order, and when, some customers' events were taken, in a live run and in a backtest."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from console.live_fates import Fates
from console.live_records import EVENTS, LiveRecords
from kairos.ids import event_id
from kairos.instants import Millis
from kairos.ports import Record
from kairos.wire import AHEAD, bare_type
from streams import journal
from streams.abreast import time_of
from streams.topics import CUSTOMERS, CUSTOMERS_JOURNAL

__all__ = ["History", "Seen", "of_live", "of_log"]


class Seen(NamedTuple):
    """One event that was taken: its name, its type, when it happened, at which time it was taken, and under what."""

    id: str
    type: str
    at: Millis
    now: Millis
    versions: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The events of some customers in the order in which they were taken, each once.

    Parameters
    ----------
    events
        By customer.
    is_whole
        Whether all their events are in it. Where a live run left only decisions, those on which nothing was decided
        are not.

    """

    events: dict[str, list[Seen]] = field(default_factory=dict)
    is_whole: bool = True

    def before(self, customer: str, event: str) -> list[Seen] | None:
        """Give what was taken up to an event, and the event itself; None where it was not taken."""
        found = self.events.get(customer, [])
        place = next((number for number, seen in enumerate(found) if seen.id == event), None)
        return None if place is None else found[: place + 1]


def of_log(records: Iterable[Record], customers: Collection[str]) -> History:
    """Give the history in a backtest: the order of the log, under the clock of the newest event."""
    now: Millis = 0
    found = defaultdict[str, list[Seen]](list)
    for record in records:
        told = time_of(record.headers) or 0
        if told <= record.at + AHEAD:
            now = max(now, told)
        customer = (record.key or b"").decode(errors="replace")
        if customer in customers:
            found[customer].append(_seen(record, now))
    return History({customer: _once(events) for customer, events in found.items()})


def of_live(live: LiveRecords, fates: Fates, customers: Collection[str]) -> History:
    """Give the history in a live run: by its journal where that is there, else by its decisions alone."""
    commits = _Commits()
    live.each((CUSTOMERS_JOURNAL,), commits.take)
    if not commits:
        return _by_decisions(fates, customers)
    found = defaultdict[str, list[tuple[tuple[int, Millis, int, int], Seen]]](list)

    def take(record: Record) -> None:
        customer = (record.key or b"").decode(errors="replace")
        if customer in customers and (commit := commits.of(record)) is not None:
            number, entry = commit
            seen = _seen(record, entry.now)._replace(versions=entry.versions)
            # As the step does it: commit by commit, in each by time, and what happened together by topic and offset.
            found[customer].append(((number, seen.at, EVENTS.index(record.topic), record.offset), seen))

    live.each(EVENTS, take)
    return History({customer: _once(seen for _, seen in sorted(rows)) for customer, rows in found.items()})


def _by_decisions(fates: Fates, customers: Collection[str]) -> History:
    found = defaultdict[str, list[Seen]](list)
    told = ((key[0], fate) for key, fate in fates.found.items() if key[0] in customers and not fate.waited)
    for customer, fate in sorted(told, key=lambda one: one[1].at):
        found[customer].append(Seen(fate.event, "", fate.event_at, fate.at, fate.versions))
    return History({customer: _once(events) for customer, events in found.items()}, is_whole=False)


class _Commits:
    """A journal, asked which commit took a record."""

    def __init__(self) -> None:
        self._entries = defaultdict[int, list[journal.Entry]](list)
        self._starts = defaultdict[tuple[str, int], list[int]](list)
        self._numbers = defaultdict[tuple[str, int], list[int]](list)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def take(self, record: Record) -> None:
        """Hear one entry."""
        entry = journal.read(record.value or b"")
        for topic, (start, _) in entry.ranges.items():
            self._starts[topic, record.partition].append(start)
            self._numbers[topic, record.partition].append(len(self._entries[record.partition]))
        self._entries[record.partition].append(entry)

    def of(self, record: Record) -> tuple[int, journal.Entry] | None:
        """Give the commit's number and what the journal says of it; None where no commit took the record."""
        place = bisect_right(self._starts[record.topic, record.partition], record.offset) - 1
        if place < 0:
            return None
        number = self._numbers[record.topic, record.partition][place]
        entry = self._entries[record.partition][number]
        return (number, entry) if record.offset < entry.ranges[record.topic][1] else None


def _seen(record: Record, now: Millis) -> Seen:
    if record.value is None and record.topic == CUSTOMERS:
        return Seen("forgotten", "forgotten", 0, now)
    said = {name: value.decode(errors="replace") for name, value in record.headers}
    name = event_id(said.get("ce_source", ""), said.get("ce_id", ""))
    return Seen(name, bare_type(said.get("ce_type", "")), time_of(record.headers) or 0, now)


def _once(events: Iterable[Seen]) -> list[Seen]:
    found: dict[str, Seen] = {}
    for seen in events:
        found.setdefault(seen.id, seen)
    return list(found.values())
