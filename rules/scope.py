"""The scope of a condition: the rule it belongs to, as far as the condition depends on it."""

from dataclasses import dataclass, field

from rules.selectors import Selector
from rules.source import ALWAYS, Readings, constant

__all__ = ["Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition knows of its rule.

    Parameters
    ----------
    on
        The trigger's events.
    cold
        Whether "few" and "never" may be said of a memory that is younger than the time they speak of.
    readings
        What the function that is being written reads at most once.

    """

    on: Selector
    cold: bool = False
    readings: Readings = field(default_factory=Readings)

    def warm(self, key: str, seconds: int) -> str:
        """Write that a feature is remembered for so long, so that what it does not hold did not happen."""
        return ALWAYS if self.cold else f"since[{constant(key)}] <= at - {seconds}"

    def is_warm(self, since: int, begin: int) -> bool:
        """Whether what is remembered since one second is all that happened after another."""
        return self.cold or since <= begin
