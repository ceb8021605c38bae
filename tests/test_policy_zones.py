"""Zones in the policy: days of 23 and 25 hours, midnights that are not there, and holidays beside one another."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kairos.decisions import Reason
from kairos.instants import DAY, MINUTE, Millis
from kairos.offers import Channel
from rules.hours import Use, closed, opens
from rules.policy import Policy, load_policy

ZONES = ("Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "America/St_Johns", "Asia/Beirut")
QUARTER = 15 * MINUTE


def changes(zone: str) -> Iterator[date]:
    """Give the days of 2027 on which clocks are changed."""
    for number in range(365):
        day = date(2027, 1, 1) + timedelta(days=number)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
        # The day before may be a Saturday whose midnight is the change itself.
        if noon.utcoffset() != (noon - timedelta(days=1)).utcoffset():
            yield day


def around(day: date) -> Iterator[Millis]:
    first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) - DAY
    return iter(range(first, first + 3 * DAY, QUARTER))


def policy(zone: str, day: date) -> Policy:
    found = load_policy(f"format: 1\nzone: {zone}\nhours: {{sms: 08:30-21:15}}\ncalendar: [{{name: x, on: {day}}}]")
    assert isinstance(found, Policy), found
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_a_holiday_lasts_from_midnight_to_midnight_and_hours_go_by_the_clock_on_the_wall(zone: str) -> None:
    days = list(changes(zone))

    assert len(days) == 2
    for day in days:
        house = policy(zone, day)
        for at in around(day):
            wall = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
            why = closed(house, Use(Channel.SMS), at)

            assert (Reason.BLACKOUT in why) == (wall.date() == day), wall
            assert (Reason.QUIET_HOURS in why) == (not "08:30" <= f"{wall:%H:%M}" < "21:15"), wall


@pytest.mark.parametrize("zone", ZONES)
def test_what_waits_goes_at_the_first_moment_that_is_open_however_long_the_day(zone: str) -> None:
    for day in changes(zone):
        house, moments = policy(zone, day), list(around(day))
        free = [at for at in moments if not closed(house, Use(Channel.SMS), at)]
        for at in moments[::7]:
            assert opens(house, Use(Channel.SMS), at, moments[-1]) == next((one for one in free if one >= at), None)


def test_between_two_holidays_nothing_is_closed_and_two_that_touch_leave_no_second_between_them() -> None:
    text = """format: 1
zone: Asia/Shanghai
calendar:
  - {name: a, from: 2027-02-05, until: 2027-02-06}
  - {name: b, on: 2027-02-07}
  - {name: c, on: 2027-02-09}
  - {name: d, from: 2027-02-06, until: 2027-02-07}
"""
    found = load_policy(text)
    assert isinstance(found, Policy)
    first = int(datetime(2027, 2, 4, 16, tzinfo=UTC).timestamp() * 1000)
    edges = [(day, first + day * DAY + second * 1000) for day in range(6) for second in (0, 1, 43_200, 86_399)]
    shut = {day: Reason.BLACKOUT in closed(found, Use(Channel.SMS), at) for day, at in edges}

    assert shut == {0: True, 1: True, 2: True, 3: False, 4: True, 5: False}
    assert all((Reason.BLACKOUT in closed(found, Use(Channel.SMS), at)) is shut[day] for day, at in edges)
