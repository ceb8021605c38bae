"""Outcomes: what comes back for an offer moves its decision to an end, the ledger along, and teaches the model."""

from collections.abc import Callable
from typing import get_args

from kairos.decisions import Decision, DecisionEnded, EndState, Reason
from kairos.events import Consent, Event, Feedback, Reaction
from kairos.examples import Example
from kairos.instants import DAY, MINUTE, Millis, moment
from kairos.offers import Channel
from kairos.reservations import Change
from models.labels import Happening, Label, Labelling, Phase, advance
from rules import rings
from rules.contacts import take_back
from streams.blame import Blamed
from streams.open_decision import Held, OpenDecision, find, keep, remove, write_decision
from streams.ours import record
from streams.timers import Timer, due, set_timer
from streams.topics import DECISIONS, EXAMPLES, LEDGER_COMMANDS
from streams.work import Work

__all__ = ["FORGET", "GRACE", "came_back", "fire", "happened"]

GRACE: Millis = 1 * MINUTE
"""How long after its expiry a decision waits for a last receipt."""
FORGET: Millis = 30 * DAY
"""How long after its end what comes back still counts."""

_MOST_WORDS = 100
_REACTIONS = frozenset(get_args(Reaction))
_REASONS = frozenset(reason.value for reason in Reason)
_TEACHES = frozenset(happening.value for happening in Happening)
_ENDS: dict[str, EndState] = {
    "delivered": "delivered",
    "undelivered": "failed",
    "rejected": "failed",
    "expired": "expired",
}


def came_back(work: Work, event: Event, feedback: Feedback) -> None:
    """Take a receipt, a reaction or an opt-out into account."""
    if feedback.what == "opted_out":
        word = Consent(purpose=feedback.purpose, channel=feedback.channel, granted=False, at=moment(event.at))
        work.keep_said(event.customer, _with(work.said(event.customer), word))
        work.permission(event.customer)
        return
    opened = find(work, event.customer, feedback.decision or "")
    if opened is None or feedback.decision is None:
        return
    opened.simulated |= feedback.simulated
    if opened.draft or opened.late:
        opened.early.append(_told(feedback))
    else:
        happened(work, event.customer, feedback.decision, opened, _told(feedback))
    keep(work, event.customer, feedback.decision, opened)


def _with(said: tuple[Consent, ...], word: Consent) -> tuple[Consent, ...]:
    """Add a word; of those on the same purpose and channel the newest is enough, however often it is said."""
    same = [one for one in said if (one.purpose, one.channel) == (word.purpose, word.channel)]
    return (*(one for one in said if one not in same), max((*same, word), key=lambda one: one.at))[-_MOST_WORDS:]


def _told(feedback: Feedback) -> str:
    """Write what happened; behind a blank why, where it is a reason of the house and not a gateway's own word."""
    return f"{feedback.what} {feedback.reason}" if feedback.reason in _REASONS else feedback.what


def happened(work: Work, customer: str, decision: str, opened: OpenDecision, told: str) -> None:
    """Move one open decision by one thing that happened to its offer, with its reason behind a blank if it has one."""
    what, _, why = told.partition(" ")
    _tell_ledger(work, decision, opened, what)
    _label(work, customer, decision, opened, what)
    _watch(work, customer, decision, opened, what)
    end = "delivered" if what in _REACTIONS else _ENDS.get(what)
    if end is not None:
        _end(work, customer, decision, opened, end, Reason(why) if why and end != "delivered" else None)


def fire(work: Work, resume: Callable[[Work, Timer], None]) -> None:
    """Do what is due; `resume` makes a decision that was deferred."""
    for timer in due(work.store, work.now):
        with Blamed(f"timer {timer.what} of decision {timer.decision}"):
            if timer.what == "defer":
                resume(work, timer)
            else:
                _fire(work, timer)


def _fire(work: Work, timer: Timer) -> None:
    opened = find(work, timer.customer, timer.decision)
    if opened is None:
        return
    if timer.what == "forget":
        remove(work, timer.customer, timer.decision)
        return
    if timer.what == "ignored":
        if not opened.reacted and work.versions.policy.ignored is not None:
            rings.note(work.customer(timer.customer).ignored, opened.wishes[0].channel, rings.second(work.now))
        return
    if timer.what == "wait":
        _label(work, timer.customer, timer.decision, opened, Happening.DUE)
    elif opened.draft:
        _end_unanswered(work, timer, opened)
    else:
        _end(work, timer.customer, timer.decision, opened, "unknown")
    keep(work, timer.customer, timer.decision, opened)


