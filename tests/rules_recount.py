"""What the conditions on the past mean, said by going through all that happened: no memory, no shared code."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kairos.events import Event, Transaction
from kairos.instants import DAY, HOUR, SECOND
from rules.conditions.absent import Absent
from rules.conditions.aggregate import Aggregate
from rules.conditions.amounts import Average, Largest, Smallest, Sum
from rules.conditions.count import Count
from rules.conditions.distinct import Distinct
from rules.conditions.first import First
from rules.conditions.last_seen import LastSeen
from rules.conditions.sequence import Sequence
from rules.conditions.when import When
from rules.fields import CATEGORY
from rules.judged import all_hold, opposite, some_hold
from rules.schema import Rule
from rules.selectors import Selector, Watched

NEVER = -(10**12)


def held(rule: Rule, when: When, life: list[Event], fired: int = NEVER) -> bool | None:
    """Whether conditions hold for the last event of a life; `fired` is the second of the rule's last firing."""
    if when.none is not None:
        return opposite(held(rule, when.none, life, fired))
    if when.parts is not None:
        found = [held(rule, part, life, fired) for part in when.parts]
        return all_hold(found) if when.any is None else some_hold(found)
    return leaf_held(rule.on.selector, when.leaf, life, fired)


def leaf_held(on: Selector, asked: Any, life: list[Event], fired: int = NEVER) -> bool | None:
    """Whether one condition holds."""
    trigger = life[-1]
    now = trigger.at // SECOND
    match asked:
        case Absent():
            return True
        case Count():
            begin = max(_begin(asked, trigger), fired)
            return _within(sum(begin < at <= now for at in _seconds(asked, on, life)), asked)
        case Distinct():
            begin = max(_begin(asked, trigger), fired)
            found = {_text(e, asked.field) for e in _met(asked, on, life) if begin < e.at // SECOND <= now}
            return _within(len(found - {None}), asked)
        case LastSeen():
            begin = max(now - (asked.within or asked.at_least or 0) // SECOND, fired)
            return any(begin < at < now for at in _seconds(asked, on, life)) == (asked.within is not None)
        case First():
            begin = max(NEVER if asked.in_ is None else now - asked.in_ // SECOND, fired)
            return not any(begin < at < now for at in _seconds(asked, on, life))
        case Aggregate():
            return _amounted(asked, on, life)
        case Sequence():
            return _followed(asked, on, life, max(now - asked.within // SECOND, fired))
    raise AssertionError(f"nobody recounts {asked}")


def _met(asked: Watched, on: Selector, life: list[Event]) -> list[Event]:
    return [event for event in life if asked.watched(on).meets(event)]


def _seconds(asked: Watched, on: Selector, life: list[Event]) -> list[int]:
    return [event.at // SECOND for event in _met(asked, on, life)]


def _within(number: int, asked: Count | Distinct) -> bool:
    return number >= (asked.at_least or 0) and (asked.at_most is None or number <= asked.at_most)


def _text(event: Event, field: str) -> Any:
    return event.category if field == CATEGORY.get(event.type) else getattr(event.data, field, None)


def _begin(asked: Count | Distinct, event: Event) -> int:
    """Give the last second before the window."""
    if asked.within is not None:
        return event.at // SECOND - asked.within // SECOND
    today = datetime.fromtimestamp(event.at / 1000, ZoneInfo(asked.zone)).replace(hour=0, minute=0, second=0)
    return int((today - timedelta(days=(asked.days or 1) - 1)).timestamp()) - 1


def _amounted(asked: Aggregate, on: Selector, life: list[Event]) -> bool | None:
    bounds = [getattr(asked, name) for name in ("at_least", "at_most", "above", "below")]
    currency = next((bound.currency for bound in bounds if hasattr(bound, "currency")), None)
    unit = _hour if asked.within is not None and asked.within <= 7 * DAY else _day
    last = unit(life[-1].at, asked.zone)
    if asked.within is None:
        first = last - timedelta(days=(asked.days or 1) - 1)
    else:
        first = unit(life[-1].at - asked.within, asked.zone)
    inside = [event for event in _met(asked, on, life) if first <= unit(event.at, asked.zone) <= last]
    if currency:
        inside = [e for e in inside if isinstance(e.data, Transaction) and e.data.currency == currency]
    values = [value for event in inside if (value := getattr(event.data, asked.field)) is not None]
    if not values and not isinstance(asked, Sum):
        return None
    low, high, over, under = (getattr(bound, "minor", bound) for bound in bounds)
    # An average is compared as a fraction: both sides times the number of values.
    times = len(values) if isinstance(asked, Average) else 1
    pick: Any = {Smallest: min, Largest: max}.get(type(asked), sum)
    came = pick(values)
    return (
        (low is None or came >= low * times)
        and (high is None or came <= high * times)
        and (over is None or came > over * times)
        and (under is None or came < under * times)
    )


def _hour(at: int, _: str) -> Any:
    return datetime.fromtimestamp(at // HOUR * 3600, UTC)


def _day(at: int, zone: str) -> Any:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()


def _followed(asked: Sequence, on: Selector, life: list[Event], begin: int) -> bool | None:
    """Try every run through the steps."""
    own = asked.steps[-1].same_as is not None
    now, steps = life[-1].at // SECOND, asked.steps[:-1] if own else asked.steps
    shared = [_text(life[-1], name) for name in asked.same or ()]
    if None in shared:
        return None
    ours = [event for event in life if [_text(event, name) for name in asked.same or ()] == shared]
    ends = {begin}
    for step in steps:
        later = _seconds(step, on, ours)
        ends = {at for at in later if any(end < at for end in ends)}
    return any(end < now or (end == now and not own) for end in ends)
