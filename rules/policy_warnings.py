"""Warnings of a contact policy that is well written, and does not do what its author may believe."""

from collections.abc import Iterator

from kairos.instants import DAY, SECOND, Millis
from kairos.offers import Channel
from rules.findings import clock
from rules.moments import minutes_in
from rules.policy import Policy

__all__ = ["policy_warnings"]

Path = tuple[str | int, ...]


def policy_warnings(policy: Policy, now: Millis) -> Iterator[tuple[Path, str]]:
    """Say what is odd, and where; each is sure of what it says.

    Parameters
    ----------
    policy
        The policy.
    now
        The time it is judged at.

    """
    last = max((end for _, end, _ in policy.spans), default=None)
    if last is not None and last <= now + 30 * DAY:
        day = clock(last - SECOND, policy.zone)[:10]
        yield ("calendar",), f"the calendar ends on {day}; holidays after it are days like any other"
    for number, (_, end, closure) in enumerate(policy.spans):
        if end <= now:
            yield ("calendar", number), f"{closure.name!r} is over"
    for name, found in policy.classes.items():
        for channel, hours in found.hours.items():
            if not any(minutes_in(hours, m) and minutes_in(policy.hours[channel], m) for m in range(1440)):
                what = f"these hours and those of {channel} have no minute in common; the class {name!r} is never sent"
                yield ("classes", name, "hours", channel.value), what
    for channel in Channel:
        for number, cap in enumerate(policy.caps.get(channel, ())):
            if any(one.within >= cap.within and one.at_most <= cap.at_most for one in policy.overall or ()):
                what = f"the cap over everything is as tight, so this one of {channel} never decides"
                yield ("caps", channel.value, number), what
