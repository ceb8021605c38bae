"""Weighing: what each candidate counts for when offers compete, term by term.

priority = propensity x context x value x levers. Offers compete inside their level: a mandatory one before all others,
a default one behind them. What is as high is ordered by the rules' ids.
"""

from math import prod
from typing import Final, NamedTuple

from kairos.decisions import Terms
from kairos.events import Event
from kairos.instants import Millis
from rules.candidates import Candidate
from rules.priorities import LEAST, MOST, Priorities, Priority

__all__ = ["Propensity", "terms_of"]

_UNSAID: Final = Priority()


class Propensity(NamedTuple):
    """The chance of a reaction that the model gives, and of how many offers of the rule it has learnt."""

    score: float
    shown: int = 0


def terms_of(
    candidate: Candidate, model: Propensity, event: Event, merchant: str, priorities: Priorities, now: Millis
) -> Terms | None:
    """Give what a candidate counts for; None where that is its propensity alone.

    Parameters
    ----------
    candidate
        One that passed the gates, so that it has a channel.
    model
        What the model says.
    event
        What made the rule match: its context.
    merchant
        Whose coupon it would be, `""` without one.
    priorities
        The levers, and how new offers are smoothed.
    now
        Processing time: a lever that has ended counts as 1.

    """
    rule = candidate.rule
    smoothing = priorities.smoothing
    if rule.priority is None and smoothing is None and not priorities.levers:
        return None
    said = rule.priority or _UNSAID
    offer = {"rule": rule.id, "programme": rule.programme, "merchant": merchant, "channel": candidate.channel or ""}
    pulled = priorities.pulled(offer, now)
    if rule.priority is None and smoothing is None and not pulled:
        return None
    propensity = model.score if smoothing is None else smoothing.of(model.score, model.shown)
    context = _bounded([times for selector, times in said.fits if selector.meets(event)])
    levers = _bounded([lever.times for lever in pulled])
    return Terms(
        level=None if said.level == "usual" else said.level,
        propensity=None if smoothing is None else propensity,
        shown=None if smoothing is None else model.shown,
        context=context,
        value=said.value,
        levers=levers,
        pulled=tuple(lever.name for lever in pulled),
        priority=propensity * context * said.value * levers,
    )


def _bounded(factors: list[float]) -> float:
    if not factors:
        return 1.0
    return min(max(prod(factors), LEAST), MOST)
