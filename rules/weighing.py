"""Weighing: what each candidate counts for when offers compete, term by term.

priority = propensity x context x value x levers. Offers compete inside their level: a mandatory one before all others,
a default one behind them. What is as high is ordered by the rules' ids.
"""

from typing import Literal

import msgspec

from kairos.decisions import Terms
from kairos.events import Event
from kairos.instants import Millis
from rules.candidates import Candidate
from rules.priorities import Priorities, bounded
from rules.selectors import Selector

__all__ = ["Weighing", "Weight"]


class Weight(msgspec.Struct, frozen=True, gc=False):
    """What a candidate counts for, as `kairos.decisions.Terms` tells it where it is recorded."""

    priority: float
    level: Literal["mandatory", "default"] | None = None
    propensity: float | None = None
    shown: int | None = None
    context: float = 1.0
    value: float = 1.0
    levers: float = 1.0
    pulled: tuple[str, ...] = ()

    @property
    def terms(self) -> Terms:
        """The same for the record."""
        return Terms(
            level=self.level,
            propensity=self.propensity,
            shown=self.shown,
            context=self.context,
            value=self.value,
            levers=self.levers,
            pulled=self.pulled,
            priority=self.priority,
        )


class Weighing:
    """What the candidates of one decision ask of the same event at the same moment, each question once.

    Parameters
    ----------
    event
        What made the rules match: their context.
    priorities
        The levers, and how new offers are smoothed.
    now
        Processing time: a lever that has ended counts as 1.

    """

    __slots__ = ("_event", "_levers", "_met", "_smoothing")

    def __init__(self, event: Event, priorities: Priorities, now: Millis) -> None:
        self._event, self._levers, self._smoothing = event, priorities.in_force(now), priorities.smoothing
        self._met: dict[str, bool] = {}

    def of(self, candidate: Candidate, score: float, shown: int = 0, merchant: str = "") -> Weight | None:
        """Give what a candidate counts for; None where that is its score alone.

        Parameters
        ----------
        candidate
            One that passed the gates, so that it has a channel.
        score, shown
            The chance of a reaction that the model gives, and of how many offers of the rule it has learnt.
        merchant
            Whose coupon it would be, `""` without one.

        """
        rule, smoothing = candidate.rule, self._smoothing
        said = rule.priority
        levers, pulled = self._levers.pulled(rule.id, rule.programme, merchant, candidate.channel or "")
        if said is None and smoothing is None and not pulled:
            return None
        propensity = score if smoothing is None else smoothing.of(score, shown)
        level, value, context = None, 1.0, 1.0
        if said is not None:
            level, value = None if said.level == "usual" else said.level, said.value
            if said.context is not None:
                context = bounded([times for selector, times in said.fits if self._meets(selector)])
        priority = propensity * context * value * levers
        if smoothing is None:
            return Weight(priority, level, None, None, context, value, levers, pulled)
        return Weight(priority, level, propensity, shown, context, value, levers, pulled)

    def _meets(self, selector: Selector) -> bool:
        met = self._met.get(selector.key)
        if met is None:
            met = self._met[selector.key] = selector.meets(self._event)
        return met
