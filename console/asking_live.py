"""Asking why of what happened live: one customer's event, with the state as the event found it, or as it is now."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from console.asking import NoEvent, explanations
from console.decisions_found import Found, decisions_of
from console.publishing import Known
from kairos.events import Event
from kairos.instants import DAY, Millis
from kairos.ports import Batch, Record
from kairos.wire import BadRecord, read
from rules.explain import Explanation
from streams.carried import CARRIES, TOPIC_OF
from streams.customers import desk_at
from streams.keys import decompose
from streams.memory_store import MemoryStore
from streams.played import CutOff, given, outputs_of, played
from streams.stages import STAGES
from streams.store import META, restored
from streams.topic_reader import Tell, read_piecewise
from streams.topics import APP_USAGE, TRANSACTIONS
from streams.versions import Versions
from streams.work import Work

__all__ = ["Asked", "LiveAnswer", "asked_live", "in_force"]

Client = Mapping[str, object]
_CUSTOMERS = STAGES["customers"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the live house.

    Parameters
    ----------
    customer, at
        Whose event, and when: the newest one that is not later.
    days
        How far back events and decisions are looked for.
    rule
        The only rule that is asked about, and then only what triggers it.
    only_live
        Whether the state is to be the live one, and nothing is played again.

    """

    customer: str
    at: Millis
    days: int
    rule: str | None = None
    only_live: bool = False

    @property
    def since(self) -> Millis:
        """From when on is read."""
        return max(0, self.at - self.days * DAY)


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """What became of the rules at an event.

    Parameters
    ----------
    event
        Which event.
    explanations
        Those that fired first, then the nearest misses.
    decision
        What was decided then, if anything matched.
    commits
        How many commits were played again to come to the very moment; 0 where the state is the live one.
    state_of
        The moment of the state.
    cut
        Why nothing could be played again, if so.

    """

    event: Event
    explanations: tuple[Explanation, ...]
    decision: Found | None
    commits: int
    state_of: Millis
    cut: CutOff | None = None


def in_force(known: Known) -> Versions:
    """Give what is in force, stops and models included; what cannot be read is left out, as workers leave it."""
    versions = Versions()
    for kind, pointer in sorted(known.pointers.items()):
        try:
            versions = versions.having(kind, known.contents.get(pointer.hash, b""))
        except ValueError:
            continue
    return versions


async def asked_live(client: Client, known: Known, versions: Versions, asked: Asked, tell: Tell) -> LiveAnswer:
    """Explain an event of a customer from the topics.

    Parameters
    ----------
    client
        Servers and security.
    known, versions
        The catalogue, and what of it is in force.
    asked
        What is asked.
    tell
        Whom to tell how far it is.

    Raises
    ------
    NoEvent
        There is no such event.

    """
    # Side by side: each of them waits for Kafka most of its time.
    (event, record), decisions = await asyncio.gather(
        _event(client, versions, asked, tell), decisions_of(client, asked.customer, asked.since)
    )
    made = next((one for one in decisions if one.decision.event.id == event.id), None)
    cut: CutOff | None = None
    if not asked.only_live:
        try:
            return await _then(client, known, asked, (event, record), made, tell)
        except CutOff as error:
            cut = error
    work, state_of = await _now(client, versions, asked, record, tell)
    found = explanations(work, event, asked.rule, work.since(event.at))
    return LiveAnswer(event, found, made, 0, state_of, cut)


async def _event(client: Client, versions: Versions, asked: Asked, tell: Tell) -> tuple[Event, Record]:
    """Look for the event that is asked about; of one that came twice the first is meant, for it was taken."""
    wanted = None if asked.rule is None else versions.book.rules[asked.rule].on.event
    topics = [APP_USAGE, TRANSACTIONS] if wanted is None else [TOPIC_OF[wanted]]
    found: dict[str, tuple[Event, Record]] = {}
    for told in await asyncio.gather(*(_events(client, topic, versions, asked, tell) for topic in topics)):
        for event, row in told:
            if wanted in (None, event.type):
                found.setdefault(event.id, (event, row))
    before = [one for one in found.values() if one[0].at <= asked.at]
    if not before:
        raise NoEvent(sorted(event.at for event, _ in found.values())[:3])
    return max(before, key=lambda one: (one[0].at, one[1].topic, one[1].offset))


async def _events(
    client: Client, topic: str, versions: Versions, asked: Asked, tell: Tell
) -> list[tuple[Event, Record]]:
    found: list[tuple[Event, Record]] = []
    async with aclosing(read_piecewise(client, topic, asked.since, tell, asked.customer)) as pieces:
        async for _, rows in pieces:
            found += _own(rows, asked.customer, versions)
    return found


def _own(rows: Sequence[Record], customer: str, versions: Versions) -> list[tuple[Event, Record]]:
    found: list[tuple[Event, Record]] = []
    for row in rows:
        if row.key == customer.encode():
            try:
                event = read(row, row.at, versions.apps)
            except BadRecord:
                continue
            if event.type in CARRIES[row.topic]:
                found.append((event, row))
    return found


async def _then(
    client: Client, known: Known, asked: Asked, about: tuple[Event, Record], made: Found | None, tell: Tell
) -> LiveAnswer:
    """Play the customer's partition again up to the event, and ask the state as the event found it."""
    event, record = about
    store, commits = MemoryStore(), 0
    async with aclosing(played(client, _CUSTOMERS, record.partition, known.contents, tell)) as moments:
        async for batch, entry in moments:
            if batch.again is None and any((r.topic, r.offset) == (record.topic, record.offset) for r in batch.records):
                work = desk_at(store, given(batch, entry), record)
                work.versions.book.observe(event, work.customer(event.customer))
                found = explanations(work, event, asked.rule, work.since(event.at))
                return LiveAnswer(event, found, made, commits + 1, batch.now)
            outputs_of(_CUSTOMERS, store, batch, entry)
            commits += 1
    raise CutOff("not taken")


async def _now(client: Client, versions: Versions, asked: Asked, record: Record, tell: Tell) -> tuple[Work, Millis]:
    """Read the live state of the customer from the changelog: what the last commit left, beside a running worker."""
    newest: dict[bytes, bytes | None] = {}
    meta: bytes | None = None
    async with aclosing(read_piecewise(client, _CUSTOMERS.changelog, tell=tell, only=asked.customer)) as pieces:
        async for _, rows in pieces:
            for row in rows:
                if row.key == META:
                    meta = row.value
                elif row.key is not None and decompose(row.key)[0] in (asked.customer.encode(), b""):
                    newest[row.key] = row.value
    store = MemoryStore()
    for name, value in newest.items():
        if value is not None:
            store.put(*decompose(name), value)
    # What is asked is what the event would have met: hours and caps at the time at which it came.
    batch = Batch(record.partition, 1, (), record.at, versions)
    return Work.on(store, batch), restored(meta).now
