"""The customers' stage: everything that happens to a customer, in the order in which it happened.

A pure function from (store, batch) to outputs: bad records go to the dead letters, duplicates vanish, tags, windows and
summaries move on, rules match, decisions are made and ended.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import cast

from pydantic import ValidationError

from kairos.customer import Customer, Spending
from kairos.events import AppUsage, Event, Feedback, Profile, Transaction
from kairos.instants import Millis
from kairos.ports import Batch, Output, Record, Store
from kairos.recent import remember
from kairos.reservations import Answer
from kairos.trace import followed
from kairos.wire import LONGEST_KEY, BadRecord, customer_of, read, when
from models.tags import bump
from streams import absences, deferrals, memories, warm_step, warming, watermark
from streams.answers import answered
from streams.carried import CARRIES
from streams.cause import Cause
from streams.dead_letters import dead_letter
from streams.deciding import decide_on, matched, resume
from streams.facts import day
from streams.keys import compose
from streams.outcomes import came_back, fire
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, LEDGER_ANSWERS, TRANSACTIONS, partition_of
from streams.versions import Versions
from streams.withdrawals import withdraw
from streams.work import HOT, Work

__all__ = ["TIMED", "desk_at", "pass_over", "reads", "step"]

TIMED = frozenset({CUSTOMERS, FEEDBACK, APP_USAGE, TRANSACTIONS})
"""The topics whose events tell how far event time has come: all but the ledger's answers."""

_Told = tuple[Millis, int, Event | None, Record]
"""When something happened, its record's place in the batch, and the event where it is read already."""
_Refused = tuple[int, Output]
"""A record's place in the batch, and its dead letter."""

_CATEGORIES = 200
_MOST = 2**63 - 1
"""What a sum can hold in the record; nobody spends as much, but a broken producer may say so."""


def step(store: Store, batch: Batch[Versions]) -> list[Output]:
    """Take one batch: the ledger's answers first, then events by the time at which they happened, then timers."""
    if batch.again is not None:
        return warm_step.step(store, batch, batch.again)
    if not batch.records:
        # Else a book that is published at night would warm up in the morning, with the first event.
        memories.note(store, batch.versions.book)
    work = Work.on(store, batch)
    withdraw(work)
    _answers(work)
    refused: list[_Refused] = []
    told = list(_told(work, refused))
    # The sort is stable, and records come in the order of their topics and offsets: that breaks ties.
    told.sort(key=itemgetter(0))
    first = len(work.outputs)
    heard = _take_all(work, told, refused)
    # Dead letters come in the order of their records, before what the events led to.
    work.outputs[first:first] = [output for _, output in sorted(refused, key=lambda one: one[0])]
    fire(work, resume)
    _pass_time(work, heard)
    return work.finish()


def desk_at(store: Store, batch: Batch[Versions], record: Record) -> Work:
    """Take what a step takes before one record of its batch, and stop there: the desk as that record found it.

    Who asks afterwards why a rule did not match sees what the step saw. The store is somebody's own copy, who goes on
    with another one.
    """
    work = Work.on(store, batch)
    _answers(work)
    told = sorted(_told(work, []), key=lambda one: one[0])
    places = [(one.topic, one.offset) for _, _, _, one in told]
    _take_all(work, told[: places.index((record.topic, record.offset))], [])
    return work


def pass_over(store: Store, batch: Batch[Versions], heard: Mapping[str, Millis]) -> list[Output]:
    """Let time pass by an event of somebody for whom it leads to nothing: what is due is done, as `step` does it.

    Parameters
    ----------
    store, batch
        As for `step`; the batch has no records.
    heard
        When the event happened, by its topic; nothing where it was refused.

    """
    work = Work.on(store, batch)
    fire(work, resume)
    _pass_time(work, heard)
    return work.finish()


def _pass_time(work: Work, heard: Mapping[str, Millis]) -> None:
    """Move event time on, by the newest event of each topic, and do what is due."""
    batch, before = work.batch, watermark.kept(work.store)
    after = watermark.advanced(before, TIMED, heard, batch.drained, work.now, batch.lateness)
    fired = absences.fire(work, after.mark)
    # A watermark that rises with the clock alone is found again: what nothing followed from needs no commit.
    if fired or after.topics != before.topics:
        watermark.keep(work.store, after)


def reads(records: Iterable[Record]) -> list[bytes]:
    """Name what the step will read whatever happens: the hot record of everybody whom the batch is about."""
    return [compose(key, HOT, b"") for key in {record.key for record in records} if key and len(key) <= LONGEST_KEY]


def _answers(work: Work) -> None:
    for record in work.batch.records:
        if record.topic == LEDGER_ANSWERS:
            _answer(work, record)


def _answer(work: Work, record: Record) -> None:
    first = len(work.outputs)
    try:
        answered(work, Answer.model_validate_json(record.value or b""))
        followed(work.outputs, first, record.headers)
    except ValidationError as error:
        unread = BadRecord("invalid", f"no answer of the ledger: {error.error_count()} problems")
        work.outputs.append(_refusal(work, record, unread))


