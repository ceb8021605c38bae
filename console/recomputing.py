"""Recomputing: one decision made again from records and journal, and held against what was written, byte for byte."""

import json
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from console.decisions_found import Found
from kairos.ports import Batch, Headers, Output, Record
from streams import journal
from streams.journal import BUILD
from streams.memory_store import MemoryStore
from streams.played import outputs_of, played
from streams.stages import STAGES
from streams.topic_reader import Tell
from streams.topics import DECISIONS
from streams.versions import Versions

__all__ = ["Again", "Recomputed", "differences", "recomputed"]

_CUSTOMERS = STAGES["customers"]


@dataclass(slots=True)
class Recomputed:
    """What came of it.

    Parameters
    ----------
    partition
        Which partition was played again.
    commits, records
        How far it had to be.
    builds
        The versions of the code that decided.
    equal
        How many records came out as they were written, to the last byte.
    differs
        What did not, one line for each place.
    missing
        How many records did not come at all, though the journal was played to its end.

    """

    partition: int
    commits: int = 0
    records: int = 0
    builds: set[str] = field(default_factory=set)
    equal: int = 0
    differs: list[str] = field(default_factory=list)
    missing: int = 0

    @property
    def is_equal(self) -> bool:
        """Whether every record came out as it was written."""
        return not self.differs and not self.missing

    @property
    def is_other_build(self) -> bool:
        """Whether another version of the code decided than this one, which need not come to the same."""
        return bool(self.builds - {BUILD})


async def recomputed(
    client: Mapping[str, object], found: Found, contents: Mapping[str, bytes], tell: Tell
) -> Recomputed:
    """Play the customer's partition again until the decision, and its end if it has one, were made again.

    Raises
    ------
    CutOff
        Kafka no longer holds what it takes.

    """
    again = Again(found)
    async with aclosing(played(client, _CUSTOMERS, found.made.partition, contents, tell)) as commits:
        async for batch, entry in commits:
            if again.take(batch, entry):
                break
    return again.result()


class Again:
    """A partition of the customers' stage that is played again from an empty store, held against a decision's records.

    Parameters
    ----------
    found
        What was written.

    """

    def __init__(self, found: Found) -> None:
        self._store = MemoryStore()
        self._wanted = [row for row in (found.made, found.ended) if row is not None]
        self._result = Recomputed(found.made.partition)

    def take(self, batch: Batch[Versions], entry: journal.Entry) -> bool:
        """Do what one commit did, in their order; gives whether everything was made again, and no more are needed."""
        self._result.commits += 1
        self._result.records += len(batch.records)
        self._result.builds.add(entry.build)
        for output in outputs_of(_CUSTOMERS, self._store, batch, entry):
            _hold(self._result, self._wanted, output)
        return not self._wanted

    def result(self) -> Recomputed:
        """Give what came of it, after the last commit that is needed or that there is."""
        self._result.missing = len(self._wanted)
        return self._result


def _hold(result: Recomputed, wanted: list[Record], output: Output) -> None:
    row = next(
        (row for row in wanted if output.topic == DECISIONS and _name(row.headers) == _name(output.headers)), None
    )
    if row is None:
        return
    wanted.remove(row)
    if (row.key, row.value, tuple(row.headers)) == (output.key, output.value, output.headers):
        result.equal += 1
        return
    if row.value != output.value:
        result.differs += differences(json.loads(row.value or b"null"), json.loads(output.value or b"null"))
    told, again = dict(row.headers), dict(output.headers)
    result.differs += differences(_texts(told), _texts(again), "header")


def _name(headers: Headers) -> tuple[bytes | None, bytes | None]:
    found = dict(headers)
    return found.get("ce_type"), found.get("ce_id")


def _texts(headers: Mapping[str, bytes]) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in headers.items()}


def differences(written: Any, made: Any, where: str = "") -> list[str]:
    """Say where two records differ, a line for each place; values are not told, for they may be personal.

    Examples
    --------
    >>> differences({"state": "offered", "verdicts": [{"rank": 1}]}, {"state": "offered", "verdicts": [{"rank": 2}]})
    ['verdicts.0.rank']

    """
    return list(_differences(written, made, where))


def _differences(written: Any, made: Any, where: str) -> Iterator[str]:
    if isinstance(written, dict) and isinstance(made, dict):
        for name in sorted(written.keys() | made.keys()):
            yield from _differences(written.get(name), made.get(name), f"{where}.{name}".lstrip("."))
    elif isinstance(written, list) and isinstance(made, list) and len(written) == len(made):
        for number, (one, other) in enumerate(zip(written, made, strict=True)):
            yield from _differences(one, other, f"{where}.{number}".lstrip("."))
    elif written != made or type(written) is not type(made):
        yield where or "everything"
