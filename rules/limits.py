"""Limits: how often a rule may decide and a channel may be used, by processing time, in both arms alike."""

from kairos.customer import Customer
from kairos.instants import SECOND, Millis
from kairos.offers import Channel
from rules import rings
from rules.candidates import Candidate
from rules.policy import Policy
from rules.schema import Rule

__all__ = ["capped", "hold", "in_cooldown", "release"]


def in_cooldown(customer: Customer, rule: Rule, now: Millis) -> bool:
    """Whether the rule decided for the customer less than its cooldown ago."""
    decided = customer.decided.get(rule.id)
    return decided is not None and now - decided < rule.limits.cooldown


def capped(customer: Customer, channel: Channel, policy: Policy, now: Millis) -> bool:
    """Whether the channel was used as often as the policy allows in the window that ends now."""
    cap = policy.caps.get(channel)
    if cap is None:
        return False
    if cap.at_most == 0:
        return True
    ring = customer.contacts.get(channel.value, b"")
    return rings.reached(ring, rings.second(now), cap.within // SECOND, cap.at_most)


def hold(customer: Customer, candidate: Candidate, now: Millis) -> None:
    """Count a contact by the candidate's channel, and begin the cooldown of its rule.

    Raises
    ------
    ValueError
        The candidate was refused, so it has no channel to be held.

    """
    if candidate.channel is None:
        raise ValueError(f"{candidate.rule.id} has no channel: {candidate.reason}")
    customer.decided[candidate.rule.id] = now
    channel = candidate.channel.value
    customer.contacts[channel] = rings.add(customer.contacts.get(channel, b""), rings.second(now), rings.KEPT_AT_MOST)


def release(customer: Customer, rule_id: str, channel: Channel, held: Millis) -> None:
    """Take back what was held at `held`, because nothing was sent; what came later stays."""
    if customer.decided.get(rule_id) == held:
        del customer.decided[rule_id]
    left = rings.remove(customer.contacts.get(channel.value, b""), rings.second(held))
    if left:
        customer.contacts[channel.value] = left
    else:
        customer.contacts.pop(channel.value, None)
