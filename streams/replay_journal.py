"""Replaying the journal: what happened live, computed again bit for bit from records, catalogue and journal.

It is the oracle of the fault tests and the proof behind an explanation: the journal's ranges must tile every input
partition, the state must equal the changelog's newest records, and the outputs the topics' records.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from kairos.ids import content_hash
from kairos.ports import Again, Batch, Output, Record
from kairos.replayed import TYPE
from rules.stops import STOP
from streams import journal
from streams.ledger_change import LEDGER
from streams.memory_store import MemoryStore
from streams.skips import letters, without
from streams.spec import StageSpec
from streams.store import META, restored
from streams.topic_reader import read_topic
from streams.topics import CATALOGUE, FEEDBACK
from streams.trials import TRIED
from streams.versions import CODES_KEY, Versions

__all__ = ["MissingKey", "Replayed", "is_of_a_stage", "replay_journal"]

Client = Mapping[str, object]
Topics = Mapping[str, Mapping[int, Sequence[Record]]]
_OF_PEOPLE = (b"stock", b"move", b"redemption")
_offset = attrgetter("offset")


class MissingKey(Exception):
    """Codes were made with a key that was not given; nothing was compared."""


@dataclass(slots=True)
class Replayed:
    """What the replay of a stage found; `problems` is empty when everything is equal.

    Parameters
    ----------
    stage
        Which stage.
    commits, records, outputs
        How many commits the journal holds, how many records they took, how many outputs they made.
    state
        How many records of state were compared.
    problems
        What differs, one sentence each.

    """

    stage: str
    commits: int = 0
    records: int = 0
    outputs: int = 0
    state: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "equal bit for bit" if not self.problems else f"{len(self.problems)} differences"
        return (
            f"{self.stage}: {self.commits} commits, {self.records} records, {self.outputs} outputs, "
            f"{self.state} records of state: {verdict}"
        )


async def replay_journal(
    client: Client, specs: Sequence[StageSpec[Versions]], keys: Iterable[bytes] = ()
) -> list[Replayed]:
    """Replay stages from their topics and compare.

    Parameters
    ----------
    client
        Servers and security.
    specs
        The stages; outputs of a topic are compared once all stages that write to it were replayed.
    keys
        Those that codes were made with, in any order; they are nowhere in Kafka.

    Raises
    ------
    MissingKey
        A key that the journal names by its hash is not among them.

    """
    contents = {**await _contents(client), **{content_hash(key): key for key in keys}}
    found: list[Replayed] = []
    made = defaultdict[str, list[tuple[Replayed, Output]]](list)
    for spec in specs:
        result, outputs = await _replay(client, spec, contents)
        found.append(result)
        for topic, rows in outputs.items():
            made[topic] += [(result, row) for row in rows]
    for topic, all_made in made.items():
        _compare_outputs(topic, all_made, await read_topic(client, topic))
    return found


async def _contents(client: Client) -> dict[str, bytes]:
    """Give everything that was ever published and is still there, by its hash."""
    rows = (await read_topic(client, CATALOGUE))[0]
    return {r.key.decode(): r.value for r in rows if r.key and r.value and not r.key.startswith(b"current/")}


async def _replay(
    client: Client, spec: StageSpec[Versions], contents: Mapping[str, bytes]
) -> tuple[Replayed, dict[str, list[Output]]]:
    result, outputs = Replayed(spec.name), defaultdict[str, list[Output]](list)
    inputs: Topics = {topic: await read_topic(client, topic) for topic in spec.inputs}
    entries = await read_topic(client, spec.journal)
    changelog = await read_topic(client, spec.changelog)
    for partition, rows in entries.items():
        store = MemoryStore()
        where = f"{spec.name}/{partition}"
        position: dict[str, int] = {}
        reread: dict[str, int] = {}
        for batch, entry in _batches(partition, len(entries), rows, inputs, contents):
            _check_tiles(result, where, position, entry, batch, inputs, partition)
            _check_again(result, where, position, reread, batch.again)
            given = replace(batch, records=without(batch.records, entry.skipped)) if entry.skipped else batch
            for output in [
                *letters(batch.records, entry.skipped, spec.name, entry.now),
                *spec.step(store, given),
            ]:
                outputs[output.topic].append(output)
                result.outputs += 1
            result.commits += 1
            result.records += len(batch.records)
        _check_state(result, where, store, changelog[partition], position)
    return result, outputs


def _batches(
    partition: int,
    partitions: int,
    rows: Sequence[Record],
    inputs: Topics,
    contents: Mapping[str, bytes],
) -> Iterator[tuple[Batch[Versions], journal.Entry]]:
    known: dict[tuple[tuple[str, str], ...], Versions] = {}
    places = dict.fromkeys(inputs, 0)
    for row in rows:
        entry = journal.read(row.value or b"")
        records: list[Record] = []
        for topic in inputs:
            if topic in entry.ranges:
                records += _between(inputs[topic][partition], places, topic, entry.ranges[topic][1])
        again = None if entry.again is None else Again(entry.again, entry.reached)
        if again is not None:
            records = [
                r for topic, place in sorted(again.ranges.items()) for r in _held(inputs[topic][partition], *place)
            ]
        hashes = tuple(sorted(entry.versions.items()))
        if hashes not in known:
            known[hashes] = _versions(hashes, contents)
        drained = frozenset(entry.drained)
        versions, late = known[hashes], entry.lateness
        yield Batch(partition, partitions, records, entry.now, versions, drained, late, again), entry


def _held(rows: Sequence[Record], start: int, end: int) -> Sequence[Record]:
    return rows[bisect_left(rows, start, key=_offset) : bisect_left(rows, end, key=_offset)]


def _between(rows: Sequence[Record], places: dict[str, int], topic: str, end: int) -> list[Record]:
    first = last = places[topic]
    while last < len(rows) and rows[last].offset < end:
        last += 1
    places[topic] = last
    return list(rows[first:last])


def _versions(hashes: Sequence[tuple[str, str]], contents: Mapping[str, bytes]) -> Versions:
    versions = Versions()
    for kind, name in hashes:
        if kind == CODES_KEY and name not in contents:
            raise MissingKey(f"codes were made with a key that is not here (its hash is {name}): set KAIROS_CODES_KEY")
        versions = versions.having(kind, contents.get(name, b"") if kind.startswith(STOP) else contents[name])
    return versions


def _check_tiles(
    result: Replayed,
    where: str,
    position: dict[str, int],
    entry: journal.Entry,
    batch: Batch[Versions],
    inputs: Topics,
    partition: int,
) -> None:
    for topic, (start, end) in entry.ranges.items():
        rows = inputs[topic][partition]
        expected = position.get(topic, rows[0].offset if rows else start)
        if start > expected or (topic in position and start != expected):
            result.problems.append(f"{where}: {topic} goes on at {start}, the last commit ended at {expected}")
        position[topic] = end
    if len(batch.records) != entry.records:
        result.problems.append(f"{where}: a commit took {entry.records} records, the topics hold {len(batch.records)}")


def _check_again(
    result: Replayed, where: str, position: Mapping[str, int], reread: dict[str, int], again: Again | None
) -> None:
    """Check that what was read again follows upon itself, and that it ends where the live work stood."""
    if again is None:
        return
    for topic, (start, end) in again.ranges.items():
        # Only what the topic let go of may be missing.
        if start < reread.get(topic, 0) or end > position.get(topic, 0):
            result.problems.append(f"{where}: {topic} was read again from {start} to {end}, which is not its turn")
        reread[topic] = end
    if again.reached and (behind := [topic for topic, end in reread.items() if end != position.get(topic)]):
        result.problems.append(f"{where}: {', '.join(behind)} was not read again to the end")
    if again.reached or not again.ranges:
        # What was found is being handed over; whatever is read after that is read for something else.
        reread.clear()


def _check_state(
    result: Replayed, where: str, store: MemoryStore, changelog: Sequence[Record], position: Mapping[str, int]
) -> None:
    newest = {record.key: record.value for record in changelog if record.key}
    meta = restored(newest.pop(META, None))
    ended = {topic: end for topic, end in meta.inputs.items() if topic in position}
    if ended != dict(position):
        result.problems.append(f"{where}: the state says it ends at {ended}, the journal at {dict(position)}")
    live = {key: value for key, value in newest.items() if value is not None}
    again = dict(store.items())
    result.state += len(live)
    different = sum(1 for key in live.keys() | again.keys() if live.get(key) != again.get(key))
    if different:
        result.problems.append(f"{where}: {different} records of state differ")


def _compare_outputs(topic: str, made: Sequence[tuple[Replayed, Output]], live: Mapping[int, Sequence[Record]]) -> None:
    written = Counter((r.key, r.value, tuple(r.headers)) for rows in live.values() for r in rows)
    again = Counter((row.key, row.value, row.headers) for _, row in made)
    wrong = sum(1 for row, count in again.items() if written[row] != count)
    if wrong:
        made[0][0].problems.append(f"{topic}: {wrong} outputs are not there exactly as often as they were made")
    extra = sum(count for row, count in (written - again).items() if is_of_a_stage(topic, row))
    if extra:
        made[0][0].problems.append(f"{topic}: {extra} records are there that no stage made")


def is_of_a_stage(topic: str, row: tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]) -> bool:
    """Whether only a stage can have written this record; people, the door and delivery write to some topics too."""
    key, value, headers = row
    names = dict(headers)
    if topic == CATALOGUE:
        return (key or b"").startswith(b"current/") and b'"by":"learning"' in (value or b"")
    if "kairos.errors.stage" in names:
        return names["kairos.errors.stage"] in (b"customers", b"ledger", b"learning")
    if "kairos.replayed.from" in names or names.get("ce_type") == TYPE.encode():
        return False
    if names.get("ce_source") == TRIED.encode():
        # What people sent to testers, to see a template; no stage has decided on it.
        return False
    if topic == FEEDBACK:
        return names.get("ce_source") == LEDGER.encode()
    return names.get("ce_id", b"").split(b":")[-1] not in _OF_PEOPLE
