"""The policy: at what hours a channel may be used, and how often, whatever rules say."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator

from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.offers import Channel
from rules.asked import Written
from rules.canonical import canonical, parsed
from rules.check import checked
from rules.problems import Problem, by_place, mistake
from rules.words import Window, Zone

__all__ = ["Cap", "Hours", "Policy", "load_policy", "within_hours"]

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")

Minutes = tuple[int, int]
"""From which minute of the day until before which."""


def _minutes(value: object) -> Minutes:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise mistake(f'expected hours such as "08:00-21:00", got {value!r}')
    begin = int(found[1]) * 60 + int(found[2])
    end = 24 * 60 if found[3] is None else int(found[3]) * 60 + int(found[4])
    if begin == end:
        raise mistake(f'{value} is no time at all; the whole day is "00:00-24:00"')
    return begin, end


def _clock(minutes: Minutes) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in minutes)


Hours = Annotated[Minutes, PlainValidator(_minutes), PlainSerializer(_clock, when_used="json")]
"""Hours of the day, half open; `21:00-08:00` crosses midnight."""


class Cap(Written):
    """At most so many contacts in any window of this length."""

    within: Window
    at_most: Annotated[int, Field(strict=True, ge=0, le=64)]


_UNSAID: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "hours": {"sms": "08:00-21:00", "push": "08:00-21:00", "list": "00:00-24:00"},
        "caps": {"sms": {"within": "7d", "at_most": 3}, "push": {"within": "7d", "at_most": 7}},
    }
)
"""What holds for a channel that the file does not name: forgetting one must not open it."""


def _hours(said: object) -> object:
    return {**_UNSAID["hours"], **said} if isinstance(said, dict) else said


def _caps(said: object) -> object:
    return {**_UNSAID["caps"], **said} if isinstance(said, dict) else said


class Policy(Written):
    """When and how often customers may be contacted, over all rules and programmes."""

    format: Literal[1]
    zone: Zone
    hours: Annotated[dict[Channel, Hours], BeforeValidator(_hours), Field(default={}, validate_default=True)]
    caps: Annotated[dict[Channel, Cap], BeforeValidator(_caps), Field(default={}, validate_default=True)]

    @classmethod
    def default(cls) -> Self:
        """Give the policy of a house that has not written one.

        Examples
        --------
        >>> Policy.default().caps[Channel.SMS].at_most
        3

        """
        return cls.model_validate({"format": 1, "zone": "Asia/Shanghai"})

    @classmethod
    def of_content(cls, content: bytes) -> Self:
        """Read the published form.

        Raises
        ------
        ValueError
            The content is no published policy.

        """
        return parsed(content, cls)

    @cached_property
    def content(self) -> bytes:
        """The published form: canonical JSON."""
        return canonical(self)

    @cached_property
    def hash(self) -> str:
        """The content's name."""
        return content_hash(self.content)


def load_policy(text: str | bytes, file: str = "policy.yaml") -> Policy | tuple[Problem, ...]:
    """Read the policy, or say what is wrong with it."""
    policy, _, problems = checked(file, text, Policy)
    return by_place(problems) if policy is None or problems else policy


def within_hours(policy: Policy, channel: Channel, now: Millis) -> bool:
    """Whether the channel may be used at this time of day, in the policy's zone.

    Examples
    --------
    >>> from kairos.instants import from_rfc3339
    >>> evening = from_rfc3339("2026-12-01T20:59:59+08:00")
    >>> [within_hours(Policy.default(), Channel.SMS, evening + second * 1000) for second in (0, 1)]
    [True, False]

    """
    begin, end = policy.hours[channel]
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(policy.zone))
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end
