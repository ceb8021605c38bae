"""Weighed: what is known of the candidates that passed the gates of one decision, and what each counts for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kairos.events import Event
from kairos.ids import offer_id
from models.features import Named, features
from rules.candidates import Candidate
from rules.weighing import Weighing, Weight
from streams.facts import around, offered
from streams.learning import PRIOR
from streams.open_decision import Wished
from streams.work import Work

__all__ = ["Weighed", "counts", "wishes_of"]


Weights = dict[str, Weight | None]
"""What candidates count for, by their rules."""


class Weighed(NamedTuple):
    """What is known of the candidates that passed the gates, by their rules."""

    wishes: dict[str, Wished]
    weights: Weights


def wishes_of(work: Work, event: Event, decision: str, candidates: Sequence[Candidate]) -> dict[str, Wished]:
    """Give how each candidate that passed the gates would go out, and what it would teach, by its rule."""
    if not candidates:
        return {}
    known = around(work, event)
    return {c.rule.id: _wished(work, known, decision, c) for c in candidates}


def _wished(work: Work, known: Named, decision: str, candidate: Candidate) -> Wished:
    rule = candidate.rule
    found = features(offered(work, candidate), known)
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


def counts(work: Work, event: Event, candidates: Iterable[Candidate], wishes: Mapping[str, Wished]) -> Weights:
    """Give what each candidate counts for among the others, by its rule; None where that is its score alone."""
    versions = work.versions
    weighing, found = Weighing(event, versions.priorities, work.now), Weights()
    for c in candidates:
        rule, offered = c.rule.id, c.rule.then.offer
        model, pool = versions.models.get(c.rule.then.objective), versions.pools.get(offered.pool or "")
        shown = 0 if model is None else model.shown.get(rule, 0)
        found[rule] = weighing.of(c, wishes[rule].score, shown, "" if pool is None else pool.merchant)
    return found
