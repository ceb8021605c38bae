"""What was decided for one customer and event, with the reason for every candidate."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from kairos.offers import Channel, Identifier, Written

__all__ = [
    "DECIDED",
    "MADE",
    "SHARED",
    "Absence",
    "Arm",
    "ControlOf",
    "Decision",
    "DecisionEnded",
    "DecisionState",
    "EndState",
    "EventReference",
    "LedgerWord",
    "Passed",
    "Reason",
    "Sampled",
    "Terms",
    "Value",
    "Verdict",
]


DECIDED: Final = "kairos.decision.v1"
"""The CloudEvents type of a decision."""
MADE: Final = ("ce_type", DECIDED.encode())
"""The header by which a decision is known among the ends of decisions."""


class Arm(StrEnum):
    """Which part of an experiment a customer is in."""

    TREATMENT = "treatment"
    CONTROL = "control"


ControlOf = Literal["everywhere", "programme", "rule"]
"""Whose control group a customer is in; of several the widest is told."""


class Reason(StrEnum):
    """Why a candidate became no offer, or an offer never reached its customer. One list for the whole house.

    It is written in the order of the gates; what the ledger says follows, then what only the sending knows.
    """

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
    NO_TEMPLATE = "no_template"
    NO_VALUE = "no_value"
    OUTRANKED = "outranked"
    NO_ANSWER = "no_answer"
    OUT_OF_STOCK = "out_of_stock"
    OVER_BUDGET = "over_budget"
    DAY_LIMIT = "day_limit"
    MONTH_LIMIT = "month_limit"
    COUPON_LIMIT = "coupon_limit"
    PROGRAMME_LIMIT = "programme_limit"
    OVER_SLICE = "over_slice"
    POOL_NOT_VALID = "pool_not_valid"
    UNKNOWN_POOL = "unknown_pool"
    NO_LONGER_MATCHES = "no_longer_matches"
    CONTROL = "control"
    NO_PERMISSION = "no_permission"
    EXPIRED = "expired"
    GATEWAY_REFUSED = "gateway_refused"
    ANSWER_LOST = "answer_lost"
    INTERRUPTED = "interrupted"


SHARED: Final = frozenset(
    {
        Reason.OUT_OF_STOCK.value,
        Reason.OVER_BUDGET.value,
        Reason.DAY_LIMIT.value,
        Reason.MONTH_LIMIT.value,
        Reason.PROGRAMME_LIMIT.value,
        Reason.OVER_SLICE.value,
    }
)
"""Why a pool cannot fulfil a wish, whoever the customer is."""


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
Value = str | int | float | bool | None
"""What was read: a flag, a number, a text, an amount as it is written; None is unknown."""
_ONE: Final[Any] = Field(1.0, exclude_if=lambda factor: factor == 1)
"""A factor."""


class Terms(Written):
    """What a candidate counted for: priority = propensity x context x value x levers; what is not told is 1.

    The propensity is the verdict's `score`, unless it was smoothed because the model knew of only so many offers that
    were `shown`. `pulled` names the levers whose product, in its bounds, is `levers`;
    `level` is told of what wins over all others, and of what is offered only where no other is open.
    """

    level: Literal["mandatory", "default"] | None = _TOLD
    propensity: float | None = _TOLD
    shown: int | None = _TOLD
    context: float = _ONE
    value: float = _ONE
    levers: float = _ONE
    pulled: tuple[str, ...] = Field((), exclude_if=lambda said: not said)
    priority: float


class Verdict(Written):
    """One candidate's fate: `won`, or the reason why not; `score` is the chance of a reaction, if one was made.

    `passed` is told where the purpose of the rule let it through gates that refuse others; `terms`, where it counted
    for more or less than its score among the others. `control` says whose control group the customer is in;
    `treatment` names the form of the offer, in the control arm the one that is withheld. `chance` is the exact one with
    which it could have been put first, where the engine explored.
    `read` tells what the rule's clauses were held against, by the names that `rules.clause_names` gives them.
    `parameter` is the one of the template that had no value, or one that does not fit.
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
    terms: Terms | None = _TOLD
    chance: float | None = _TOLD
    control: ControlOf | None = _TOLD
    treatment: Identifier | None = _TOLD
    read: dict[str, Value] | None = _TOLD
    parameter: str | None = _TOLD


class LedgerWord(Written):
    """What the ledger said to a decision that asked it: when, and which offer it granted, if any.

    `pool` is where the coupon comes from; in the control arm the answer is `virtual`, and nothing was taken.
    """

    at: AwareDatetime
    granted: str | None
    pool: Identifier | None = None
    virtual: bool = False


class Sampled(Written):
    """That the policy keeps what losers read in a share of the decisions only, and whether this is one of them."""

    rate: float
    kept: bool


DecisionState = Literal["offered", "withheld", "suppressed"]


class Decision(Written):
    """The outcome for one customer and event: exactly one record per match.

    `versions` names the contents that were in force (`rules`, `policy`, `apps`, `model/<objective>`), `facts`
    the values the rules read. `withheld` is what would have been offered to a customer of the control arm. Where
    `absence` is told, the decision was made because nothing followed the event; where `deferred_at` is, it came to
    quiet hours then and waited for their end. `test` says that the customer is one of the bank's testers: reports and
    learning leave it out. `ledger` is told where the ledger was asked and has answered, `losers` where the policy
    samples what losers read.
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
    facts: dict[str, Value] = Field(default_factory=dict)
    absence: Absence | None = None
    deferred_at: AwareDatetime | None = None
    test: bool = False
    ledger: LedgerWord | None = _TOLD
    losers: Sampled | None = _TOLD


EndState = Literal["delivered", "failed", "expired", "unknown"]


class DecisionEnded(Written):
    """The last word on a decision that offered something: exactly one record. The other two states are ends.

    `reason` says why nothing reached the customer, where delivery or a gateway gave one of the house's reasons.
    """

    id: str
    customer: str
    programme: Identifier | None = None
    channel: Channel | None = None
    state: EndState
    ended_at: AwareDatetime
    simulated: bool = False
    test: bool = False
    treatment: Identifier | None = _TOLD
    reason: Reason | None = _TOLD
