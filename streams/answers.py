"""Answers: the ledger's word completes a decision that waited for it."""

from kairos.customer import Customer
from kairos.decisions import Decision, LedgerWord, Reason, Verdict
from kairos.instants import moment
from kairos.offers import Channel
from kairos.reservations import Answer
from rules.limits import release
from streams.open_decision import Held, OpenDecision, Wished, find, keep, remove, write_decision
from streams.outcomes import GRACE, happened
from streams.timers import Timer, set_timer
from streams.work import Work

__all__ = ["answered"]


def answered(work: Work, answer: Answer) -> None:
    """Complete the decision that waits for this answer: offered, withheld or suppressed.

    A second answer to the same decision changes nothing. One that comes after the decision had to end without it moves
    only the holds: delivery sees that its offer is too late, and the ledger gets its coupon back.
    """
    opened = find(work, answer.customer, answer.id)
    if opened is None or not (opened.draft or opened.late):
        return
    winner = next((w for w in opened.wishes if w.offer == answer.granted), None)
    _release_losers(work.customer(answer.customer), opened, winner)
    if opened.draft:
        word = LedgerWord(
            at=moment(work.now),
            granted=answer.granted,
            pool=winner.pool or None if winner else None,
            virtual=answer.virtual,
        )
        draft = Decision.model_validate_json(opened.draft).model_copy(update={"ledger": word})
        write_decision(work, _completed(draft, answer, winner))
    opened.late = False
    if winner is None or answer.virtual:
        remove(work, answer.customer, answer.id)
        return
    opened.draft, opened.wishes = b"", [winner]
    opened.held = Held.RESERVED if winner.pool else Held.NOTHING
    early, opened.early = opened.early, []
    set_timer(work.store, Timer(winner.expires + GRACE, "end", answer.id, answer.customer))
    for what in early:
        happened(work, answer.customer, answer.id, opened, what)
    keep(work, answer.customer, answer.id, opened)


def _completed(draft: Decision, answer: Answer, winner: Wished | None) -> Decision:
    verdicts = tuple(_verdict(verdict, answer) for verdict in draft.verdicts)
    if winner is None:
        first = next((v.verdict for v in verdicts if v.rank == 1 and isinstance(v.verdict, Reason)), None)
        return draft.model_copy(update={"verdicts": verdicts, "state": "suppressed", "reason": first})
    state = "withheld" if answer.virtual else "offered"
    reason = Reason.CONTROL if answer.virtual else None
    return draft.model_copy(
        update={
            "verdicts": verdicts,
            "state": state,
            "reason": reason,
            "offer": winner.offer,
            "channel": next(v.channel for v in verdicts if v.offer == winner.offer),
        }
    )


def _verdict(verdict: Verdict, answer: Answer) -> Verdict:
    if verdict.rank is None:
        return verdict
    if verdict.offer == answer.granted:
        won = Reason.CONTROL if answer.virtual else "won"
        return verdict.model_copy(update={"verdict": won})
    return verdict.model_copy(update={"verdict": answer.refused.get(verdict.offer, Reason.OUTRANKED)})


def _release_losers(customer: Customer, opened: OpenDecision, winner: Wished | None) -> None:
    for wish in opened.wishes:
        if winner is None or wish.offer != winner.offer:
            release(customer, wish.rule, Channel(wish.channel), wish.purpose, opened.decided)
