"""Absences in the customers' stage: an event arms, another one cancels, and event time fires what nothing cancelled.

What is pending is noted in the customer's hot record, so that an event of a customer without any pays nothing. The
event that armed it lies beside, packed, for the decision to come; the deadline lies in the index of deadlines.
"""

import msgspec

from kairos.customer import Customer
from kairos.decisions import Absence, EventReference, Reason
from kairos.events import Event, EventType
from kairos.ids import absence_id
from kairos.instants import Millis, moment
from kairos.ports import Record
from kairos.wire import data_of, json_of
from rules.absences import Arming, Pending, came, name_of, over, pending
from rules.absences import arm as note
from rules.decide import refused
from rules.schema import Rule
from streams.blame import Blamed
from streams.cause import Cause
from streams.deadlines import Deadline
from streams.deciding import decide_on, refuse
from streams.work import ABSENCE, Work

__all__ = ["Armed", "arm", "end", "fire", "forget"]


class Armed(msgspec.Struct, array_like=True):
    """The event that armed an absence, as far as its decision will need it, and the rule book that saw it."""

    version: int
    rule: str
    rules: str
    event: str
    type: EventType
    category: str | None
    data: bytes
    topic: str
    partition: int
    offset: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Armed).decode


def end(work: Work, customer: Customer, event: Event) -> None:
    """End what the event ends; what comes after it may be armed again."""
    for rule, values in work.versions.book.ends(event):
        for one in came(customer, name_of(rule, values), event.at):
            _remove(work, event.customer, one)


def arm(work: Work, event: Event, source: Record, rule: Rule) -> None:
    """Begin to wait, for a rule whose trigger and conditions the event has met."""
    absent = rule.absent
    values = None if absent is None else absent.values(event)
    # What the trigger does not say, no other event can be held against.
    if absent is None or values is None:
        return
    customer = work.customer(event.customer)
    wanted = Pending(name_of(rule.id, values), event.at, absent.deadline(event.at))
    outcome, instead = note(customer, wanted, restart=absent.rearm == "restart")
    if instead is not None:
        _remove(work, event.customer, instead)
    armed = Armed(
        version=1,
        rule=rule.id,
        rules=work.versions.book.hash,
        event=event.id,
        type=event.type,
        category=event.category,
        data=json_of(event.type, event.data),
        topic=source.topic,
        partition=source.partition,
        offset=source.offset,
    )
    if outcome is Arming.ARMED:
        work.store.put(event.customer.encode(), ABSENCE, _place(wanted), _encode(armed))
        work.deadlines.set(Deadline(wanted.due, wanted.name, event.customer))
    elif outcome is Arming.FULL:
        cause = _cause(armed, event.customer, wanted)
        refuse(work, cause, refused(rule, event.customer, work.versions.policy, Reason.TOO_MANY_PENDING))


def fire(work: Work, mark: Millis) -> bool:
    """Decide what is due at the watermark, by the rule book now in force; gives whether anything was due.

    A rule that is gone, or a draft by now, decides nothing.
    """
    reached = work.deadlines.reached(mark)
    for due, name, customer in reached:
        with Blamed(f"absence {name.hex()} due at {due}"):
            _decide(work, due, name, customer)
    return bool(reached)


def _decide(work: Work, due: Millis, name: bytes, customer: str) -> None:
    for one in [one for one in pending(work.customer(customer)) if (one.due, one.name) == (due, name)]:
        packed = work.store.get(customer.encode(), ABSENCE, _place(one))
        _remove(work, customer, one)
        if packed is not None:
            _fire(work, _cause(_decode(packed), customer, one))


def _fire(work: Work, cause: Cause) -> None:
    absence, book = cause.absence, work.versions.book
    rule = None if absence is None else book.rules.get(absence.rule)
    if rule is None or rule.absent is None:
        return
    if book.wants(rule, cause.event, work.customer(cause.event.customer), work.standing(cause.event.customer)):
        decide_on(work, cause, (rule,))


def forget(work: Work, customer: str) -> None:
    """Forget everything that is pending for a customer."""
    for one in pending(work.customer(customer)):
        _remove(work, customer, one)


def _remove(work: Work, customer: str, one: Pending) -> None:
    over(work.customer(customer), one)
    work.store.delete(customer.encode(), ABSENCE, _place(one))
    work.deadlines.cancel(Deadline(one.due, one.name, customer))


def _place(one: Pending) -> bytes:
    return one.name + one.due.to_bytes(8)


def _cause(armed: Armed, customer: str, one: Pending) -> Cause:
    """Make the event that something did not happen: at its deadline, with the data of the one that armed it."""
    name = absence_id(armed.rule, armed.event)
    return Cause(
        event=Event(name, armed.type, one.due, customer, armed.category, data_of(armed.type, armed.data)),
        reference=EventReference(
            id=armed.event,
            type=armed.type,
            at=moment(one.armed),
            topic=armed.topic,
            partition=armed.partition,
            offset=armed.offset,
        ),
        absence=Absence(event=name, rule=armed.rule, deadline=moment(one.due), rules=armed.rules),
    )
