"""Recording: how much of a decision its record tells; every verdict is told always, what losers read perhaps not."""

from kairos.decisions import Decision, Sampled
from kairos.ids import share

__all__ = ["recorded"]


def recorded(decision: Decision, rate: float | None) -> Decision:
    """Give a decision as it is recorded.

    Winners, also those that are withheld from the control arm, are told whole. So is that a loser was there, with its
    arm and its reason: reports count these. What a loser read, scored and counted for, and the facts of a decision in
    which nobody won, are kept in a share of the decisions that is drawn from the decision's id.

    Parameters
    ----------
    decision
        All that is known.
    rate
        The share of the decisions in which everything is kept; None says nothing and keeps everything.

    """
    if rate is None:
        return decision
    kept = share("losers", decision.id) < rate
    changed: dict[str, object] = {"losers": Sampled(rate=rate, kept=kept)}
    if not kept:
        changed["verdicts"] = tuple(
            one if one.offer == decision.offer else one.model_copy(update={"score": None, "terms": None, "read": None})
            for one in decision.verdicts
        )
        changed["facts"] = decision.facts if decision.offer is not None else {}
    return decision.model_copy(update=changed)
