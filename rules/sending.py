"""Sending: what of policy and stops is asked once more when an offer is about to leave."""

from kairos.decisions import Reason
from kairos.instants import Millis
from kairos.offers import Offer
from rules.hours import Use, closed
from rules.policy import Policy
from rules.stops import Stops

__all__ = ["held_back"]


def held_back(policy: Policy, stops: Stops, offer: Offer, now: Millis) -> Reason | None:
    """Give why an offer must not leave at this moment: it may have waited for a gateway until the night.

    The offer carries the zone of its customer. Caps are not asked again: it is counted already.
    """
    if (stopped := stops.of_offer(offer, None if offer.coupon is None else offer.coupon.pool)) is not None:
        return stopped
    zone = offer.zone if policy.customer_zone is not None else None
    found = closed(policy, Use(offer.channel, offer.product, zone), now)
    passes = policy.passes(offer.purpose)
    return next((reason for reason in found if reason not in passes), None)
