"""Shares: which part of the customers each arm and each form of an offer should get, as `rules.arms` draws them."""

from collections.abc import Mapping

from kairos.decisions import Arm
from rules.policy import Policy
from rules.schema import Rule

__all__ = ["expected_shares"]


def expected_shares(rule: Rule, policy: Policy) -> Mapping[tuple[Arm, str], float]:
    """Give the share of each arm and form, `""` where the offer stands as the rule has it.

    Parameters
    ----------
    rule
        Its control group, its forms, its salt.
    policy
        The control groups that hold whatever rules say.

    """
    control = _control(rule, policy)
    forms = {one.name: one.share for one in rule.experiment.treatments or ()}
    forms[""] = max(0.0, 1.0 - sum(forms.values()))
    arms = {Arm.CONTROL: control, Arm.TREATMENT: 1.0 - control}
    # Arm and form are drawn by different words, so that each arm has all forms in their shares.
    return {(arm, form): of * share for arm, of in arms.items() for form, share in forms.items() if of * share > 1e-12}


def _control(rule: Rule, policy: Policy) -> float:
    own, whole = rule.experiment.control, policy.control
    if whole is None or rule.purpose in policy.uncontrolled:
        return own
    programme = whole.programmes.get(rule.programme, 0.0)
    # By one word the larger group holds the smaller one; by two they are drawn apart.
    joined = max(own, programme) if rule.salt == rule.programme else 1.0 - (1.0 - own) * (1.0 - programme)
    return 1.0 - (1.0 - whole.everywhere) * (1.0 - joined)
