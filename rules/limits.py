"""Limits: how often a rule may decide for a customer, by processing time, in both arms alike."""

from kairos.customer import Customer
from kairos.instants import Millis
from kairos.offers import Channel
from rules import rings
from rules.candidates import Candidate
from rules.contacts import contacted, take_back
from rules.firings import fired, unfired
from rules.schema import Rule

__all__ = ["hold", "in_cooldown", "last_decided", "release", "used_up"]


def last_decided(customer: Customer, rule: Rule) -> Millis | None:
    """Give when the rule, or another of its group, last decided for the customer."""
    group = customer.groups.get(rule.limits.group or "", {})
    own = customer.decided.get(rule.id)
    return max((*group.values(), *([] if own is None else [own])), default=None)


def in_cooldown(customer: Customer, rule: Rule, now: Millis) -> bool:
    """Whether the rule, or another of its group, decided for the customer less than this rule's cooldown ago."""
    gated = rule.gated
    if not gated.cooldown:
        return False
    own = customer.decided.get(gated.id)
    if own is not None and now - own < gated.cooldown:
        return True
    if gated.group is None:
        return False
    return any(now - decided < gated.cooldown for decided in customer.groups.get(gated.group, {}).values())


def used_up(customer: Customer, rule: Rule) -> bool:
    """Whether the rule decided for the customer as often as it ever may."""
    most = rule.gated.per_customer
    return most is not None and len(customer.decisions.get(rule.id, b"")) >= most * rings.SIZE


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
    rule = candidate.rule
    customer.decided[rule.id] = now
    if rule.limits.group is not None:
        customer.groups.setdefault(rule.limits.group, {})[rule.id] = now
    if rule.limits.per_customer is not None:
        rings.note(customer.decisions, rule.id, rings.second(now))
    if rule.consume:
        fired(customer, rule.id, at, now)
    contacted(customer, candidate.channel, rule.purpose, now)


def release(customer: Customer, rule_id: str, channel: Channel, purpose: str, held: Millis) -> None:
    """Take back what was held at `held`, because nothing was to be sent; what came later stays."""
    if customer.decided.get(rule_id) == held:
        del customer.decided[rule_id]
    for group, members in list(customer.groups.items()):
        if members.get(rule_id) == held:
            del members[rule_id]
            if not members:
                del customer.groups[group]
    unfired(customer, rule_id, held)
    rings.strike(customer.decisions, rule_id, rings.second(held))
    take_back(customer, channel, purpose, held)
