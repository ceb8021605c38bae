"""Laws of the recounts: ranges that tile, caps that hold, the book that was in force. By dicts and json alone."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tests.recount import Json, Row

PREFIX = "kairos."
NEVER = 2**62


class Entry(NamedTuple):
    """One commit of a stage, as the journal has it."""

    partition: int
    ranges: dict[str, tuple[int, int]]
    records: int
    now: int
    versions: dict[str, str]


def entry_of(row: Row) -> Entry:
    """Read one record of a journal."""
    found = row.json
    ranges = {topic: (start, end) for topic, (start, end) in found["ranges"].items()}
    return Entry(row.partition, ranges, found.get("records", 0), found["now"], found["versions"])


class Books:
    """Which rule book was in force for a record: the one that its commit names."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._ends = defaultdict[tuple[str, int], list[int]](list)
        self._books = defaultdict[tuple[str, int], list[str]](list)
        for entry in entries:
            for topic, (_, end) in entry.ranges.items():
                self._ends[topic, entry.partition].append(end)
                self._books[topic, entry.partition].append(entry.versions["rules"])

    def of(self, row: Row) -> str:
        """Give its content hash."""
        place = row.topic, row.partition
        return self._books[place][bisect_right(self._ends[place], row.offset)]


def name(topic: str) -> str:
    """Give a topic's whole name."""
    return f"{PREFIX}{topic}.v1"


def check_tiles(topic: str, entries: Sequence[Entry], rows: Iterable[Row]) -> None:
    """Let the ranges of a topic's commits lie end to end from the first record to the last, in every partition."""
    reached = defaultdict[int, int](int)
    for entry in entries:
        if found := entry.ranges.get(name(topic)):
            start, end = found
            assert start == reached[entry.partition], (
                f"{topic}/{entry.partition}: {start} after {reached[entry.partition]}"
            )
            assert end > start, f"{topic}/{entry.partition}: nothing from {start} on"
            reached[entry.partition] = end
    left = [row for row in rows if row.offset >= reached[row.partition]]
    assert not left, f"{len(left)} records of {topic} were never taken, {text_of(left[0])} first"


class Contact(NamedTuple):
    """What a decision held for a customer and channel: from when, by milliseconds, until when, and what was allowed."""

    at: int
    until: int
    allowed: int
    has_won: bool


def check_caps(
    rows: Iterable[Json], caps: Mapping[str, Mapping[str, int]], within: int, channels: Mapping[str, str]
) -> int:
    """Count contacts of each customer and channel again; gives how many candidates a cap refused.

    A decision that became an offer, in either arm, holds a contact from its own second on, until it is known that
    nothing reached the customer; one that the ledger refused held it for a while.

    Parameters
    ----------
    rows
        Decisions, and the ends of decisions.
    caps, within
        How many contacts each policy allows by channel, in so many seconds.
    channels
        The one channel of each rule; a verdict that was refused names none.

    """
    made = list(rows)
    back = {row["id"]: instant(row["ended_at"]) for row in made if row.get("state") in ("failed", "expired")}
    held = defaultdict[tuple[str, str], list[Contact]](list)
    refused: list[tuple[str, str, int, int]] = []
    for row in made:
        if "verdicts" not in row:
            continue
        at, allowed = instant(row["decided_at"]), caps[row["versions"]["policy"]]
        for verdict in row["verdicts"]:
            channel = channels[verdict["rule"]]
            if verdict["verdict"] == "contact_cap":
                refused.append((row["customer"], channel, at, allowed[channel]))
            elif verdict["rank"] is not None:
                won = verdict["offer"] == row["offer"] and row["state"] in ("offered", "withheld")
                contact = Contact(at, back.get(row["id"], NEVER), allowed[channel], won)
                held[row["customer"], channel].append(contact)
    for (customer, channel), contacts in held.items():
        winners = [contact for contact in contacts if contact.has_won]
        for at in {contact.at for contact in winners}:
            most = max(contact.allowed for contact in winners if contact.at // 1000 == at // 1000)
            # What came later in the same second is asked about at its own moment: this one may be given back by then.
            before = [contact for contact in winners if contact.at <= at]
            count = sum(_counts(contact, at, within) and contact.until > at for contact in before)
            assert count <= most, f"{customer} has {count} by {channel} in {within} s, at most {most} were allowed"
    for customer, channel, at, most in refused:
        count = sum(_counts(contact, at, within) and contact.until >= at for contact in held[customer, channel])
        assert count >= most, (
            f"{customer} was refused {channel} after {count} in {within} s, though {most} were allowed"
        )
    return len(refused)


def _counts(contact: Contact, at: int, within: int) -> bool:
    """Whether it lies in the window of whole seconds that ends now."""
    return at // 1000 - within < contact.at // 1000 <= at // 1000


def expired_in_doubt(offers: Iterable[Json], feedback: Iterable[Row]) -> set[str]:
    """Give the offers with which a delivery was killed, and which had expired when the next one would have asked."""
    expires = {offer["id"]: instant(offer["expires_at"]) for offer in offers}
    return {
        row.json["offer"]
        for row in feedback
        if row.json["what"] == "unknown"
        and row.json["reason"] == "expired"
        and row.headers["ce_source"].startswith("/kairos/delivery/")
        and row.at >= expires[row.json["offer"]]
    }


def instant(text: str) -> int:
    """Read a time, in milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def text_of(row: Row) -> str:
    """Name the place of a record."""
    return f"{row.topic} {row.partition} {row.offset}"
