"""Dead letters: a record that cannot be accepted, as it came, with the reason in its headers. Once.

A letter that is replayed becomes its record again, which remembers under `kairos.replayed.` how often it was tried.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

from kairos.instants import Millis, from_rfc3339, rfc3339
from kairos.ports import Headers, Output, Record
from kairos.wire import BadRecord
from streams.topics import DEAD_LETTERS

__all__ = ["ERRORS", "REPLAYED", "Kind", "Letter", "Place", "again", "dead_letter", "read_letter"]

ERRORS = "kairos.errors."
"""What the names of a letter's own headers begin with."""
REPLAYED = "kairos.replayed."
"""What the names of a replayed record's further headers begin with."""
_LONGEST = 500


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a place, `topic:partition:offset` or as it is written here.

        Raises
        ------
        ValueError
            It is none.

        Examples
        --------
        >>> print(Place.read("bank.card-feed:2:31"), Place.read("bank.card-feed/2@31").offset)
        bank.card-feed/2@31 31

        """
        topic, *numbers = text.replace("/", ":").replace("@", ":").split(":")
        if not topic or len(numbers) != 2 or not all(n.isascii() and n.isdigit() for n in numbers):
            raise ValueError(f"{text!r} is no place; write topic:partition:offset")
        return cls(topic, int(numbers[0]), int(numbers[1]))


class Kind(NamedTuple):
    """What letters are counted by: the topic the record lay on, who refused it, and the word for why."""

    topic: str
    stage: str
    code: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, read.

    Parameters
    ----------
    record
        The letter as it lies on its topic; `at` is when it was written.
    origin
        Where the record lay that was refused.
    attempts
        How often it was tried, replays included.
    first_failed_at
        When it failed for the first time, RFC 3339.

    """

    record: Record
    origin: Place
    kind: Kind
    message: str
    attempts: int
    first_failed_at: str

    @property
    def place(self) -> Place:
        """Where the letter lies."""
        return Place(self.record.topic, self.record.partition, self.record.offset)


def dead_letter(record: Record, stage: str, error: BadRecord, now: Millis) -> Output:
    """Write the dead letter of one record: its own key, value and headers, and ours under `kairos.errors.`.

    The value of a tombstone stays a tombstone; the headers say why. No value is ever quoted in a header.
    """
    attempts, first = _past(record.headers, now)
    ours = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "stage": stage,
        "class": error.code,
        "message": str(error)[:_LONGEST],
        "attempts": str(attempts),
        "first_failed_at": first,
    }
    reasons = tuple((f"{ERRORS}{name}", text.encode(errors="replace")) for name, text in ours.items())
    # Whoever sends us a reason of his own does not decide what people read of it.
    return Output(DEAD_LETTERS, record.key, record.value, (*_without(record.headers, ERRORS), *reasons))


def read_letter(record: Record) -> Letter | None:
    """Read a letter, or give None for a record that is none."""
    found = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    try:
        origin = Place(found[f"{ERRORS}topic"], int(found[f"{ERRORS}partition"]), int(found[f"{ERRORS}offset"]))
        kind = Kind(origin.topic, found[f"{ERRORS}stage"], found[f"{ERRORS}class"])
        attempts, first = int(found[f"{ERRORS}attempts"]), found[f"{ERRORS}first_failed_at"]
        return Letter(record, origin, kind, found[f"{ERRORS}message"], attempts, first)
    except (KeyError, ValueError):
        return None


def again(letter: Letter) -> Output:
    """Write the record of a letter once more: its own key, value and headers, where it came from, and its past."""
    ours = {
        "from": str(letter.place),
        "attempts": str(letter.attempts + 1),
        "first_failed_at": letter.first_failed_at,
    }
    past = tuple((f"{REPLAYED}{name}", text.encode()) for name, text in ours.items())
    record = letter.record
    return Output(letter.origin.topic, record.key, record.value, (*_without(record.headers, ERRORS, REPLAYED), *past))


def _without(headers: Headers, *beginnings: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value) for name, value in headers if not name.startswith(beginnings))


def _past(headers: Headers, now: Millis) -> tuple[int, str]:
    """Give which attempt this is, and when the first one failed."""
    found = dict(headers)
    attempts, first = found.get(f"{REPLAYED}attempts") or b"", found.get(f"{REPLAYED}first_failed_at") or b""
    try:
        # Anybody may send such headers: nonsense in them must not cost the letter.
        failed = min(from_rfc3339(first.decode()), now)
    except (ValueError, OverflowError, OSError):
        return 1, rfc3339(now)
    return (int(attempts) if attempts.isdigit() and len(attempts) < 5 else 1), rfc3339(failed)
