"""Replaying dead letters: each record goes back to where it came from, once, whatever dies meanwhile.

Records and the note that they were replayed are one Kafka transaction, and all replays share one transactional id. A
new one first ends what an older one left open and shuts it out, then reads what was replayed: so a crash neither loses
nor doubles a record, and two replays at the same time do not either.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from kairos.instants import Millis
from kairos.ports import Output, Record
from kairos.replayed import TYPE, Replayed
from kairos.wire import headers
from streams.commit import Commit, commit
from streams.connected import connected
from streams.dead_letters import Kind, again, read_letter
from streams.dead_letters_read import Wanted, find
from streams.hooks import Hooks
from streams.topic_reader import Tell, read_piecewise
from streams.topics import DEAD_LETTERS, TOPICS

__all__ = ["ID", "replay_letters", "why_not"]

ID: Final = "kairos.dlq"
"""The transactional id, a contract: it is what shuts an older replay out."""

_MOST = 200
_MOST_BYTES = 4 * 1024 * 1024
_DONE = {
    "refused": "the offer has ended, and its coupon may be somebody else's by now",
    "duplicate_codes": "all that could be taken in was",
}
_KEPT = {topic.name: topic.keep is None for topic in TOPICS}


def why_not(kind: Kind, wanted: Wanted) -> str | None:
    """Say why letters of a kind are not replayed, or None where they are.

    Examples
    --------
    >>> why_not(Kind("kairos.offers.sms.v1", "kairos.deliver.sms", "refused"), Wanted())
    "the offer has ended, and its coupon may be somebody else's by now"
    >>> why_not(Kind("kairos.events.transactions.v1", "customers", "future"), Wanted()) is None
    True

    """
    if kind.code in _DONE:
        return _DONE[kind.code]
    if wanted.topic is not None or wanted.place is not None:
        return None
    if kind.topic not in _KEPT:
        return "the topic is the bank's own and may have other readers; name it by --topic"
    if _KEPT[kind.topic]:
        # Compaction keeps the newest record, and would drop what the bank said since.
        return "the topic keeps the last word on each key; name it by --topic if none came since"
    return None


async def replay_letters(
    client: Mapping[str, Any],
    wanted: Wanted,
    by: str,
    clock: Callable[[], Millis],
    tell: Tell,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    hooks: Hooks | None = None,
) -> Counter[Kind]:
    """Write back what is wanted and was not replayed, and give how many of each kind.

    Parameters
    ----------
    client
        Servers and security.
    wanted
        Which letters.
    by
        Who asks for it; it stands in the notes.
    clock
        Gives processing time.
    tell
        Is told after each commit how many were replayed, and of how many.
    is_stopped
        Asked between two commits whether to end.
    hooks
        Where a test may hold it.

    Raises
    ------
    ProducerFenced
        Another replay was begun meanwhile; what was committed until then is not replayed again.

    """
    producer = AIOKafkaProducer(
        transactional_id=ID,
        # What a killed replay leaves open holds up those who read these topics for no longer than this.
        transaction_timeout_ms=20_000,
        acks="all",
        max_batch_size=512 * 1024,
        max_request_size=8 * 1024 * 1024,
        **client,
    )
    done = Counter[Kind]()
    async with connected(producer):
        # Read only now: starting the producer has ended whatever an older replay left open.
        found = await find(client, wanted, 0, lambda _read, _all: None)
        chosen = {
            number: {offset: kind for offset, kind in letters.items() if why_not(kind, wanted) is None}
            for number, letters in found.open.items()
        }
        total = sum(map(len, chosen.values()))
        async with aclosing(_pieces(client, chosen, wanted.since or 0)) as pieces:
            async for number, records in pieces:
                if is_stopped():
                    break
                prepared = Commit(producer, number, frozenset({DEAD_LETTERS}))
                await prepared.add([*_records(records), _note(number, records, by, clock())])
                await commit(prepared, producer, {}, ID, hooks or Hooks())
                done.update(chosen[number][record.offset] for record in records)
                tell(done.total(), total)
    return done


async def _pieces(
    client: Mapping[str, Any], chosen: Mapping[int, Mapping[int, Kind]], since: Millis
) -> AsyncGenerator[tuple[int, list[Record]]]:
    """Give the chosen letters in pieces that one transaction can hold, each partition's in their order."""
    hand: dict[int, list[Record]] = {number: [] for number in chosen}
    if not any(chosen.values()):
        return
    async with aclosing(read_piecewise(client, DEAD_LETTERS, since)) as read:
        async for number, records in read:
            for record in records:
                if record.offset not in chosen.get(number, {}):
                    continue
                hand[number].append(record)
                if len(hand[number]) == _MOST or sum(len(r.value or b"") for r in hand[number]) > _MOST_BYTES:
                    yield number, hand[number]
                    hand[number] = []
    for number, rest in hand.items():
        if rest:
            yield number, rest


def _records(records: Sequence[Record]) -> list[Output]:
    return [again(letter) for record in records if (letter := read_letter(record))]


def _note(number: int, records: Sequence[Record], by: str, now: Millis) -> Output:
    note = Replayed(by=by, letters=tuple(record.offset for record in records))
    attributes = headers(TYPE, f"{number}@{note.letters[0]}", now, "/kairos/dlq")
    return Output(DEAD_LETTERS, b"replayed", note.model_dump_json().encode(), attributes)
