"""The policy: at what hours a channel may be used, and how often, whatever rules say."""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field

from kairos.ids import content_hash
from kairos.instants import Millis
from kairos.offers import Channel
from rules.asked import Written
from rules.canonical import canonical, parsed
from rules.check import checked
from rules.moments import Hours, local, minutes_in
from rules.problems import Problem, by_place
from rules.words import Format, Window, Zone

__all__ = ["Cap", "Policy", "load_policy", "within_hours"]


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

    format: Format
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
    return minutes_in(policy.hours[channel], local(now, policy.zone)[0])
