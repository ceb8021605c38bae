"""The decision: through which gates a matched rule comes, and which of those that came through is wished for.

Steps 2 to 10 of the order of a decision. Conditions ran in event time; the gates run in processing time.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final

import msgspec
from msgspec.structs import replace

from kairos.customer import Customer, Standing
from kairos.decisions import Reason
from kairos.events import Event
from kairos.instants import Millis
from kairos.offers import Channel
from kairos.permissions import consents, permitted
from rules.arms import Arms, drawn
from rules.candidates import Candidate, Ranking
from rules.contacts import crowded, shut
from rules.exploring import Exploring, chances, drawn_first
from rules.hours import Use, closed, zone_of
from rules.limits import in_cooldown, used_up
from rules.policy import Policy
from rules.schema import Rule, Status
from rules.stops import NOTHING, Stops
from rules.weighing import MANDATORY, level_of

__all__ = ["Candidate", "Ranking", "convinced", "gates", "rank", "refused"]

_Passed = tuple[Reason, ...]
_Outcome = tuple[Channel | Reason, _Passed]
"""The channel or the refusal, and what was passed on the way because of the purpose."""
_Way = tuple[str, tuple[Channel, ...], tuple[str, ...]]
"""Purpose, channels and classes of the product: rules that have these in common are answered alike."""
_Open = list[tuple[Channel, _Passed]]
"""The channels that are open, each with what was passed."""


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
    asked = _Asked(customer, standing, policy, now)
    candidates: list[Candidate] = []
    arms = Arms(event.customer, policy)
    for written in sorted(matched, key=_id):
        # The arm is told for every match, so that both arms can be seen to lose the same customers on the way.
        arm, control, treatment, spared = arms.of(written)
        rule = written if treatment is None else written.treated[treatment]
        refusal = stops.of_rule(rule) or _of_the_rule(rule, event, standing, now)
        outcome, passed = (refusal, ()) if refusal else asked.by_channel(rule, stops.open(rule.then.channels))
        if isinstance(outcome, Reason):
            candidates.append(Candidate(rule, arm, None, outcome, (), control, treatment))
        else:
            passed = (*passed, Reason.CONTROL) if spared else passed
            candidates.append(Candidate(rule, arm, outcome, None, passed, control, treatment))
    return tuple(candidates)


_id, _id_of_rule = attrgetter("id"), attrgetter("rule.id")


def refused(rule: Rule, customer: str, policy: Policy, reason: Reason | None) -> Candidate:
    """Give a rule that matched before it comes to any gate, refused or not; the arm is told all the same."""
    found = drawn(rule, customer, policy)
    return Candidate(found.form(rule), found.arm, None, reason, (), found.control, found.treatment)


def _of_the_rule(rule: Rule, event: Event, standing: Standing, now: Millis) -> Reason | None:
    if not rule.valid.at(now):
        return Reason.NOT_VALID
    if rule.status is not Status.ACTIVE:
        return Reason.RULE_PAUSED
    if now - event.at > rule.fresh:
        return Reason.STALE
    return Reason.DO_NOT_CONTACT if standing.profile.do_not_contact else None


class _Answer(msgspec.Struct):
    """What was answered for one way: the channels that are open by the hours, and the outcome where it was asked."""

    awake: _Open | Reason
    outcome: _Outcome | None = None


class _Asked:
    """What the candidates of one decision ask of the same customer at the same moment, each question once."""

    __slots__ = ("_customer", "_now", "_policy", "_standing", "_ways", "_zone")

    def __init__(self, customer: Customer, standing: Standing, policy: Policy, now: Millis) -> None:
        self._customer, self._standing, self._policy, self._now = customer, standing, policy, now
        self._zone = zone_of(policy, standing.profile.attrs)
        self._ways: dict[_Way, _Answer] = {}

    def by_channel(self, rule: Rule, channels: tuple[Channel, ...]) -> _Outcome:
        """Give the first channel that passes every gate, or the reason of the furthest gate that one reached."""
        classes = self._policy.classes_of.get(rule.then.offer.product or "", ())
        way = (rule.purpose, channels, classes)
        found = self._ways.get(way)
        if found is None:
            found = self._ways[way] = _Answer(self._awake(rule, channels))
        awake = found.awake
        if isinstance(awake, Reason):
            return awake, ()
        if in_cooldown(self._customer, rule, self._now):
            return Reason.COOLDOWN, ()
        if used_up(self._customer, rule):
            return Reason.CUSTOMER_LIMIT, ()
        if found.outcome is None:
            found.outcome = self._uncrowded(rule.purpose, awake)
        return found.outcome

    def _awake(self, rule: Rule, channels: tuple[Channel, ...]) -> _Open | Reason:
        """Ask consent, then calendar and hours."""
        profile, policy, purpose = self._standing.profile, self._policy, rule.purpose
        said = consents(profile.consent, self._standing.said)
        allowed = [channel for channel in channels if permitted(said, purpose, channel.value)]
        if not allowed:
            return Reason.NO_CONSENT
        if not profile.personalisation:
            return Reason.NO_PERSONALISATION
        product, passes = rule.then.offer.product, policy.passes(purpose)
        found = [(channel, closed(policy, Use(channel, product, self._zone), self._now)) for channel in allowed]
        awake = [(channel, why) for channel, why in found if not why or all(reason in passes for reason in why)]
        return awake or _furthest(next(reason for reason in why if reason not in passes) for _, why in found)

    def _uncrowded(self, purpose: str, awake: _Open) -> _Outcome:
        """Ask the ledger of contacts: of the customer first, then of each channel."""
        customer, policy, now = self._customer, self._policy, self._now
        passes = policy.passes(purpose)
        crowd = tuple(crowded(customer, purpose, policy, now))
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


def rank(
    candidates: Iterable[Candidate], priorities: Mapping[str, float], exploring: Exploring | None = None
) -> Ranking:
    """Let the open candidates compete; the programme of the best one wins, for one ledger must answer for all.

    Parameters
    ----------
    candidates
        What the gates gave.
    priorities
        What each counts for, by rule id; a rule without one ranks behind those of its level that have.
    exploring
        How far others than the best are put first; not at all unless it is said.

    """
    everyone = sorted(candidates, key=_id_of_rule)
    ranked = [candidate for candidate in everyone if candidate.reason is None]
    # Sorting is stable, so what is as high is ordered by id.
    ranked.sort(key=lambda candidate: (level_of(candidate.rule), -priorities.get(candidate.rule.id, 0.0)))
    tried = {} if exploring is None or not ranked else _put_first(ranked, priorities, exploring)
    winner = ranked[0].rule.programme if ranked else None
    refused = [
        Candidate(one.rule, one.arm, one.channel, Reason.OUTRANKED, one.passed, one.control, one.treatment)
        if one.reason is None
        else one
        for one in everyone
        if one.reason is not None or one.rule.programme != winner
    ]
    return Ranking(tuple(c for c in ranked if c.rule.programme == winner), tuple(refused), tried)


def _put_first(ranked: list[Candidate], priorities: Mapping[str, float], exploring: Exploring) -> dict[str, float]:
    """Draw which of the best one's level comes first; the others keep their order. Gives the chances.

    Nothing is tried in the place of a mandatory offer, and no default one in the place of others.
    """
    same = [one for one in ranked if level_of(one.rule) == level_of(ranked[0].rule)]
    if len(same) < 2 or level_of(ranked[0].rule) == MANDATORY:
        return {}
    found = chances([priorities.get(one.rule.id, 0.0) for one in same], exploring.how)
    chosen = same[drawn_first(found, exploring.decision)]
    ranked.remove(chosen)
    ranked.insert(0, chosen)
    return {one.rule.id: chance for one, chance in zip(same, found, strict=True)}
