"""The journal: one small record a commit, of all that chance decided.

That is which records, what time, which versions, which topics were read to their end. With it, the records and the
catalogue, state and outputs are computed again bit for bit.
"""

from typing import Annotated, Any

import msgspec

from kairos.instants import Millis
from kairos.ports import LATENESS, Batch

__all__ = ["BUILD", "Entry", "Skipped", "entry", "read", "write"]

BUILD = "0.1.0"
"""The version of the code that decided; a replay by another one says so."""


class Skipped(msgspec.Struct, frozen=True, array_like=True):
    """A record that the step raised on and a `--skip` named: the commit passed it by. `why` is in its letter, too."""

    topic: str
    offset: int
    why: str


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One commit.

    Parameters
    ----------
    ranges
        For each input topic that had records: the offset from which and the one up to which they were taken.
        One range begins where the last one of the topic ended.
    now
        Processing time of the step.
    versions
        The content hash of each kind of the catalogue, as it was in force.
    build
        The version of the code.
    records
        How many records there were; offsets alone do not say it, for markers and compaction leave gaps.
    drained
        The topics with event time in which nothing was left unread.
    lateness
        The setting in force: the watermark follows from both.
    skipped
        Records within the ranges that the step was not given; `records` counts them.
    again
        For each input topic from which records were read again: from where and up to where. They were taken before, and
        are no part of what tiles the input. None for a commit of what happened then.
    reached
        Whether with these everything was read again that had been taken.

    """

    ranges: dict[str, tuple[int, int]]
    now: Millis
    versions: dict[str, str]
    build: str = BUILD
    records: Annotated[int, msgspec.Meta(ge=0)] = 0
    drained: tuple[str, ...] = ()
    lateness: Millis = LATENESS
    skipped: tuple[Skipped, ...] = ()
    again: dict[str, tuple[int, int]] | None = None
    reached: bool = False


def entry(batch: Batch[Any], ranges: dict[str, tuple[int, int]], skipped: tuple[Skipped, ...]) -> Entry:
    """Make the entry of a batch that took these ranges of its input, if any, and passed some records by."""
    again = batch.again
    return Entry(
        ranges,
        batch.now,
        dict(batch.versions.hashes),
        records=len(batch.records),
        drained=tuple(sorted(batch.drained)),
        lateness=batch.lateness,
        skipped=skipped,
        again=None if again is None else dict(again.ranges),
        reached=again is not None and again.reached,
    )


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Entry).decode


def write(entry: Entry) -> bytes:
    """Write an entry as JSON, its names sorted.

    Examples
    --------
    >>> entry = Entry({"kairos.feedback.v1": (0, 3)}, 1796097600250, {"rules": "ab12"}, records=3)
    >>> read(write(entry)) == entry
    True

    """
    return _encode(entry)


def read(packed: bytes) -> Entry:
    """Read an entry."""
    return _decode(packed)