def _told(work: Work, refused: list[_Refused]) -> Iterator[_Told]:
    """Find out when everything in the batch happened; most events are only read when they are taken.

    A batch that was read whole before its first event is taken would not fit into the processor's cache.
    """
    newest: dict[bytes, Millis] = {}
    for number, record in enumerate(work.batch.records):
        if record.topic == LEDGER_ANSWERS:
            continue
        event = None
        try:
            if record.topic != CUSTOMERS:
                at = when(record, work.now)
            elif record.value is None and record.key:
                if not work.known(customer_of(record.key)):
                    _check_owner(work, record)
                # It names no time, and must not be overtaken by a profile that came before it.
                at = newest.get(record.key, 0)
            else:
                event = _read(work, record)
                at, key = event.at, record.key or b""
                newest[key] = max(newest.get(key, 0), at)
        except BadRecord as error:
            refused.append((number, _refusal(work, record, _first(work, record, error))))
            continue
        yield at, number, event, record


def _first(work: Work, record: Record, error: BadRecord) -> BadRecord:
    """Give what is wrong first: of most records only the time was read yet."""
    if record.topic != CUSTOMERS:
        try:
            read(record, work.now, work.versions.apps)
        except BadRecord as found:
            return found
    return error


def _take_all(work: Work, told: Sequence[_Told], refused: list[_Refused]) -> dict[str, Millis]:
    """Take everything in the order of its time; gives the newest of each topic that was an event of ours."""
    heard: dict[str, Millis] = {}
    last = {record.key: place for place, (_, _, _, record) in enumerate(told)}
    for place, (at, number, event, record) in enumerate(told):
        if record.value is None and record.topic == CUSTOMERS:
            _forget(work, record)
            continue
        try:
            read_event = event or _read(work, record, at)
        except BadRecord as error:
            refused.append((number, _refusal(work, record, error)))
            continue
        heard[record.topic] = at
        _take(work, read_event, record)
        if last[record.key] == place:
            work.put_back(read_event.customer)
    return heard


def _read(work: Work, record: Record, at: Millis | None = None) -> Event:
    event = read(record, work.now, work.versions.apps, at)
    if event.type not in CARRIES[record.topic]:
        raise BadRecord("wrong_topic", f"{event.type} does not belong on {record.topic}")
    # The hash is slow in Python; a customer who was here before is in the right place.
    if not work.known(event.customer):
        _check_owner(work, record)
    return event


def _check_owner(work: Work, record: Record) -> None:
    if partition_of(record.key or b"", work.batch.partitions) != record.partition:
        raise BadRecord("wrong_partition", "the key belongs to another partition; partition by murmur2, as Java does")


def _refusal(work: Work, record: Record, error: BadRecord) -> Output:
    return dead_letter(record, "customers", error, work.now)


def _forget(work: Work, record: Record) -> None:
    customer = (record.key or b"").decode()
    if work.known(customer):
        warming.forget(work.store, customer, record.at)
    absences.forget(work, customer)
    deferrals.forget(work, customer)
    work.drop_profile(customer)
    work.forget(customer)
    work.permission(customer)


def _take(work: Work, event: Event, record: Record) -> None:
    customer = work.customer(event.customer)
    names = remember(customer.seen, event.id, work.now)
    if names is None:
        return
    customer.seen = names
    first = len(work.outputs)
    if event.type == "feedback":
        came_back(work, event, cast(Feedback, event.data))
    elif event.type == "customer":
        _learn_profile(work, event)
    else:
        _observe(work, customer, event)
        absences.end(work, customer, event)
        _decide(work, customer, event, record)
    followed(work.outputs, first, record.headers)


def _decide(work: Work, customer: Customer, event: Event, record: Record) -> None:
    rules = matched(work, customer, event)
    if not rules:
        return
    if now := [rule for rule in rules if rule.absent is None]:
        decide_on(work, Cause.of(event, record), now)
    for rule in rules:
        if rule.absent is not None:
            absences.arm(work, event, record, rule)


def _learn_profile(work: Work, event: Event) -> None:
    kept = work.profile(event.customer)
    # Two producers may race; the newest word of the bank wins, not the last to arrive.
    if kept is not None and kept.at > event.at:
        return
    work.keep_profile(event.customer, event.at, cast(Profile, event.data))
    work.permission(event.customer)


def _observe(work: Work, customer: Customer, event: Event) -> None:
    """Move the customer's tags, summaries and windows on by one event."""
    versions = work.versions
    if event.type == "app_usage":
        today, tags = day(event.at), customer.tags
        for tag in versions.apps.tags_of(cast(AppUsage, event.data).app, event.category):
            tags = bump(tags, tag, today)
        customer.tags = tags
    elif event.type == "transaction" and (data := cast(Transaction, event.data)).direction == "debit":
        # A category beyond the number that a bank may have is counted with those that have no name.
        known = event.category in customer.spending or len(customer.spending) < _CATEGORIES
        spent = customer.spending.setdefault(event.category or "" if known else "", Spending())
        spent.count += 1
        spent.minor = min(spent.minor + data.amount, _MOST)
        spent.last = max(spent.last, event.at)
    versions.book.observe(event, customer)
