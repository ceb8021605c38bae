"""Replay: the very functions that run live, over a file of events, in event time and without Kafka.

The virtual clock is the newest event's time. What one stage writes, the next reads at once, so the same file and the
same books give the same records, byte for byte. Nothing is sent and no reaction is invented: an offer whose receipts
are not in the file ends as `unknown`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from kairos.instants import Millis
from kairos.ports import LATENESS, Batch, Output, Record
from kairos.wire import AHEAD
from streams import customers, watermark
from streams.abreast import time_of
from streams.catalogue import CatalogueReader
from streams.deadlines import NEVER, Deadlines
from streams.memory_store import MemoryStore
from streams.stages import STAGES
from streams.topics import CATALOGUE
from streams.versions import Versions
from streams.watermark import IDLE, EventTime
from streams.work import TIMER

__all__ = ["Replay"]

_READERS = {topic: name for name, spec in STAGES.items() for topic in spec.inputs}


class Replay:
    """The three stages in memory, one partition each.

    Parameters
    ----------
    versions
        What is in force at the beginning; the learning stage moves its own part on.

    """

    def __init__(self, versions: Versions) -> None:
        self._catalogue = CatalogueReader()
        self._catalogue.versions = versions
        self.stores = {name: MemoryStore() for name in STAGES}
        self._offsets: dict[str, int] = {}
        self.now: Millis = 0

    def run(self, events: Iterable[Record], progress: Callable[[int], None] | None = None) -> Iterator[Output]:
        """Take events in the order of the file; give every record that any stage writes."""
        for count, event in enumerate(events, 1):
            yield from self.take(event)
            if progress is not None and count % 1000 == 0:
                progress(count)
        yield from self.rest()

    def take(self, event: Record) -> Iterator[Output]:
        """Take one event; give every record that follows from the time up to it, and from itself."""
        told = time_of(event.headers) or 0
        # An event that tells no time, or one long after its arrival, moves nothing; the door will say what is wrong.
        at = self.now if event.at and told > event.at + AHEAD else max(self.now, told)
        yield from self._wait(at)
        self.now = at
        yield from self._settle(event)

    def pass_over(self, at: Millis, heard: Mapping[str, Millis]) -> Iterator[Output]:
        """Let an event go by that leads to nothing for its customer; give every record that follows from the time.

        Parameters
        ----------
        at
            What the clock says after it.
        heard
            When it happened, by its topic; nothing where the door refuses it.

        """
        yield from self._wait(at)
        self.now = at
        spec = STAGES["customers"]
        batch = Batch(0, 1, (), at, self._catalogue.versions, spec.timed)
        yield from self._follow(customers.pass_over(self.stores[spec.name], batch, heard))

    def jump(self, at: Millis, time: EventTime) -> None:
        """Go on at a later moment, up to which nothing was due; event time is told as it stands there."""
        self.now = at
        store = self.stores["customers"]
        watermark.keep(store, msgspec.structs.replace(time, mark=max(time.mark, watermark.kept(store).mark)))

    @property
    def mark(self) -> Millis:
        """Up to which instant of event time everything was heard."""
        return watermark.kept(self.stores["customers"]).mark

    def number(self, topic: str, offset: int) -> None:
        """Say which offset the next record of a topic has."""
        self._offsets[topic] = offset

    def first_due(self) -> tuple[Millis, Millis]:
        """Give when the first timer is due, and the first deadline of event time; `NEVER` where there is none."""
        store = self.stores["customers"]
        return _first_timer(store), Deadlines(store).first

    def rest(self) -> Iterator[Output]:
        """Let time pass until no timer is left that could end a decision or label an offer."""
        while (due := self._next_timer()) is not None:
            yield from self._wait(due)
            self.now = max(self.now, due)
            yield from self._tick()

    def _wait(self, until: Millis) -> Iterator[Output]:
        """Let time pass up to an event, and stop where quiet hours end for what waits for that."""
        while (at := self._first_deferred(until)) is not None:
            yield from self._wait_for_absences(at)
            self.now = max(self.now, at)
            yield from self._tick()
        yield from self._wait_for_absences(until)

    def _first_deferred(self, until: Millis) -> Millis | None:
        store = self.stores["customers"]
        if _first_timer(store) > until:
            return None
        for name, _ in store.scan(b"", TIMER):
            at = int.from_bytes(name[:8])
            if at > until:
                break
            if name[8:9] == b"d":
                return at
        return None

    def _wait_for_absences(self, until: Millis) -> Iterator[Output]:
        """Let time pass, and stop where an absence is due: it is decided at its own hour.

        Event time is behind the clock by the lateness that is borne, and by half a minute more after a busy moment.
        """
        while (due := Deadlines(self.stores["customers"]).first) + LATENESS < until:
            for at in (due + LATENESS, due + LATENESS + IDLE):
                if at < until and Deadlines(self.stores["customers"]).first == due:
                    self.now = max(self.now, at)
                    yield from self._tick()
            if Deadlines(self.stores["customers"]).first == due:
                return

    def _settle(self, event: Record) -> Iterator[Output]:
        waiting = deque([event])
        while waiting:
            record = waiting.popleft()
            for output in self._step(_READERS[record.topic], [self._numbered(record)]):
                yield output
                self._pass_on(output, waiting)

    def _tick(self) -> Iterator[Output]:
        for name in STAGES:
            yield from self._follow(self._step(name, []))

    def _follow(self, outputs: Iterable[Output]) -> Iterator[Output]:
        waiting = deque[Record]()
        for output in outputs:
            yield output
            self._pass_on(output, waiting)
        for record in waiting:
            yield from self._settle(record)

    def _next_timer(self) -> Millis | None:
        # The timers' names begin with their time; `forget` comes weeks later and writes nothing.
        timers = (name for name, _ in self.stores["customers"].scan(b"", TIMER) if name[8:9] != b"f")
        first = int.from_bytes(next(timers, b"")[:8])
        deadline = Deadlines(self.stores["customers"]).first
        if deadline == NEVER:
            return first or None
        return min(first or NEVER, max(self.now, deadline) + LATENESS + IDLE)

    def _step(self, stage: str, records: list[Record]) -> list[Output]:
        spec = STAGES[stage]
        batch = Batch(0, 1, records, self.now, self._catalogue.versions, spec.timed)
        return spec.step(self.stores[stage], batch)

    def _pass_on(self, output: Output, waiting: deque[Record]) -> None:
        record = Record(output.topic, 0, 0, output.key, output.value, output.headers, self.now)
        if output.topic == CATALOGUE:
            self._catalogue.take(record)
        elif output.topic in _READERS:
            waiting.append(record)

    def _numbered(self, record: Record) -> Record:
        offset = self._offsets.get(record.topic, 0)
        self._offsets[record.topic] = offset + 1
        return Record(record.topic, 0, offset, record.key, record.value, record.headers, record.at)


def _first_timer(store: MemoryStore) -> Millis:
    # The timers' names begin with their time.
    name = store.first(b"", TIMER)
    return NEVER if name is None else int.from_bytes(name[:8])
