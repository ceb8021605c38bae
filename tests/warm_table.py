"""A partition on the table whose topics are kept, so that what it took can be read again in portions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from kairos.events import AppUsage, Login, Transaction
from kairos.instants import DAY
from kairos.ports import Again, Batch, Record
from kairos.wire import headers, json_of, type_of
from rules.book import Book
from streams import customers, warming
from streams.carried import TOPIC_OF
from streams.memories import remembered
from streams.topics import APP_USAGE, TRANSACTIONS
from streams.versions import Versions
from tests.customer_table import NOON, Table
from tests.rules_strategies import book_of, event_of
from tests.test_rules_match import rule

NOTHING = book_of(rule(id="nothing", on={"event": "page_view"}))
"""A book that looks back on nothing."""
Told = AppUsage | Transaction | Login


def at_work(book: Book) -> Versions:
    return Versions().having("rules", book.content)


@dataclass
class WarmTable(Table):
    """Takes events as they arrive, and reads them again when it is told to."""

    kept: dict[str, list[Record]] = field(default_factory=lambda: {APP_USAGE: [], TRANSACTIONS: []})

    def under(self, book: Book) -> None:
        self.versions = at_work(book)

    def arrives(self, data: Told, at: int, name: str, customer: str = "c1") -> Record:
        """Let Kafka take in an event that happened at some time; a name that came before is a duplicate."""
        event = event_of(data, at)
        topic = TOPIC_OF[event.type]
        self.now = max(self.now, at)
        head = headers(type_of(event.type), name, at, "/test")
        value = json_of(event.type, data)
        record = Record(topic, 0, len(self.kept[topic]), customer.encode(), value, head, self.now)
        self.kept[topic].append(record)
        return record

    def arrives_again(self, record: Record) -> Record:
        """Let Kafka take in once more what it has."""
        rows = self.kept[record.topic]
        rows.append(structs.replace(record, offset=len(rows), at=self.now))
        return rows[-1]

    @property
    def live(self) -> dict[str, int]:
        """Where the live work stands: the tests take everything that arrived."""
        return {topic: len(rows) for topic, rows in self.kept.items()}

    def portion(self, most: int, oldest: int = 0) -> bool:
        """Read the next portion again, in the order of arrival; gives whether there was anything to do."""
        wanted = warming.again(self.store)
        if wanted is None:
            return False
        starts = {topic: oldest if place is None else max(oldest, place) for topic, place in wanted.items()}
        left = [row for topic, start in starts.items() for row in self.kept[topic][start:]]
        taken = sorted(left, key=lambda row: row.at)[:most]
        ends = {topic: start + sum(row.topic == topic for row in taken) for topic, start in starts.items()}
        ranges = {topic: (starts[topic], end) for topic, end in ends.items() if end > starts[topic]}
        taken.sort(key=lambda row: (row.topic, row.offset))
        reached = bool(wanted) and all(end >= self.live[topic] for topic, end in ends.items())
        again = Again(ranges, reached)
        assert customers.step(self.store, Batch(0, 1, taken, self.now, self.versions, again=again)) == []
        return True

    def warm_up(self, most: int = 3, oldest: int = 0) -> None:
        """Tell the partition of its book, as a tick does, and read until nothing is wanted any more."""
        self.hear()
        while self.portion(most, oldest):
            pass

    def memory(self, names: Iterable[str], customer: str = "c1") -> dict[str, bytes]:
        """Give what is remembered of a customer, of some features."""
        found = self.customer(customer).remembered
        return {name: found[name] for name in names if found.get(name)}

    def since(self) -> dict[str, int]:
        return dict(remembered(self.store, self.versions.book, NOON))


PAID = Transaction(amount=30, currency="CNY", direction="debit")


def replays(when: dict[str, Any], **more: Any) -> Book:
    return book_of(rule(**{"on": {"event": "transaction"}, "when": when, "warm": "replay", **more}))


def logins(at_least: int, within: str = "60d") -> dict[str, Any]:
    return {"count": {"event": "login", "within": within, "at_least": at_least}}


PAYING: dict[str, Any] = {"count": {"event": "transaction", "within": "60d", "at_least": 1}}
NEVER: dict[str, Any] = {"last_seen": {"event": "login", "at_least": "3d"}}


def past(*logged_in: int, book: Book = NOTHING) -> WarmTable:
    """Give a partition that took a payment and then logins, on days counted from the first one, under a book."""
    table = WarmTable()
    table.under(book)
    table.hear(table.arrives(PAID, NOON, "first"), table.arrives(Login(), NOON, "login", "c2"))
    for day in logged_in:
        table.hear(table.arrives(Login(), NOON + day * DAY, f"login {day}"))
    return table


def fires(table: WarmTable, day: int, customer: str = "c1") -> bool:
    return bool(table.hear(table.arrives(PAID, NOON + day * DAY, f"pays {day}", customer)).decisions)
