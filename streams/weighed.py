"""Weighed: what is known of the candidates that passed the gates of one decision, and what each counts for."""

from typing import NamedTuple

from kairos.decisions import Terms
from kairos.events import Event
from rules.candidates import Candidate
from rules.weighing import Propensity, terms_of
from streams.open_decision import Wished
from streams.work import Work

__all__ = ["Weighed", "counts"]


class Weighed(NamedTuple):
    """What is known of the candidates that passed the gates, by their rules."""

    wishes: dict[str, Wished]
    terms: dict[str, Terms | None]


def counts(work: Work, event: Event, candidate: Candidate, score: float) -> Terms | None:
    """Give what a candidate counts for among the others; None where that is its score alone."""
    pool = work.versions.pools.get(candidate.rule.then.offer.pool or "")
    model = work.versions.models.get(candidate.rule.then.objective)
    known = Propensity(score, model.shown.get(candidate.rule.id, 0) if model else 0)
    return terms_of(candidate, known, event, pool.merchant if pool else "", work.versions.priorities, work.now)
