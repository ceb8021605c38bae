"""The customers' stage: everything that happens to a customer, in the order in which it happened.

A pure function from (store, batch) to outputs: bad records go to the dead letters, duplicates vanish, tags, windows and
summaries move on, rules match, decisions are made and ended.
"""

from collections.abc import Iterator

from pydantic import ValidationError

from kairos.customer import Customer, Spending
from kairos.events import AppUsage, Event, Feedback, Profile, Transaction
from kairos.instants import Millis
from kairos.ports import Batch, Output, Record, Store
from kairos.recent import remember, seen
from kairos.reservations import Answer
from kairos.wire import BadRecord, customer_of, read
from models.tags import bump
from streams import watermark
from streams.answers import answered
from streams.dead_letters import dead_letter
from streams.deciding import decide
from streams.facts import day
from streams.outcomes import came_back, fire
from streams.topics import APP_USAGE, CUSTOMERS, FEEDBACK, LEDGER_ANSWERS, TRANSACTIONS, partition_of
from streams.versions import Versions
from streams.work import KeptProfile, Work

__all__ = ["TIMED", "step"]

TIMED = frozenset({CUSTOMERS, FEEDBACK, APP_USAGE, TRANSACTIONS})
"""The topics whose events tell how far event time has come: all but the ledger's answers."""

_TAKES: dict[str, frozenset[str]] = {
    CUSTOMERS: frozenset({"customer"}),
    APP_USAGE: frozenset({"app_usage", "page_view", "login"}),
    TRANSACTIONS: frozenset({"transaction"}),
    FEEDBACK: frozenset({"feedback"}),
}
"""Which event types each topic carries."""
_CATEGORIES = 200
_MOST = 2**63 - 1
"""What a sum can hold in the record; nobody spends as much, but a broken producer may say so."""


def step(store: Store, batch: Batch[Versions]) -> list[Output]:
    """Take one batch: the ledger's answers first, then events by the time at which they happened, then timers."""
    work = Work.on(store, batch)
    for record in batch.records:
        if record.topic == LEDGER_ANSWERS:
            _answer(work, record)
    told = list(_told(work))
    # The sort is stable, and records come in the order of their topics and offsets: that breaks ties.
    told.sort(key=lambda one: one[0])
    for _, event, record in told:
        if event is None:
            _forget(work, record)
        else:
            _take(work, event, record)
    fire(work)
    _pass_time(work, told)
    return work.finish()


def _pass_time(work: Work, told: list[tuple[Millis, Event | None, Record]]) -> None:
    """Move event time on."""
    batch, before = work.batch, watermark.kept(work.store)
    # The newest of each topic are among the last.
    heard: dict[str, Millis] = {}
    for at, event, record in reversed(told):
        if event is not None and record.topic not in heard:
            heard[record.topic] = at
            if len(heard) == len(TIMED):
                break
    after = watermark.advanced(before, TIMED, heard, batch.drained, work.now, batch.lateness)
    # A watermark that rises with the clock alone is found again: what nothing followed from needs no commit.
    if after.topics != before.topics:
        watermark.keep(work.store, after)


def _answer(work: Work, record: Record) -> None:
    try:
        answered(work, Answer.model_validate_json(record.value or b""))
    except ValidationError as error:
        _refuse(work, record, BadRecord("invalid", f"no answer of the ledger: {error.error_count()} problems"))


def _told(work: Work) -> Iterator[tuple[Millis, Event | None, Record]]:
    """Read the batch at the door: each event with its time, or None for a customer to forget; dead letters go out."""
    newest: dict[bytes, Millis] = {}
    for record in work.batch.records:
        if record.topic == LEDGER_ANSWERS:
            continue
        try:
            if record.topic == CUSTOMERS and record.value is None and record.key:
                _check_owner(work, record, customer_of(record.key))
                # It names no time, and must not be overtaken by a profile that came before it.
                yield newest.get(record.key, 0), None, record
                continue
            event = read(record, work.now, work.versions.apps)
            _check_place(work, event, record)
        except BadRecord as error:
            _refuse(work, record, error)
            continue
        if isinstance(event.data, Profile) and record.key:
            newest[record.key] = max(newest.get(record.key, 0), event.at)
        yield event.at, event, record


def _check_place(work: Work, event: Event, record: Record) -> None:
    if event.type not in _TAKES[record.topic]:
        raise BadRecord("wrong_topic", f"{event.type} does not belong on {record.topic}")
    _check_owner(work, record, event.customer)


def _check_owner(work: Work, record: Record, customer: str) -> None:
    # The hash is slow in Python; a customer who was here before is in the right place.
    if not work.known(customer) and partition_of(record.key or b"", work.batch.partitions) != record.partition:
        raise BadRecord("wrong_partition", "the key belongs to another partition; partition by murmur2, as Java does")


def _refuse(work: Work, record: Record, error: BadRecord) -> None:
    work.outputs.append(dead_letter(record, "customers", error, work.now))


def _forget(work: Work, record: Record) -> None:
    customer = (record.key or b"").decode()
    work.keep_profile(customer, None)
    work.forget(customer)
    work.permission(customer)


def _take(work: Work, event: Event, record: Record) -> None:
    customer = work.customer(event.customer)
    if seen(customer.seen, event.id):
        return
    customer.seen = remember(customer.seen, event.id, work.now)
    match event.data:
        case Feedback():
            came_back(work, event, event.data)
        case Profile():
            _learn_profile(work, event, record)
        case _:
            _observe(work, customer, event)
            decide(work, event, record)


def _learn_profile(work: Work, event: Event, record: Record) -> None:
    kept = work.profile(event.customer)
    # Two producers may race; the newest word of the bank wins, not the last to arrive.
    if kept is not None and kept.at > event.at:
        return
    work.keep_profile(event.customer, KeptProfile(1, event.at, record.value or b"{}"))
    work.permission(event.customer)


def _observe(work: Work, customer: Customer, event: Event) -> None:
    """Move the customer's tags, summaries and windows on by one event."""
    if isinstance(event.data, AppUsage):
        today = day(event.at)
        for tag in work.versions.apps.tags_of(event.data.app, event.category):
            customer.tags = bump(customer.tags, tag, today)
    elif isinstance(event.data, Transaction) and event.data.direction == "debit":
        # A category beyond the number that a bank may have is counted with those that have no name.
        known = event.category in customer.spending or len(customer.spending) < _CATEGORIES
        spent = customer.spending.setdefault(event.category or "" if known else "", Spending())
        spent.count += 1
        spent.minor = min(spent.minor + event.data.amount, _MOST)
        spent.last = max(spent.last, event.at)
    work.versions.book.observe(event, customer)
