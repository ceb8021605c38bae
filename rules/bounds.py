"""Bounds: on which days a rule holds, and how often it decides for one customer."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from kairos.instants import Millis
from kairos.offers import Identifier
from rules.asked import Written
from rules.problems import mistake
from rules.words import Duration, FirstDay, LastDay

__all__ = ["Limits", "Valid"]


class Valid(Written):
    """From which day to which, both included; None is open."""

    from_: FirstDay | None = Field(None, alias="from")
    until: LastDay | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise mistake("until must not be before from")
        return self

    def at(self, now: Millis) -> bool:
        """Whether `now` lies inside."""
        return (self.from_ is None or now >= self.from_) and (self.until is None or now < self.until)


class Limits(Written):
    """How often, in both arms alike.

    A decision for a customer silences the rule for the cooldown, and every other rule of its group for theirs. A rule
    decides for one customer `per_customer` times at most, for ever; a decision that came to nothing does not count.
    """

    cooldown: Duration = 0
    """How long the rule is silent for a customer after a decision, in both arms alike."""
    per_customer: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None
    """How often the rule decides for one customer, for ever."""
    group: Identifier | None = None
    """Rules of one group share their cooldowns."""
