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
    consumes
        The rule's id, where its windows begin no earlier than after its last firing.
    readings
        What the function that is being written reads at most once.

    """

    on: Selector
    cold: bool = False
    consumes: str | None = None
    readings: Readings = field(default_factory=Readings)

    def warm(self, key: str, begin: str) -> str:
        """Write that a feature is remembered since some second, so that what it does not hold did not happen."""
        return ALWAYS if self.cold else f"since[{constant(key)}] <= {begin}"

    def is_warm(self, since: int, begin: int) -> bool:
        """Whether what is remembered since one second is all that happened after another."""
        return self.cold or since <= begin

    def after_firing(self, first: str, again: str) -> tuple[str, str]:
        """Write the later of the last second before a window and that of the last firing, if it is asked for.

        Parameters
        ----------
        first, again
            The last second before the window, where it may not have been read yet and after that.

        """
        if self.consumes is None:
            return first, again
        fired, known = self.readings.of(f"last_fired(customer, {constant(self.consumes)})")
        return f"max({first}, {fired})", f"max({again}, {known})"
