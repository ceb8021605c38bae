"""Candidates: rules that matched, with what the gates made of each."""

from collections.abc import Mapping

import msgspec

from kairos.decisions import Arm, ControlOf, Reason
from kairos.offers import Channel
from rules.message import Said, Unsaid
from rules.schema import Rule

__all__ = ["Candidate", "Ranking"]


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A rule that matched: the customer's arm, and a channel, or the reason why there is no offer.

    `passed` names the gates that would have refused it, and did not because of its purpose. `control` and `treatment`
    are what `rules.arms` drew; the rule has the form that the treatment gives it. `said` is the message that a template
    made, or why it made none.
    """

    rule: Rule
    arm: Arm
    channel: Channel | None = None
    reason: Reason | None = None
    passed: tuple[Reason, ...] = ()
    control: ControlOf | None = None
    treatment: str | None = None
    said: Said | Unsaid | None = None

    @property
    def is_open(self) -> bool:
        """Whether no gate has refused it."""
        return self.reason is None

    @property
    def parameter(self) -> str | None:
        """The parameter of the text that is in the way, if one is."""
        return self.said.parameter if isinstance(self.said, Unsaid) else None


class Ranking(msgspec.Struct, frozen=True):
    """What arbitration made of the candidates.

    Parameters
    ----------
    wishes
        The open candidates of the winning programme, the best first.
    refused
        All others with their reasons, by rule id.
    chances
        With which chance each could have been put first, by rule id; empty where nothing was drawn.

    """

    wishes: tuple[Candidate, ...]
    refused: tuple[Candidate, ...]
    chances: Mapping[str, float] = {}
