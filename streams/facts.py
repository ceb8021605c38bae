"""Facts: what a decision saw of the customer, for the model and for the record."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from kairos.customer import Customer, Standing
from kairos.decisions import Value
from kairos.events import Event, Transaction
from kairos.instants import DAY, SECOND, Millis
from models.features import Attribute, Context
from models.tags import decode
from rules.candidates import Candidate
from rules.moments import local
from rules.schema import Rule
from streams.work import Work

__all__ = ["Around", "around", "context", "day", "facts"]

_FIRST_DAY = 18_262
"""Days from 1970 to 2020-01-01, from which tags count."""


def day(at: Millis) -> int:
    """Give the day of an instant as tags count it: from 2020-01-01 in UTC, never before.

    Examples
    --------
    >>> day(1577836800000), day(1577836800000 + 86_400_000), day(0)
    (0, 1, 0)

    """
    return max(0, at // DAY - _FIRST_DAY)


def facts(event: Event, standing: Standing) -> dict[str, Value]:
    """Give what the rules could read beside their windows: the event's category and amount, the attributes."""
    found: dict[str, Value] = {"event.category": event.category}
    if event.type == "transaction":
        data = cast(Transaction, event.data)
        found |= {"event.amount": data.amount, "event.currency": data.currency}
    return found | {f"attr.{name}": value for name, value in sorted(standing.profile.attrs.items())}


class Around(NamedTuple):
    """What the model may know of a customer at a moment, whichever candidate it is asked about."""

    hour: int
    weekday: int
    app_class: str
    classes: Mapping[str, float]
    since: float | None
    contacts: int


def around(work: Work, event: Event) -> Around:
    """Look around once for all candidates of a decision."""
    customer = work.customer(event.customer)
    minute, weekday = local(event.at, work.versions.policy.zone)
    newest = _newest_contact(customer)
    return Around(
        hour=minute // 60,
        weekday=weekday,
        app_class=event.category or "" if event.type == "app_usage" else "",
        classes=_classes(work, customer, event.at),
        since=None if newest is None else (work.now - newest) / DAY,
        contacts=sum([len(packed) // 4 for packed in customer.contacts.values()]),
    )


def context(work: Work, known: Around, standing: Standing, candidate: Candidate) -> Context:
    """Give what the model may know of a candidate and its customer as of the decision."""
    rule, then = candidate.rule, candidate.rule.then
    pool = work.versions.pools.get(then.offer.pool or "")
    return Context(
        rule=rule.id,
        programme=rule.programme,
        channel=candidate.channel.value if candidate.channel else "",
        hour=known.hour,
        weekday=known.weekday,
        merchant=pool.merchant if pool else "",
        pool=then.offer.pool or "",
        app_class=known.app_class,
        face_cents=pool.value if pool else 0,
        classes=known.classes,
        days_since_contact=known.since,
        contacts=known.contacts,
        attrs=_attributes(rule, standing),
    )


def _attributes(rule: Rule, standing: Standing) -> dict[str, Attribute]:
    """Give the attributes that a model may learn from: numbers and flags, and the words that the rule itself reads.

    Any other word may be a name or an account, and would leave a weight of its own for each customer.
    """
    read = rule.who.attributes()
    attrs = standing.profile.attrs
    return {name: value for name, value in attrs.items() if name in read or not isinstance(value, str)}


def _classes(work: Work, customer: Customer, at: Millis) -> dict[str, float]:
    classes = work.versions.apps.classes
    # The tags of the classes come first, in their order.
    scores = decode(customer.tags, day(at), below=len(classes)).items()
    return {classes[tag]: value for tag, value in scores if value > 0}


def _newest_contact(customer: Customer) -> Millis | None:
    ends = [int.from_bytes(packed[-4:]) for packed in customer.contacts.values() if packed]
    return max(ends) * SECOND if ends else None
