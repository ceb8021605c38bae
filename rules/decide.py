"""The decision: through which gates a matched rule comes, and which of those that came through is wished for.

Steps 2 to 10 of the order of a decision. Conditions ran in event time; the gates run in processing time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from rules.gated import MANDATORY, Gated
from rules.hours import Use, closed, zone_of
from rules.limits import in_cooldown, used_up
from rules.policy import Policy
from rules.schema import Rule
from rules.stops import NOTHING, Stops

__all__ = ["Candidate", "Ranking", "convinced", "gates", "rank", "refused"]

_Passed = tuple[Reason, ...]
"""What would have refused the rule, but for its purpose."""
_Outcome = tuple[Channel | None, Reason | None, _Passed]
"""The channel, or the reason why there is none, and what was passed on the way."""
_NOT_VALID: Final[_Outcome] = (None, Reason.NOT_VALID, ())
_PAUSED: Final[_Outcome] = (None, Reason.RULE_PAUSED, ())
_STALE: Final[_Outcome] = (None, Reason.STALE, ())
_DO_NOT_CONTACT: Final[_Outcome] = (None, Reason.DO_NOT_CONTACT, ())
_NO_CONSENT: Final[_Outcome] = (None, Reason.NO_CONSENT, ())
_NO_PERSONALISATION: Final[_Outcome] = (None, Reason.NO_PERSONALISATION, ())
_COOLDOWN: Final[_Outcome] = (None, Reason.COOLDOWN, ())
_CUSTOMER_LIMIT: Final[_Outcome] = (None, Reason.CUSTOMER_LIMIT, ())


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
    asked = _Asked(event, customer, standing, policy, now, stops)
    return tuple([asked.candidate(rule) for rule in sorted(matched, key=_id)])


_id, _id_of_rule = attrgetter("id"), attrgetter("rule.id")


def refused(rule: Rule, customer: str, policy: Policy, reason: Reason | None) -> Candidate:
    """Give a rule that matched before it comes to any gate, refused or not; the arm is told all the same."""
    found = drawn(rule, customer, policy)
    return Candidate(found.form(rule), found.arm, None, reason, (), found.control, found.treatment)


class _Way(msgspec.Struct):
    """What was answered for one way: refused by consent or hours, or the channels that are left and their outcome.

    The first of the channels is awake, with what it passed; whether the others are is asked where the first is shut.
    """

    refused: _Outcome | None
    channels: Sequence[Channel] = ()
    passed: _Passed = ()
    outcome: _Outcome | None = None


class _Asked:
    """What the candidates of one decision ask of the same customer at the same moment, each question once."""

    __slots__ = (
        "_age",
        "_arms",
        "_classes_of",
        "_customer",
        "_now",
        "_policy",
        "_said",
        "_standing",
        "_stops",
        "_ways",
        "_zone",
    )

    def __init__(
        self, event: Event, customer: Customer, standing: Standing, policy: Policy, now: Millis, stops: Stops
    ) -> None:
        self._customer, self._standing, self._policy, self._now = customer, standing, policy, now
        self._stops = stops if stops.kinds or stops.unread else None
        self._age, self._arms = now - event.at, Arms(event.customer, policy)
        self._said = consents(standing.profile.consent, standing.said)
        self._zone, self._classes_of = zone_of(policy, standing.profile.attrs), policy.classes_of
        self._ways: dict[tuple[str, tuple[Channel, ...], tuple[str, ...]], _Way] = {}

    def candidate(self, written: Rule) -> Candidate:
        """Lead one rule through the gates."""
        # The arm is told for every match, so that both arms can be seen to lose the same customers on the way.
        arm, control, treatment, spared = self._arms.of(written)
        rule = written if treatment is None else written.treated[treatment]
        channel, reason, passed = self._outcome(rule, rule.gated)
        if spared and reason is None:
            passed = (*passed, Reason.CONTROL)
        return Candidate(rule, arm, channel, reason, passed, control, treatment)

    def _outcome(self, rule: Rule, gated: Gated) -> _Outcome:
        channels, now = gated.channels, self._now
        if self._stops is not None:
            if why := self._stops.of_rule(rule):
                return None, why, ()
            channels = self._stops.open(channels)
        if not gated.begin <= now < gated.end:
            return _NOT_VALID
        if not gated.is_active:
            return _PAUSED
        if self._age > gated.fresh:
            return _STALE
        if self._standing.profile.do_not_contact:
            return _DO_NOT_CONTACT
        # Alike for rules that have purpose, channels and classes of the product in common.
        name = gated.purpose, channels, self._classes_of.get(gated.product, ())
        way = self._ways.get(name)
        if way is None:
            way = self._ways[name] = self._asked(gated, channels)
        if way.refused is not None:
            return way.refused
        if gated.cooldown and in_cooldown(self._customer, rule, now):
            return _COOLDOWN
        if gated.per_customer is not None and used_up(self._customer, rule):
            return _CUSTOMER_LIMIT
        if way.outcome is None:
            way.outcome = self._uncrowded(gated, way)
        return way.outcome

    def _asked(self, gated: Gated, channels: tuple[Channel, ...]) -> _Way:
        """Ask consent, then calendar and hours, until a channel is awake."""
        passes, reached = self._policy.passes(gated.purpose), list[Reason]()
        for place, channel in enumerate(channels):
            why = self._closed(gated, channel)
            if why is None:
                continue
            if not self._standing.profile.personalisation:
                return _Way(_NO_PERSONALISATION)
            if (refusing := _first(why, passes)) is None:
                return _Way(None, channels[place:], why)
            reached.append(refusing)
        return _Way((None, _furthest(reached), ()) if reached else _NO_CONSENT)

    def _closed(self, gated: Gated, channel: Channel) -> _Passed | None:
        """Give each reason why a channel may not be used now; None where the customer does not consent to it at all."""
        if not permitted(self._said, gated.purpose, channel):
            return None
        return closed(self._policy, Use(channel, gated.product, self._zone), self._now)

    def _uncrowded(self, gated: Gated, way: _Way) -> _Outcome:
        """Ask the ledger of contacts: of the customer first, then of each channel."""
        customer, policy, now = self._customer, self._policy, self._now
        passes = policy.passes(gated.purpose)
        crowd = crowded(customer, gated.purpose, policy, now)
        if refusing := _first(crowd, passes):
            return None, refusing, ()
        reached: list[Reason] = []
        for place, channel in enumerate(way.channels):
            why = self._closed(gated, channel) if place else way.passed
            if why is not None and _first(why, passes) is None:
                found = shut(customer, channel, policy, now)
                if (refusing := _first(found, passes)) is None:
                    return channel, None, (*why, *crowd, *found)
                reached.append(refusing)
        return None, _furthest(reached), ()


def _first(reasons: Iterable[Reason], passes: Collection[Reason]) -> Reason | None:
    """Give the first reason that the purpose does not pass."""
    for reason in reasons:
        if reason not in passes:
            return reason
    return None


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
    if not ranked:
        return Ranking((), tuple(everyone))
    # Sorting is stable, so what is as high is ordered by id.
    ranked.sort(key=lambda candidate: (candidate.rule.gated.level, -priorities.get(candidate.rule.id, 0.0)))
    tried = {} if exploring is None else _put_first(ranked, priorities, exploring)
    winner = ranked[0].rule.programme
    refused = [
        Candidate(one.rule, one.arm, one.channel, Reason.OUTRANKED, one.passed, one.control, one.treatment)
        if one.reason is None
        else one
        for one in everyone
        if one.reason is not None or one.rule.programme != winner
    ]
    return Ranking(tuple([c for c in ranked if c.rule.programme == winner]), tuple(refused), tried)


def _put_first(ranked: list[Candidate], priorities: Mapping[str, float], exploring: Exploring) -> dict[str, float]:
    """Draw which of the best one's level comes first; the others keep their order. Gives the chances.

    Nothing is tried in the place of a mandatory offer, and no default one in the place of others.
    """
    level = ranked[0].rule.gated.level
    same = [one.rule.id for one in ranked if one.rule.gated.level == level]
    if len(same) < 2 or level == MANDATORY:
        return {}
    found = chances([priorities.get(rule, 0.0) for rule in same], exploring.how)
    # Those of a level stand side by side, the best one's in front.
    ranked.insert(0, ranked.pop(drawn_first(found, exploring.decision)))
    return dict(zip(same, found, strict=True))
