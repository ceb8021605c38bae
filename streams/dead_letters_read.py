"""Looking for dead letters: one reading of their topic tells which there are, and which were replayed."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from pydantic import ValidationError

from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.ports import Record
from kairos.replayed import TYPE, Replayed
from streams.dead_letters import Kind, Letter, Place, read_letter
from streams.topic_reader import Tell, read_piecewise
from streams.topics import DEAD_LETTERS

__all__ = ["Found", "Wanted", "find", "key_hash"]


def key_hash(key: bytes | None) -> str:
    """Name a key without showing it: equal keys have equal names.

    Examples
    --------
    >>> key_hash(b"C000031"), key_hash(None)
    ('5a552b689290', '')

    """
    return content_hash(key)[:12] if key else ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are wanted; what is None says nothing.

    Parameters
    ----------
    place
        Where the letter lies, or where its record lay.
    topic, stage, code
        As in `Kind`.
    since, until
        When the letter was written: from `since` on, before `until`.
    key, hash
        The record's key, or the beginning of its `key_hash`.

    """

    place: Place | None = None
    topic: str | None = None
    stage: str | None = None
    code: str | None = None
    since: Millis | None = None
    until: Millis | None = None
    key: bytes | None = None
    hash: str | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is wanted."""
        kind, record = letter.kind, letter.record
        asked = ((self.topic, kind.topic), (self.stage, kind.stage), (self.code, kind.code), (self.key, record.key))
        return (
            all(wish is None or wish == has for wish, has in asked)
            and (self.place is None or self.place in (letter.place, letter.origin))
            and (self.since is None or self.since <= record.at)
            and (self.until is None or record.at < self.until)
            and (self.hash is None or key_hash(record.key).startswith(self.hash))
        )


@dataclass(slots=True)
class Found:
    """What a reading found.

    Parameters
    ----------
    newest
        The newest letters that are wanted, the youngest first, no more than were asked for.
    open
        The kinds of all wanted letters that were not replayed, by partition and offset.
    replayed
        How many wanted letters were replayed, by kind.

    """

    newest: list[Letter] = field(default_factory=list)
    open: dict[int, dict[int, Kind]] = field(default_factory=lambda: defaultdict(dict))
    replayed: Counter[Kind] = field(default_factory=Counter)

    def is_open(self, letter: Letter) -> bool:
        """Whether a letter was not replayed yet."""
        return letter.place.offset in self.open[letter.place.partition]

    @property
    def waiting(self) -> Counter[Kind]:
        """How many wanted letters were not replayed, by kind."""
        return Counter(kind for letters in self.open.values() for kind in letters.values())


async def find(client: Mapping[str, object], wanted: Wanted, most: int, tell: Tell) -> Found:
    """Read the dead letters once.

    Parameters
    ----------
    client
        Servers and security.
    wanted
        Which letters.
    most
        How many letters are given whole.
    tell
        Whom to tell how far it is.

    """
    found, heap = Found(), list[tuple[Millis, int, int, Letter]]()
    # One object a kind: there may be millions of letters.
    kinds: dict[Kind, Kind] = {}
    async with aclosing(read_piecewise(client, DEAD_LETTERS, wanted.since or 0, tell)) as pieces:
        async for partition, records in pieces:
            for record in records:
                letter = read_letter(record)
                if letter is None:
                    _close(found, partition, record)
                elif wanted.takes(letter):
                    found.open[partition][record.offset] = kinds.setdefault(letter.kind, letter.kind)
                    heapq.heappush(heap, (record.at, partition, record.offset, letter))
                    if len(heap) > most:
                        heapq.heappop(heap)
    found.newest = [letter for _, _, _, letter in sorted(heap, key=lambda one: one[:3], reverse=True)]
    return found


def _close(found: Found, partition: int, record: Record) -> None:
    if dict(record.headers).get("ce_type") != TYPE.encode():
        return
    try:
        note = Replayed.model_validate_json(record.value or b"")
    except ValidationError:
        return
    for offset in note.letters:
        kind = found.open[partition].pop(offset, None)
        if kind is not None:
            found.replayed[kind] += 1
