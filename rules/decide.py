"""The decision: through which gates a matched rule comes, and which of those that came through is wished for.

Steps 2 to 10 of the order of a decision. Conditions ran in event time; the gates run in processing time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from kairos.customer import Customer, Standing
from kairos.decisions import Arm, Reason
from kairos.events import Event
from kairos.ids import share
from kairos.instants import Millis
from kairos.offers import Channel
from kairos.permissions import consents, permitted
from rules.candidates import Candidate, Ranking
from rules.contacts import crowded, shut
from rules.hours import Use, closed, zone_of
from rules.limits import in_cooldown, used_up
from rules.policy import Policy
from rules.schema import Rule, Status
from rules.stops import NOTHING, Stops

__all__ = ["Candidate", "Ranking", "arm", "convinced", "gates", "rank", "refused"]

_Outcome = tuple[Channel | Reason, tuple[Reason, ...]]
"""The channel or the refusal, and what was passed on the way because of the purpose."""


def arm(rule: Rule, customer: str) -> Arm:
    """Give the part of the rule's experiment that a customer is in, the same for ever.

    A larger control share keeps all customers of a smaller one.
    """
    return Arm.CONTROL if share(rule.salt, customer) < rule.experiment.control else Arm.TREATMENT


def gates(
    event: Event,
    customer: Customer,
    standing: Standing,
    matched: Iterable[Rule],
    policy: Policy,
    now: Millis,
    stops: Stops = NOTHING,
) -> tuple[Candidate, ...]:
    """Lead each matched rule through the gates, in the order of the rules' ids.

    Parameters
    ----------
    event
        What made the rules match.
    customer
        The hot record: cooldowns and contacts.
    standing
        The profile and what the customer said: consent and personalisation.
    matched
        The rules that matched.
    policy
        Hours and caps.
    now
        Processing time.
    stops
        What people have stopped.

    Returns
    -------
    One candidate for each rule: with a channel, or with the reason of the gate that was reached.

    """
    candidates: list[Candidate] = []
    for rule in sorted(matched, key=lambda rule: rule.id):
        refusal = stops.of_rule(rule) or _of_the_rule(rule, event, standing, now)
        channels = stops.open(rule.then.channels)
        outcome, passed = (refusal, ()) if refusal else _by_channel(rule, channels, customer, standing, policy, now)
        # The arm is told for every match, so that both arms can be seen to lose the same customers on the way.
        found = arm(rule, event.customer)
        if isinstance(outcome, Reason):
            candidates.append(Candidate(rule, found, reason=outcome))
        else:
            candidates.append(Candidate(rule, found, outcome, passed=passed))
    return tuple(candidates)


def refused(rule: Rule, customer: str, reason: Reason) -> Candidate:
    """Refuse a rule that matched before it comes to any gate; the arm is told all the same."""
    return Candidate(rule, arm(rule, customer), reason=reason)


def _of_the_rule(rule: Rule, event: Event, standing: Standing, now: Millis) -> Reason | None:
    if not rule.valid.at(now):
        return Reason.NOT_VALID
    if rule.status is not Status.ACTIVE:
        return Reason.RULE_PAUSED
    if now - event.at > rule.fresh:
        return Reason.STALE
    return Reason.DO_NOT_CONTACT if standing.profile.do_not_contact else None


def _by_channel(
    rule: Rule, channels: Sequence[Channel], customer: Customer, standing: Standing, policy: Policy, now: Millis
) -> _Outcome:
    """Give the first channel that passes every gate, or the reason of the furthest gate that one reached."""
    said = consents(standing.profile.consent, standing.said)
    allowed = [channel for channel in channels if permitted(said, rule.purpose, channel.value)]
    if not allowed:
        return Reason.NO_CONSENT, ()
    if not standing.profile.personalisation:
        return Reason.NO_PERSONALISATION, ()
    zone, product = zone_of(policy, standing.profile.attrs), rule.then.offer.product
    found = [(channel, closed(policy, Use(channel, product, zone), now)) for channel in allowed]
    passes = policy.passes(rule.purpose)
    awake = [(channel, why) for channel, why in found if not why or all(reason in passes for reason in why)]
    if not awake:
        return _furthest(next(reason for reason in why if reason not in passes) for _, why in found), ()
    if in_cooldown(customer, rule, now):
        return Reason.COOLDOWN, ()
    if used_up(customer, rule):
        return Reason.CUSTOMER_LIMIT, ()
    return _uncrowded(rule, customer, awake, policy, now)


def _uncrowded(
    rule: Rule, customer: Customer, awake: Sequence[tuple[Channel, tuple[Reason, ...]]], policy: Policy, now: Millis
) -> _Outcome:
    """Ask the ledger of contacts: of the customer first, then of each channel."""
    passes = policy.passes(rule.purpose)
    crowd = tuple(crowded(customer, rule.purpose, policy, now))
    if refusing := [reason for reason in crowd if reason not in passes]:
        return refusing[0], ()
    reached: list[Reason] = []
    for channel, why in awake:
        found = tuple(shut(customer, channel, policy, now))
        if refusing := [reason for reason in found if reason not in passes]:
            reached.append(refusing[0])
        else:
            return channel, (*why, *crowd, *found)
    return _furthest(reached), ()


_ORDER: Final = tuple(Reason)


def _furthest(reasons: Iterable[Reason]) -> Reason:
    # The list of reasons is written in the order of the gates.
    return max(reasons, key=_ORDER.index)


def convinced(candidate: Candidate, scores: Mapping[str, float | None]) -> Candidate:
    """Ask the rule's score clauses of a candidate; a model that says nothing convinces nobody.

    Parameters
    ----------
    candidate
        What the gates gave.
    scores
        The chance that each model gives the customer, by the model's name.

    """
    if not candidate.is_open:
        return candidate
    for asked in candidate.rule.who.scores():
        found = scores.get(asked.model)
        if found is None or found < asked.at_least:
            return replace(candidate, channel=None, reason=Reason.SCORE_TOO_LOW)
    return candidate


def rank(candidates: Iterable[Candidate], scores: Mapping[str, float]) -> Ranking:
    """Let the open candidates compete; the programme of the best one wins, for one ledger must answer for all.

    Parameters
    ----------
    candidates
        What the gates gave.
    scores
        The chance of a reaction by rule id; a rule without one ranks behind those that have.

    """
    everyone = sorted(candidates, key=lambda candidate: candidate.rule.id)
    # Sorting is stable, so equal scores are ordered by id.
    ranked = sorted(
        (candidate for candidate in everyone if candidate.is_open),
        key=lambda candidate: -scores.get(candidate.rule.id, 0.0),
    )
    winner = ranked[0].rule.programme if ranked else None
    refused = (
        replace(candidate, reason=Reason.OUTRANKED) if candidate.is_open else candidate
        for candidate in everyone
        if not candidate.is_open or candidate.rule.programme != winner
    )
    return Ranking(tuple(c for c in ranked if c.rule.programme == winner), tuple(refused))
