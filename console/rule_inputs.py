"""What the tools around rules work on: logs, books and times, from files or from Kafka."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from console.column_store import columns_beside
from console.in_force import in_catalogue
from console.output import fail, said, settings
from console.publishing import Refused, catalogue
from console.recorded import recorded
from console.rule_files import read_rules
from kairos.apps import Apps
from kairos.instants import Millis
from kairos.ports import Record
from rules.book import Book
from rules.columns import Columns
from rules.known import load_apps
from rules.lives import Happening
from rules.saying import Language
from rules.spelled import in_our_days
from streams.event_log import BrokenLog
from streams.settings import NoServers
from streams.topic_reader import read_topic
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, TRANSACTIONS
from streams.versions import KINDS, Versions

__all__ = ["Again", "apps_of", "book_of", "columns_of_log", "files_told", "in_force", "instant_of", "topic_records"]

Again = Callable[[], Iterable[Happening]]
"""Reads a log once more from its beginning."""


@contextmanager
def files_told() -> Iterator[None]:
    """Turn what is wrong with files, books and times that people named into sentences; they end the command."""
    try:
        with said():
            yield
    except Refused as refused:
        fail("\n".join(refused.problems))
    except (BrokenLog, ValueError) as error:
        fail(str(error))


def apps_of(path: Path) -> Apps:
    """Read the catalogue of apps.

    Raises
    ------
    Refused
        It is none.

    """
    file, problems = load_apps(path.read_bytes(), str(path))
    if file is None:
        raise Refused(problems)
    return Apps.of(file)


def columns_of_log(log: Path, apps: Path) -> tuple[Columns, Again]:
    """Give a log in columns, and how it is read event by event where these are not enough.

    Raises
    ------
    ValueError
        There is no event in the log.

    """
    known = apps_of(apps)

    def again() -> Iterator[Happening]:
        with recorded(log, known, "replaying") as found:
            yield from found

    columns = columns_beside(log, apps.read_bytes(), lambda: recorded(log, known, "reading the log"))
    if not columns.events:
        raise ValueError(f"{log}: there is no event in this log, so nothing can be asked of it")
    return columns, again


def book_of(name: str) -> Book:
    """Give the book of a file or folder, of the beginning of a hash in the catalogue, or the `current` one.

    Raises
    ------
    Refused
        The files have problems, or there is no such book.

    """
    if Path(name).exists():
        return read_rules(Path(name)).book
    try:
        known = asyncio.run(catalogue(settings().cluster.for_aiokafka()))
    except NoServers as error:
        raise Refused([f"{name} is neither a file nor a folder; for books in the catalogue {error}"]) from None
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


_NO_TIME: Final[Mapping[Language, str]] = {
    "en": '{!r} is no time; write it as "2026-12-01 12:05" or 2026-12-01T12:05:00+08:00',
    "zh": '{!r}不是时间；请写成"2026-12-01 12:05"或2026-12-01T12:05:00+08:00',
}


def instant_of(text: str, zone: str, language: Language = "en") -> Millis:
    """Read a local time of a zone, or RFC 3339.

    Raises
    ------
    ValueError
        It is neither, or of a year that no calendar of ours reaches; the message is in the language.

    Examples
    --------
    >>> instant_of("2026-12-01 12:00", "Asia/Shanghai") == instant_of("2026-12-01T04:00:00Z", "Asia/Shanghai")
    True

    """
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=ZoneInfo(zone)) if found.tzinfo is None else found
        return in_our_days(round(found.timestamp() * 1000))
    except (ValueError, OverflowError):
        raise ValueError(_NO_TIME[language].format(text)) from None
