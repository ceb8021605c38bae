"""Deciding: one event's candidates become one decision, in the order that `rules` lays down."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from kairos.customer import Customer
from kairos.decisions import (
    Absence,
    Arm,
    Decision,
    DecisionState,
    EventReference,
    Passed,
    Reason,
    Value,
    Verdict,
)
from kairos.events import Event
from kairos.ids import decision_id, offer_id
from kairos.instants import moment
from kairos.offers import Channel, Offer
from kairos.reservations import Reserve, Wish
from rules.candidates import Candidate, Ranking
from rules.decide import convinced, gates, rank
from rules.exploring import Exploring
from rules.hours import zone_of
from rules.judged import Seen
from rules.limits import hold
from rules.reads import values_read
from rules.schema import Rule
from streams import deferrals
from streams.cause import Cause
from streams.facts import facts
from streams.open_decision import OpenDecision, Wished, keep, write_decision
from streams.ours import record
from streams.outcomes import GRACE
from streams.timers import Timer, set_timer
from streams.topics import LEDGER_COMMANDS, OFFERS
from streams.weighed import Weighed, counts, wishes_of
from streams.wording import told, worded
from streams.work import Work

__all__ = ["decide_on", "matched", "refuse", "resume"]


def matched(work: Work, customer: Customer, event: Event) -> tuple[Rule, ...]:
    """Give the rules whose trigger and conditions an event meets."""
    since = work.since(event.at)
    return work.versions.book.match(event, customer, lambda: work.standing(event.customer), since)


def decide_on(work: Work, cause: Cause, rules: Sequence[Rule]) -> None:
    """Make one decision among rules that matched, and write what follows from it."""
    event, versions = cause.event, work.versions
    customer, standing = work.customer(event.customer), work.standing(event.customer)
    earlier = cause.earlier
    decision = earlier.decision if earlier else decision_id(event.customer, event.id, versions.book.hash)
    candidates = gates(event, customer, standing, rules, versions.policy, work.now, versions.stops)
    wishes = wishes_of(work, event, decision, [c for c in candidates if c.channel is not None])
    convincing = worded(work, event, [_convinced(work, wishes, candidate) for candidate in candidates])
    weights = counts(work, event, [c for c in convincing if c.reason is None], wishes)
    counted = {rule: wishes[rule].score if found is None else found.priority for rule, found in weights.items()}
    explore = work.versions.priorities.explore
    ranking = rank(convincing, counted, None if explore is None else Exploring(explore, decision))
    drafted = _drafted(work, cause, decision, ranking, Weighed(wishes, weights))
    if not ranking.wishes:
        if again := deferrals.due_again(work, cause, candidates):
            deferrals.keep(work, cause, decision, again, drafted["verdicts"])
        else:
            write_decision(work, Decision(**drafted))
        return
    _place(work, event, drafted, ranking.wishes, [wishes[c.rule.id] for c in ranking.wishes])


def resume(work: Work, timer: Timer) -> None:
    """Make a decision that waited for the end of quiet hours: who, permission and every gate are asked anew."""
    found = deferrals.taken(work, timer)
    if found is None:
        return
    cause, waiting, event = found.cause, found.rules, found.cause.event
    book, customer, standing = work.versions.book, work.customer(event.customer), work.standing(event.customer)
    there = [book.rules[name] for name in waiting if name in book.rules]
    rules = [rule for rule in there if book.wants(rule, event, customer, standing)]
    decide_on(work, cause._replace(earlier=found.without({rule.id for rule in rules})), rules)


def refuse(work: Work, cause: Cause, candidate: Candidate) -> None:
    """Write the decision of one candidate that was refused before any gate."""
    decision = decision_id(cause.event.customer, cause.event.id, work.versions.book.hash)
    write_decision(work, Decision(**_drafted(work, cause, decision, Ranking((), (candidate,)), Weighed({}, {}))))


def _convinced(work: Work, wishes: dict[str, Wished], candidate: Candidate) -> Candidate:
    if not candidate.is_open or not candidate.rule.who.scores():
        return candidate
    return convinced(candidate, _scores(work, candidate.rule, wishes[candidate.rule.id]))


def _scores(work: Work, rule: Rule, wish: Wished) -> dict[str, float | None]:
    models = {asked.model: work.versions.models.get(asked.model) for asked in rule.who.scores()}
    return {name: None if model is None else model.score(wish.features) for name, model in models.items()}


class _Drafted(TypedDict):
    id: str
    customer: str
    event: EventReference
    decided_at: datetime
    state: DecisionState
    reason: Reason | None
    programme: str
    offer: NotRequired[str]
    channel: NotRequired[Channel | None]
    verdicts: tuple[Verdict, ...]
    versions: dict[str, str]
    facts: dict[str, Value]
    absence: Absence | None
    deferred_at: datetime | None
    test: bool


def _drafted(work: Work, cause: Cause, decision: str, ranking: Ranking, weighed: Weighed) -> _Drafted:
    """Gather everything that is known before the ledger was asked; the record is made once its end is known."""
    customer = cause.event.customer
    read, winner = _reading(work, cause), _winner(ranking)
    verdicts: list[Verdict] = []
    for place, c in enumerate((*ranking.wishes, *ranking.refused), 1):
        rule, wish = c.rule, weighed.wishes.get(c.rule.id)
        weight = weighed.weights.get(rule.id)
        verdict = Verdict(
            rule=rule.id,
            programme=rule.programme,
            offer=wish.offer if wish else offer_id(decision, rule.id),
            arm=c.arm,
            channel=c.channel,
            pool=rule.then.offer.pool,
            verdict=_word(c) if c is winner else c.reason or Reason.OUTRANKED,
            score=wish.score if wish else None,
            rank=place if place <= len(ranking.wishes) else None,
            passed=_passed(work, c),
            terms=None if weight is None else weight.terms,
            chance=ranking.chances.get(rule.id),
            control=c.control,
            treatment=c.treatment,
            read=read(rule, wish),
            parameter=c.parameter,
        )
        verdicts.append(verdict)
    earlier = cause.earlier
    verdicts += earlier.verdicts if earlier else ()
    return _Drafted(
        id=decision,
        customer=customer,
        event=cause.reference,
        decided_at=moment(work.now),
        state="suppressed",
        reason=None if ranking.wishes else next(v.verdict for v in verdicts if isinstance(v.verdict, Reason)),
        programme=verdicts[0].programme,
        verdicts=tuple(verdicts),
        # In the order of their names: the order in which a worker read the catalogue is chance.
        versions=dict(sorted(work.versions.hashes.items())),
        facts=facts(cause.event, work.standing(customer)),
        absence=cause.absence,
        deferred_at=moment(earlier.at) if earlier else None,
        test=work.versions.policy.is_test(customer, work.standing(customer).profile.tags),
    )


def _winner(ranking: Ranking) -> Candidate | None:
    """Give the candidate that has won already; where a coupon is at stake, the ledger is asked before."""
    first = ranking.wishes[0] if ranking.wishes else None
    return first if first is not None and first.rule.then.offer.pool is None else None


def _word(winner: Candidate) -> Literal["won"] | Reason:
    return Reason.CONTROL if winner.arm is Arm.CONTROL else "won"


def _reading(work: Work, cause: Cause) -> Callable[[Rule, Wished | None], dict[str, Value] | None]:
    """Give what tells the values that a rule read, as far as they were asked for this decision."""
    event, standing = cause.event, work.standing(cause.event.customer)
    seen = Seen(event, work.customer(event.customer), lambda: standing, work.since(event.at))
    is_later = cause.absence is not None or cause.earlier is not None

    def read(rule: Rule, wish: Wished | None) -> dict[str, Value] | None:
        scores = {} if wish is None else _scores(work, rule, wish)
        return values_read(rule, seen, scores, is_later=is_later) or None

    return read


def _passed(work: Work, candidate: Candidate) -> Passed | None:
    if not candidate.passed:
        return None
    purpose = work.versions.policy.purposes[candidate.rule.purpose]
    return Passed(gates=candidate.passed, because=purpose.because or "")


def _place(work: Work, event: Event, drafted: _Drafted, ranked: Sequence[Candidate], wishes: list[Wished]) -> None:
    """Ask the ledger where a coupon is at stake; else the first candidate has won.

    What may still win is held, so that no second decision counts on the same room; who cannot win any more is not.
    """
    first, customer, decision = ranked[0], work.customer(event.customer), drafted["id"]
    opened = OpenDecision(decided=work.now, programme=first.rule.programme, wishes=wishes, test=drafted["test"])
    opened.chance = drafted["verdicts"][0].chance or 1.0
    if first.rule.then.offer.pool is not None:
        for candidate in ranked:
            hold(customer, candidate, work.now, event.at)
        opened.draft = Decision(**drafted).model_dump_json().encode()
        latest = max(wish.expires for wish in wishes)
        set_timer(work.store, Timer(latest + GRACE, "end", decision, event.customer))
        keep(work, event.customer, decision, opened)
        _reserve(work, decision, event.customer, ranked, wishes)
        return
    hold(customer, first, work.now, event.at)
    write_decision(work, _ended(drafted, first, wishes[0]))
    if first.arm is Arm.CONTROL:
        return
    opened.wishes = wishes[:1]
    keep(work, event.customer, decision, opened)
    set_timer(work.store, Timer(wishes[0].expires + GRACE, "end", decision, event.customer))
    offer = _offer(work, decision, event.customer, first, wishes[0])
    work.outputs.append(record(OFFERS[offer.channel], offer.customer, "kairos.offer.v1", offer.id, offer, work.now))


def _ended(drafted: _Drafted, first: Candidate, wish: Wished) -> Decision:
    """Make the decision whose first candidate has won, be it for the control arm."""
    withheld = first.arm is Arm.CONTROL
    drafted["state"] = "withheld" if withheld else "offered"
    drafted["reason"] = Reason.CONTROL if withheld else None
    drafted["offer"], drafted["channel"] = wish.offer, first.channel
    return Decision(**drafted)


def _reserve(work: Work, decision: str, customer: str, ranked: Sequence[Candidate], wishes: list[Wished]) -> None:
    reserve = Reserve(
        id=decision,
        customer=customer,
        programme=ranked[0].rule.programme,
        wishes=tuple(
            Wish(offer=_offer(work, decision, customer, c, wish), arm=c.arm, pool=c.rule.then.offer.pool)
            for c, wish in zip(ranked, wishes, strict=True)
        ),
        at=moment(work.now),
    )
    name = f"{decision}:reserve"
    work.outputs.append(record(LEDGER_COMMANDS, reserve.programme, "kairos.ledger.command.v1", name, reserve, work.now))


def _offer(work: Work, decision: str, customer: str, candidate: Candidate, wish: Wished) -> Offer:
    person, policy, rule = work.standing(customer).profile, work.versions.policy, candidate.rule
    text, message = told(candidate)
    return Offer(
        id=wish.offer,
        decision=decision,
        customer=customer,
        programme=rule.programme,
        rule=rule.id,
        channel=Channel(wish.channel),
        purpose=rule.purpose,
        template=rule.then.template,
        text=text,
        product=rule.then.offer.product,
        decided_at=moment(work.now),
        expires_at=moment(wish.expires),
        zone=zone_of(policy, person.attrs),
        test=policy.is_test(customer, person.tags),
        message=message,
    )
