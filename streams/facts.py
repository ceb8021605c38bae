"""Facts: what a decision saw of the customer, for the model and for the record."""

from typing import cast

from kairos.customer import Customer, Standing
from kairos.decisions import Value
from kairos.events import Event, Transaction
from kairos.instants import DAY, SECOND, Millis
from models.features import Around, Named, Offered
from models.tags import decode
from rules.candidates import Candidate
from rules.moments import local
from streams.work import Work

__all__ = ["around", "day", "facts", "offered"]

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


def around(work: Work, event: Event) -> Named:
    """Look around once for all candidates of a decision, for what the model may know of the customer."""
    customer, standing = work.customer(event.customer), work.standing(event.customer)
    minute, weekday = local(event.at, work.versions.policy.zone)
    newest = _newest_contact(customer)
    return Around(
        hour=minute // 60,
        weekday=weekday,
        app_class=event.category or "" if event.type == "app_usage" else "",
        classes=_classes(work, customer, event.at),
        days_since_contact=None if newest is None else (work.now - newest) / DAY,
        contacts=sum([len(packed) // 4 for packed in customer.contacts.values()]),
        attrs=standing.profile.attrs,
    ).named()


def offered(work: Work, candidate: Candidate) -> Offered:
    """Give what the model may know of a candidate; its words are those attributes that the rule itself reads."""
    rule, pool = candidate.rule, candidate.rule.then.offer.pool or ""
    of, channel = work.versions.pools.get(pool), candidate.channel or ""
    merchant, face = ("", 0) if of is None else (of.merchant, of.value)
    return Offered(rule.id, rule.programme, channel, merchant, pool, face, rule.who.attributes())


def _classes(work: Work, customer: Customer, at: Millis) -> dict[str, float]:
    classes = work.versions.apps.classes
    # The tags of the classes come first, in their order.
    scores = decode(customer.tags, day(at), below=len(classes)).items()
    return {classes[tag]: value for tag, value in scores if value > 0}


def _newest_contact(customer: Customer) -> Millis | None:
    ends = [int.from_bytes(packed[-4:]) for packed in customer.contacts.values() if packed]
    return max(ends) * SECOND if ends else None
