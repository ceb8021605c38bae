"""The ledger of contacts: one for each customer, over all rules, lists and channels, by processing time.

It counts attempts, in both arms alike; what is known never to have reached the customer is taken out again.
"""

from bisect import bisect_right

from kairos.customer import Customer
from kairos.decisions import Reason
from kairos.instants import SECOND, Millis
from kairos.offers import Channel
from rules import rings
from rules.policy import Caps, Policy

__all__ = ["contacted", "counted", "crowded", "rests_until", "shut", "take_back"]


def contacted(customer: Customer, channel: Channel, purpose: str, now: Millis) -> None:
    """Write down a contact."""
    second = rings.second(now)
    rings.note(customer.contacts, channel.value, second)
    rings.note(customer.purposes, purpose, second)


def take_back(customer: Customer, channel: Channel, purpose: str, held: Millis) -> None:
    """Strike out the contact of this moment, for it never reached the customer; one that is not there is no error."""
    second = rings.second(held)
    rings.strike(customer.contacts, channel.value, second)
    rings.strike(customer.purposes, purpose, second)


def crowded(customer: Customer, purpose: str, policy: Policy, now: Millis) -> tuple[Reason, ...]:
    """Give each reason why the customer is not to be contacted now, by whatever channel."""
    found: list[Reason] = []
    second = rings.second(now)
    if policy.gap is not None and counted(customer, second - policy.gap // SECOND, second):
        found.append(Reason.GAP)
    for cap in policy.overall or ():
        if counted(customer, second - cap.within // SECOND, second) >= cap.at_most:
            found.append(Reason.OVERALL_CAP)
            break
    if (caps := policy.caps_of(purpose)) and _full(customer.purposes.get(purpose, b""), caps, second):
        found.append(Reason.PURPOSE_CAP)
    return tuple(found)


def shut(customer: Customer, channel: Channel, policy: Policy, now: Millis) -> tuple[Reason, ...]:
    """Give each reason why this channel is not to be used for the customer now."""
    until = rests_until(customer, channel, policy)
    found = () if until is None or now >= until else (Reason.IGNORED,)
    if _full(customer.contacts.get(channel, b""), policy.caps.get(channel, ()), rings.second(now)):
        return (*found, Reason.CONTACT_CAP)
    return found


def rests_until(customer: Customer, channel: Channel, policy: Policy) -> Millis | None:
    """Give until when a channel rests because its messages were ignored; None where they were not."""
    ignored = policy.ignored
    if ignored is None:
        return None
    row = customer.ignored.get(channel, b"")
    if len(row) < ignored.after * rings.SIZE:
        return None
    return int.from_bytes(row[-rings.SIZE :]) * SECOND + ignored.rest


def _full(ring: bytes, caps: Caps, second: int) -> bool:
    # A generator would take longer than what it asks.
    for cap in caps:  # noqa: SIM110 - see above
        if cap.at_most == 0 or rings.reached(ring, second, cap.within // SECOND, cap.at_most):
            return True
    return False


def counted(customer: Customer, after: int, until: int) -> int:
    """Count the contacts by all channels in the seconds `(after, until]`.

    Examples
    --------
    >>> customer = Customer()
    >>> contacted(customer, Channel.SMS, "marketing", 100_000)
    >>> contacted(customer, Channel.PUSH, "service", 160_999)
    >>> counted(customer, 99, 160), counted(customer, 100, 160), counted(customer, 99, 159)
    (2, 1, 1)

    """
    found = 0
    for ring in customer.contacts.values():
        seconds = rings.until(ring, until)
        found += len(seconds) - bisect_right(seconds, after)
    return found
