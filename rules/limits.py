"""Limits: how often a rule may decide and a channel may be used, by processing time, in both arms alike."""

from kairos.customer import Customer
from kairos.instants import SECOND, Millis
from kairos.offers import Channel
from rules import rings
from rules.candidates import Candidate
from rules.firings import fired, unfired
from rules.policy import Policy
from rules.schema import Rule

__all__ = ["capped", "hold", "in_cooldown", "last_decided", "release", "used_up"]

_SECOND = 4
"""How many bytes a noted decision has, see `rules.rings`."""


def last_decided(customer: Customer, rule: Rule) -> Millis | None:
    """Give when the rule, or another of its group, last decided for the customer."""
    group = customer.groups.get(rule.limits.group or "", {})
    own = customer.decided.get(rule.id)
    return max((*group.values(), *([] if own is None else [own])), default=None)


def in_cooldown(customer: Customer, rule: Rule, now: Millis) -> bool:
    """Whether the rule, or another of its group, decided for the customer less than this rule's cooldown ago."""
    decided = last_decided(customer, rule)
    return decided is not None and now - decided < rule.limits.cooldown


def used_up(customer: Customer, rule: Rule) -> bool:
    """Whether the rule decided for the customer as often as it ever may."""
    most = rule.limits.per_customer
    return most is not None and len(customer.decisions.get(rule.id, b"")) >= most * _SECOND


def capped(customer: Customer, channel: Channel, policy: Policy, now: Millis) -> bool:
    """Whether the channel was used as often as the policy allows in the window that ends now."""
    cap = policy.caps.get(channel)
    if cap is None:
        return False
    if cap.at_most == 0:
        return True
    ring = customer.contacts.get(channel.value, b"")
    return rings.reached(ring, rings.second(now), cap.within // SECOND, cap.at_most)


def hold(customer: Customer, candidate: Candidate, now: Millis, at: Millis) -> None:
    """Count a contact by the candidate's channel and a decision of its rule, and begin the rule's cooldown.

    Parameters
    ----------
    customer
        The hot record.
    candidate
        What passed the gates.
    now
        Processing time.
    at
        When the event happened that made the rule fire: from then on a rule that consumes looks no further back.

    Raises
    ------
    ValueError
        The candidate was refused, so it has no channel to be held.

    """
    if candidate.channel is None:
        raise ValueError(f"{candidate.rule.id} has no channel: {candidate.reason}")
    rule, second = candidate.rule, rings.second(now)
    customer.decided[rule.id] = now
    if rule.limits.group is not None:
        customer.groups.setdefault(rule.limits.group, {})[rule.id] = now
    if rule.limits.per_customer is not None:
        _note(customer.decisions, rule.id, second)
    if rule.consume:
        fired(customer, rule.id, at, now)
    _note(customer.contacts, candidate.channel.value, second)


def release(customer: Customer, rule_id: str, channel: Channel, held: Millis) -> None:
    """Take back what was held at `held`, because nothing was sent; what came later stays."""
    if customer.decided.get(rule_id) == held:
        del customer.decided[rule_id]
    for group, members in list(customer.groups.items()):
        if members.get(rule_id) == held:
            del members[rule_id]
            if not members:
                del customer.groups[group]
    unfired(customer, rule_id, held)
    _strike(customer.decisions, rule_id, rings.second(held))
    _strike(customer.contacts, channel.value, rings.second(held))


def _note(notes: dict[str, bytes], name: str, second: int) -> None:
    notes[name] = rings.add(notes.get(name, b""), second, rings.KEPT_AT_MOST)


def _strike(notes: dict[str, bytes], name: str, second: int) -> None:
    left = rings.remove(notes.get(name, b""), second)
    if left:
        notes[name] = left
    else:
        notes.pop(name, None)
