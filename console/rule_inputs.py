"""What the tools around rules work on: logs, books and times, from files or from Kafka."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from console.column_store import columns_beside
from console.in_force import in_catalogue
from console.output import settings
from console.publishing import Refused
from console.recorded import recorded
from console.rule_files import read_rules
from kairos.apps import Apps, AppsFile
from kairos.instants import Millis, from_rfc3339
from kairos.ports import Record
from rules.book import Book
from rules.columns import Columns
from rules.lives import Happening
from streams.topic_reader import read_topic
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS
from streams.versions import KINDS, Versions

__all__ = ["Again", "apps_of", "book_of", "columns_of_log", "in_force", "instant_of", "topic_records"]

Again = Callable[[], Iterable[Happening]]
"""Reads a log once more from its beginning."""


def apps_of(path: Path) -> Apps:
    """Read the catalogue of apps."""
    return Apps.of(AppsFile.model_validate_json(path.read_bytes()))


def columns_of_log(log: Path, apps: Path) -> tuple[Columns, Again]:
    """Give a log in columns, and how it is read event by event where these are not enough."""
    known = apps_of(apps)

    def again() -> Iterator[Happening]:
        with recorded(log, known, "replaying") as found:
            yield from found

    return columns_beside(log, apps.read_bytes(), lambda: recorded(log, known, "reading the log")), again


def book_of(name: str) -> Book:
    """Give the book of a file or folder, of the beginning of a hash in the catalogue, or the `current` one.

    Raises
    ------
    Refused
        The files have problems, or there is no such book.

    """
    if Path(name).exists():
        return read_rules(Path(name)).book
    known = in_catalogue()
    if name == "current":
        found = [content for content in [known.current("rules")] if content is not None]
    else:
        found = [content for hash_, content in known.contents.items() if hash_.startswith(name)]
    if len(found) != 1:
        raise Refused([f"{name} is neither a file nor a folder, and {len(found)} books in the catalogue are called so"])
    return Book.of_content(found[0])


def in_force() -> Versions:
    """Give what is in force, as the catalogue has it."""
    known, versions = in_catalogue(), Versions()
    for kind in KINDS:
        content = known.current(kind)
        versions = versions if content is None else versions.having(kind, content)
    return versions


def topic_records(customer: str) -> list[Record]:
    """Read a customer's records from Kafka, in the order in which they arrived."""
    client, found = settings().cluster.for_aiokafka(), []
    for topic in (CUSTOMERS, FEEDBACK, APP_USAGE, TRANSACTIONS):
        for rows in asyncio.run(read_topic(client, topic)).values():
            found += [row for row in rows if row.key == customer.encode()]
    return sorted(found, key=lambda record: record.at)


def instant_of(text: str, zone: str) -> Millis:
    """Read a local time of a zone, or RFC 3339.

    Raises
    ------
    ValueError
        It is neither.

    Examples
    --------
    >>> instant_of("2026-12-01 12:00", "Asia/Shanghai") == instant_of("2026-12-01T04:00:00Z", "Asia/Shanghai")
    True

    """
    try:
        naive = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{text!r} is no time; write it as "2026-12-01 12:05" or 2026-12-01T12:05:00+08:00') from None
    if naive.tzinfo is not None:
        return from_rfc3339(text)
    return round(naive.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
