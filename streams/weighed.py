"""Weighed: what is known of the candidates that passed the gates of one decision, and what each counts for."""

from collections.abc import Sequence
from typing import NamedTuple

from kairos.customer import Standing
from kairos.decisions import Terms
from kairos.events import Event
from kairos.ids import offer_id
from models.features import features
from rules.candidates import Candidate
from rules.weighing import Propensity, terms_of
from streams.facts import Around, around, context
from streams.learning import PRIOR
from streams.open_decision import Wished
from streams.work import Work

__all__ = ["Weighed", "counts", "wishes_of"]


class Weighed(NamedTuple):
    """What is known of the candidates that passed the gates, by their rules."""

    wishes: dict[str, Wished]
    terms: dict[str, Terms | None]


def wishes_of(
    work: Work, event: Event, standing: Standing, decision: str, candidates: Sequence[Candidate]
) -> dict[str, Wished]:
    """Give how each candidate that passed the gates would go out, and what it would teach, by its rule."""
    if not candidates:
        return {}
    known = around(work, event)
    return {c.rule.id: _wished(work, known, standing, decision, c) for c in candidates}


def _wished(work: Work, known: Around, standing: Standing, decision: str, candidate: Candidate) -> Wished:
    rule = candidate.rule
    found = features(context(work, known, standing, candidate))
    model = work.versions.models.get(rule.then.objective)
    return Wished(
        offer=offer_id(decision, rule.id),
        rule=rule.id,
        channel=(candidate.channel or rule.then.channels[0]).value,
        pool=rule.then.offer.pool or "",
        expires=work.now + rule.then.expires,
        objective=rule.then.objective,
        wait=rule.then.wait,
        reactions=rule.then.reactions,
        features=found,
        score=PRIOR if model is None else model.score(found),
        purpose=rule.purpose,
        treatment=candidate.treatment or "",
    )


def counts(work: Work, event: Event, candidate: Candidate, score: float) -> Terms | None:
    """Give what a candidate counts for among the others; None where that is its score alone."""
    pool = work.versions.pools.get(candidate.rule.then.offer.pool or "")
    model = work.versions.models.get(candidate.rule.then.objective)
    known = Propensity(score, model.shown.get(candidate.rule.id, 0) if model else 0)
    return terms_of(candidate, known, event, pool.merchant if pool else "", work.versions.priorities, work.now)
