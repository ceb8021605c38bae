"""Deferring: when a rule that came to quiet hours or a closed day is asked again, if it may be."""

from kairos.customer import Standing
from kairos.decisions import Reason
from kairos.events import Event
from kairos.instants import Millis
from kairos.permissions import consents, permitted
from rules.candidates import Candidate
from rules.hours import Use, opens, zone_of
from rules.policy import Policy

__all__ = ["asked_again"]


def asked_again(candidate: Candidate, event: Event, standing: Standing, policy: Policy, now: Millis) -> Millis | None:
    """Give the first moment at which a refused candidate may be sent, if its rule waits for that; else None.

    It waits no longer than the event is fresh and the rule valid. At that moment every gate is asked again.
    """
    rule = candidate.rule
    if rule.in_quiet_hours != "defer" or candidate.reason not in (Reason.QUIET_HOURS, Reason.BLACKOUT):
        return None
    until = event.at + rule.fresh
    if rule.valid.until is not None:
        until = min(until, rule.valid.until - 1)
    said = consents(standing.profile.consent, standing.said)
    zone, product = zone_of(policy, standing.profile.attrs), rule.then.offer.product
    allowed = (channel for channel in rule.then.channels if permitted(said, rule.purpose, channel.value))
    found = [opens(policy, Use(channel, product, zone), now, until) for channel in allowed]
    return min((at for at in found if at is not None), default=None)