def _end_unanswered(work: Work, timer: Timer, opened: OpenDecision) -> None:
    """End a decision whose ledger was silent until its offers expired; what is held stays held until it speaks."""
    draft = Decision.model_validate_json(opened.draft)
    write_decision(work, draft.model_copy(update={"state": "suppressed", "reason": Reason.NO_ANSWER}))
    opened.draft, opened.late, opened.ended = b"", True, "suppressed"
    set_timer(work.store, Timer(work.now + FORGET, "forget", timer.decision, timer.customer))


def _tell_ledger(work: Work, decision: str, opened: OpenDecision, what: str) -> None:
    held = Held(opened.held)
    if held is Held.NOTHING:
        return
    if what == "redeemed" and held is not Held.REDEEMED:
        _change(work, decision, opened, "redeem", Held.REDEEMED)
    elif what in ("accepted", "delivered") and held is Held.RESERVED:
        _change(work, decision, opened, "confirm", Held.CONFIRMED)
    elif what in ("undelivered", "rejected", "expired") and held is not Held.REDEEMED:
        # Each of these is a definite "the customer never saw the code"; "unknown" is not, and keeps it.
        _change(work, decision, opened, "release", Held.NOTHING)


def _change(work: Work, decision: str, opened: OpenDecision, kind: str, held: Held) -> None:
    change = Change.model_validate(
        {"kind": kind, "id": decision, "programme": opened.programme, "at": moment(work.now)}
    )
    name = f"{decision}:{kind}"
    work.outputs.append(record(LEDGER_COMMANDS, opened.programme, "kairos.ledger.command.v1", name, change, work.now))
    opened.held = held


def _label(work: Work, customer: str, decision: str, opened: OpenDecision, what: str) -> None:
    if what not in _TEACHES:
        return
    wish = opened.wishes[0]
    labelling = Labelling(frozenset(Happening(reaction) for reaction in wish.reactions))
    before = Phase(opened.phase)
    after, label = advance(before, Happening(what), work.now, labelling)
    opened.phase = after.value
    if before is Phase.SENT and after is Phase.WAITING:
        set_timer(work.store, Timer(work.now + wish.wait, "wait", decision, customer))
    if label is not None:
        _teach(work, decision, opened, label)


def _watch(work: Work, customer: str, decision: str, opened: OpenDecision, what: str) -> None:
    """See whether a message is ignored: from its delivery on, for as long as the policy says."""
    ignored = work.versions.policy.ignored
    if what in _REACTIONS:
        opened.reacted = True
        # A row of ignored messages ends with one that was not.
        work.customer(customer).ignored.pop(opened.wishes[0].channel, None)
    elif what == "delivered" and ignored is not None and not opened.watched:
        opened.watched = True
        set_timer(work.store, Timer(work.now + ignored.within, "ignored", decision, customer))


def _teach(work: Work, decision: str, opened: OpenDecision, label: Label) -> None:
    if opened.test:
        return
    wish = opened.wishes[0]
    example = Example(
        id=decision,
        objective=wish.objective,
        features=wish.features,
        label=label.positive,
        corrects=label.corrects,
        propensity=opened.chance,
        score=wish.score,
        decided_at=moment(opened.decided),
        simulated=opened.simulated,
        treatment=wish.treatment or None,
    )
    name = f"{decision}:{int(label.positive)}"
    work.outputs.append(record(EXAMPLES, wish.objective, "kairos.example.v1", name, example, work.now))


def _end(
    work: Work, customer: str, decision: str, opened: OpenDecision, state: EndState, reason: Reason | None = None
) -> None:
    if opened.ended:
        return
    opened.ended = state
    if state in ("failed", "expired"):
        # An attempt counts until it is known that nothing reached the customer.
        wish = opened.wishes[0]
        take_back(work.customer(customer), Channel(wish.channel), wish.purpose, opened.decided)
    ended = DecisionEnded(
        id=decision,
        customer=customer,
        programme=opened.programme,
        channel=Channel(opened.wishes[0].channel),
        state=state,
        ended_at=moment(work.now),
        simulated=opened.simulated,
        test=opened.test,
        treatment=opened.wishes[0].treatment or None,
        reason=reason,
    )
    name = f"{decision}:ended"
    work.outputs.append(record(DECISIONS, customer, "kairos.decision_ended.v1", name, ended, work.now))
    set_timer(work.store, Timer(work.now + FORGET, "forget", decision, customer))
