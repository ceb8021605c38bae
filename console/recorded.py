"""A recorded log as what happened: read at the same door as live, each event once, with a bar on the way."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from console.progress import bar
from console.replaying import through_the_door
from kairos.apps import Apps
from kairos.ports import Record
from kairos.recent import remember
from kairos.wire import BadRecord, customer_of, read
from rules.lives import Forgotten, Happening
from streams import event_log
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS

__all__ = ["happenings", "recorded"]

_TOPICS = {"transaction": TRANSACTIONS, "customer": CUSTOMERS, "feedback": FEEDBACK}
_EVERY = 2_000


@contextmanager
def recorded(log: Path, apps: Apps, doing: str) -> Iterator[Iterator[Happening]]:
    """Read a log, showing how far it is.

    Raises
    ------
    BrokenLog
        The file is no event log.

    """
    header, records = event_log.read(log)
    with bar(doing, sum(header.topics.values())) as tell:

        def counted() -> Iterator[Record]:
            for count, record in enumerate(records, 1):
                if count % _EVERY == 0:
                    tell(count)
                yield record

        yield happenings(through_the_door(counted()), apps)


def happenings(records: Iterable[Record], apps: Apps) -> Iterator[Happening]:
    """Give what the records tell; what the door refuses and what came twice is passed over, as it is live."""
    now = 0
    names: dict[str, bytes] = {}
    for record in records:
        now = max(now, record.at)
        try:
            if record.topic == CUSTOMERS and record.value is None:
                yield Forgotten(customer_of(record.key))
                continue
            event = read(record, now, apps)
        except BadRecord:
            continue
        if record.topic != _TOPICS.get(event.type, APP_USAGE):
            continue
        known = remember(names.get(event.customer, b""), event.id, now)
        if known is not None:
            names[event.customer] = known
            yield event
