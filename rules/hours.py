"""Hours: whether a channel may be used at a moment, and when it may be used next."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from kairos.decisions import Reason
from kairos.events import Attribute
from kairos.instants import DAY, MINUTE, Millis
from kairos.offers import Channel
from rules.moments import Minutes, local, minutes_in
from rules.policy import Closure, Policy
from rules.words import is_zone

__all__ = ["DAYTIME", "Use", "closed", "closures", "hours_of", "opens", "zone_of"]

DAYTIME: Final[Minutes] = (8 * 60, 21 * 60)
"""What holds beside the policy's hours for a customer whose zone is not known: never at night."""
_QUARTER = 15 * MINUTE
_QUIET_AT_MOST = 2 * DAY
"""After so long without an open minute there is none: no day is longer."""


class Use(msgspec.Struct, frozen=True, gc=False):
    """What is to be used: a channel, for a product if one is offered, in the zone of the customer if it is known."""

    channel: Channel
    product: str | None = None
    zone: str | None = None


def zone_of(policy: Policy, attrs: Mapping[str, Attribute]) -> str | None:
    """Give the customer's own zone; None where the policy asks for none, or nothing sound is known."""
    if policy.customer_zone is None:
        return None
    said = attrs.get(policy.customer_zone)
    return said if isinstance(said, str) and _is_zone(said) else None


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    return is_zone(name)


def closed(policy: Policy, use: Use, now: Millis) -> tuple[Reason, ...]:
    """Give each reason why a channel may not be used at this moment.

    Examples
    --------
    >>> from kairos.instants import from_rfc3339
    >>> evening = from_rfc3339("2026-12-01T20:59:59+08:00")
    >>> [len(closed(Policy.default(), Use(Channel.SMS), evening + second * 1000)) for second in (0, 1)]
    [0, 1]

    """
    minute = local(now, use.zone or policy.zone)[0]
    quiet: tuple[Reason, ...] = ()
    for hours in hours_of(policy, use):
        if not minutes_in(hours, minute):
            quiet = (Reason.QUIET_HOURS,)
    return (Reason.BLACKOUT, *quiet) if policy.spans and closures(policy, use, now) else quiet


def closures(policy: Policy, use: Use, now: Millis) -> list[tuple[Millis, Closure]]:
    """Give what of the calendar closes a channel now, each with the moment at which it ends."""
    return [(end, one) for begin, end, one in policy.spans if begin <= now < end and _touches(policy, one, use)]


def hours_of(policy: Policy, use: Use) -> list[Minutes]:
    """Give the hours that all have to hold: the channel's, those of the product's classes, and by day where unsure."""
    found = [policy.hours[use.channel]]
    if classes := policy.classes_of.get(use.product or ""):
        said = [policy.classes[name].hours.get(use.channel) for name in classes]
        found += [narrower for narrower in said if narrower is not None]
    if policy.customer_zone is not None and use.zone is None:
        found.append(DAYTIME)
    return found


def _touches(policy: Policy, closure: Closure, use: Use) -> bool:
    if closure.channels is not None and use.channel not in closure.channels:
        return False
    return closure.classes is None or any(
        name in closure.classes for name in policy.classes_of.get(use.product or "", ())
    )


def opens(policy: Policy, use: Use, now: Millis, until: Millis) -> Millis | None:
    """Give the first moment from `now` to `until` at which a channel may be used; None where there is none.

    Examples
    --------
    >>> from kairos.instants import from_rfc3339, rfc3339
    >>> night = from_rfc3339("2026-12-01T23:10:00+08:00")
    >>> rfc3339(opens(Policy.default(), Use(Channel.SMS), night, night + DAY))
    '2026-12-02T00:00:00.000Z'
    >>> opens(Policy.default(), Use(Channel.SMS), night, night + 60 * MINUTE) is None
    True

    """
    at = quiet_since = now
    while at <= until and at - quiet_since <= _QUIET_AT_MOST:
        if not closed(policy, use, at):
            return at
        if ends := [end for end, _ in closures(policy, use, at)]:
            at = quiet_since = max(ends)
        else:
            at = _later(policy, use, at)
    return None


def _later(policy: Policy, use: Use, at: Millis) -> Millis:
    """Go on to the next minute at which some hours begin, but no further than clocks may be changed."""
    minute = local(at, use.zone or policy.zone)[0]
    ahead = min((begin - minute) % 1440 or 1440 for begin, _ in hours_of(policy, use))
    return min((at // MINUTE + ahead) * MINUTE, (at // _QUARTER + 1) * _QUARTER)
