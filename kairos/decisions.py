"""What was decided for one customer and event, with the reason for every candidate."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from kairos.offers import Channel, Identifier, Written

__all__ = [
    "Absence",
    "Arm",
    "ControlOf",
    "Decision",
    "DecisionEnded",
    "DecisionState",
    "EndState",
    "EventReference",
    "Passed",
    "Reason",
    "Verdict",
]


class Arm(StrEnum):
    """Which part of an experiment a customer is in."""

    TREATMENT = "treatment"
    CONTROL = "control"


ControlOf = Literal["everywhere", "programme", "rule"]
"""Whose control group a customer is in; of several the widest is told."""


class Reason(StrEnum):
    """Why a candidate became no offer. One list for the whole house; every refusal is one of these."""

    HELD = "held"
    STOPPED = "stopped"
    RULE_PAUSED = "rule_paused"
    NOT_VALID = "not_valid"
    STALE = "stale"
    DO_NOT_CONTACT = "do_not_contact"
    NO_CONSENT = "no_consent"
    NO_PERSONALISATION = "no_personalisation"
    BLACKOUT = "blackout"
    QUIET_HOURS = "quiet_hours"
    COOLDOWN = "cooldown"
    CUSTOMER_LIMIT = "customer_limit"
    GAP = "gap"
    OVERALL_CAP = "overall_cap"
    PURPOSE_CAP = "purpose_cap"
    IGNORED = "ignored"
    CONTACT_CAP = "contact_cap"
    TOO_MANY_PENDING = "too_many_pending"
    SCORE_TOO_LOW = "score_too_low"
    OUTRANKED = "outranked"
    NO_ANSWER = "no_answer"
    OUT_OF_STOCK = "out_of_stock"
    OVER_BUDGET = "over_budget"
    POOL_NOT_VALID = "pool_not_valid"
    UNKNOWN_POOL = "unknown_pool"
    NO_LONGER_MATCHES = "no_longer_matches"
    CONTROL = "control"


class EventReference(Written):
    """The event that led to a decision, and where it lies in Kafka: topic, partition, offset."""

    id: str
    type: str
    at: AwareDatetime
    topic: str
    partition: int
    offset: int


class Absence(Written):
    """That something did not happen after the event, and was waited for until `deadline`.

    `event` names the absence itself, see `kairos.ids.absence_id`; `rules` is the content hash of the rule book that
    began to wait, where the decision's own `versions` tell what was in force at its end.
    """

    event: str
    rule: Identifier
    deadline: AwareDatetime
    rules: str


class Passed(Written):
    """The gates that would have refused a candidate and did not, and why the contact policy says so."""

    gates: tuple[Reason, ...]
    because: str


_TOLD: Final[Any] = Field(None, exclude_if=lambda said: said is None)
"""What most records do not say, and then takes no room in them."""


class Verdict(Written):
    """One candidate's fate: `won`, or the reason why not; `score` is the chance of a reaction, if one was made.

    `passed` is told where the purpose of the rule let it through gates that refuse others. `control` says whose control
    group the customer is in; `treatment` names the form of the offer, in the control arm the one that is withheld.
    """

    rule: Identifier
    programme: Identifier
    offer: str
    arm: Arm
    channel: Channel | None = None
    pool: Identifier | None = None
    verdict: Literal["won"] | Reason
    score: float | None = None
    rank: Annotated[int, Field(ge=1)] | None = None
    passed: Passed | None = None
    control: ControlOf | None = _TOLD
    treatment: Identifier | None = _TOLD


DecisionState = Literal["offered", "withheld", "suppressed"]


class Decision(Written):
    """The outcome for one customer and event: exactly one record per match.

    `versions` names the contents that were in force (`rules`, `policy`, `apps`, `model/<objective>`), `facts`
    the values the rules read. `withheld` is what would have been offered to a customer of the control arm. Where
    `absence` is told, the decision was made because nothing followed the event; where `deferred_at` is, it came to
    quiet hours then and waited for their end. `test` says that the customer is one of the bank's testers: reports and
    learning leave it out.
    """

    id: str
    customer: str
    event: EventReference
    decided_at: AwareDatetime
    state: DecisionState
    reason: Reason | None = None
    programme: Identifier | None = None
    offer: str | None = None
    channel: Channel | None = None
    verdicts: tuple[Verdict, ...]
    versions: dict[str, str]
    facts: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    absence: Absence | None = None
    deferred_at: AwareDatetime | None = None
    test: bool = False


EndState = Literal["delivered", "failed", "expired", "unknown"]


class DecisionEnded(Written):
    """The last word on a decision that offered something: exactly one record. The other two states are ends."""

    id: str
    customer: str
    programme: Identifier | None = None
    channel: Channel | None = None
    state: EndState
    ended_at: AwareDatetime
    simulated: bool = False
    test: bool = False
    treatment: Identifier | None = _TOLD
