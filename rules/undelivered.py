"""Warnings of what the contact policy makes of a rule: it lets no offer through, or only some of those that wait."""

from collections.abc import Iterator

from kairos.instants import DAY, MINUTE, Millis
from rules.hours import Use, hours_of
from rules.moments import Clock, minutes_in
from rules.policy import Policy
from rules.schema import Rule
from rules.words import length

__all__ = ["undelivered"]

_Odd = Iterator[tuple[tuple[str | int, ...], str]]


def undelivered(rule: Rule, policy: Policy) -> _Odd:
    """Say where in a rule, and why, it is not delivered."""
    capped = [channel for channel in rule.then.channels if _is_closed(policy, channel)]
    if len(capped) == len(rule.then.channels):
        yield ("then", "channels"), "the policy's caps let no offer through by any of its channels"
        return
    if rule.in_quiet_hours == "defer" and rule.fresh < (quiet := _longest_quiet(rule, policy)):
        what = f"what comes at the beginning of quiet hours is no longer fresh at their end, {length(quiet)} later"
        yield ("fresh",), what
    clock = rule.on.where.get("at")
    if not isinstance(clock, Clock) or clock.time is None or clock.zone != policy.zone or rule.fresh >= DAY:
        return
    # An event may be decided on as late as it is fresh, so that minutes after the hours of the trigger count, too.
    late = range(rule.fresh // MINUTE + 2)
    minutes = {(m + d) % 1440 for m in range(1440) if any(minutes_in(h, m) for h in clock.time) for d in late}
    hours = [policy.hours[channel] for channel in rule.then.channels if channel not in capped]
    if not any(minutes_in(one, minute) for one in hours for minute in minutes):
        yield ("on", "where", "at"), "at these hours the policy lets no offer through by any of its channels"


def _longest_quiet(rule: Rule, policy: Policy) -> Millis:
    """Give the longest time of a day in which no channel of the rule is open."""
    uses = [Use(channel, rule.then.offer.product) for channel in rule.then.channels]
    hours = [tuple(hours_of(policy, use)) for use in uses]
    longest = run = 0
    # Twice around the clock: quiet hours mostly cross midnight.
    for minute in range(2 * 1440):
        is_open = any(all(minutes_in(one, minute % 1440) for one in each) for each in hours)
        run = 0 if is_open else run + 1
        longest = max(longest, run)
    return min(longest, 1440) * MINUTE


def _is_closed(policy: Policy, channel: object) -> bool:
    return any(cap.at_most == 0 for name, caps in policy.caps.items() if name == channel for cap in caps)
