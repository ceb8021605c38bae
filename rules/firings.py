"""Firings: when the rules that consume last fired for a customer, by the time of the events that made them fire."""

from kairos.customer import Customer
from kairos.instants import SECOND, Millis

__all__ = ["fired", "last_fired", "unfired"]

_KEPT = 4
"""How many firings may wait for an answer that takes them back; what fires rests, so there are few."""
_ENTRY = 8


def last_fired(customer: Customer, rule_id: str) -> int:
    """Give the second of the event at which a rule last fired, or -1."""
    packed = customer.fired.get(rule_id)
    return -1 if packed is None else int.from_bytes(packed[-_ENTRY:-4])


def fired(customer: Customer, rule_id: str, at: Millis, held: Millis) -> None:
    """Remember that a rule fired by an event that happened `at`, and that it is held since `held`."""
    entry = (at // SECOND).to_bytes(4) + (held // SECOND).to_bytes(4)
    found = sorted((*_entries(customer, rule_id), entry))
    customer.fired[rule_id] = b"".join(found[-_KEPT:])


def unfired(customer: Customer, rule_id: str, held: Millis) -> None:
    """Take back the firing that is held since `held`, because nothing was sent."""
    found, when = _entries(customer, rule_id), (held // SECOND).to_bytes(4)
    taken = next((entry for entry in reversed(found) if entry[4:] == when), None)
    if taken is not None:
        found.remove(taken)
        customer.fired[rule_id] = b"".join(found)
    if not found:
        customer.fired.pop(rule_id, None)


def _entries(customer: Customer, rule_id: str) -> list[bytes]:
    packed = customer.fired.get(rule_id, b"")
    return [packed[start : start + _ENTRY] for start in range(0, len(packed), _ENTRY)]
