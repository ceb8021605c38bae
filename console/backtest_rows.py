"""What a backtest reads of the records that the stages wrote: a few fields of the published form."""

import msgspec

__all__ = ["CommandRow", "DecisionRow", "OfferRow", "VerdictRow", "command", "decision", "feedback", "offer"]


class _Row(msgspec.Struct, gc=False):
    """Fields that are not listed are not read."""


class EventRow(_Row):
    """The event behind a decision."""

    id: str
    type: str
    at: str


class AbsenceRow(_Row):
    """That the decision was made because nothing followed the event."""

    event: str


class VerdictRow(_Row):
    """One candidate's fate."""

    rule: str
    verdict: str
    channel: str | None = None
    pool: str | None = None
    rank: int | None = None
    arm: str = "treatment"
    treatment: str | None = None


class DecisionRow(_Row):
    """A decision."""

    id: str
    customer: str
    event: EventRow
    decided_at: str
    state: str
    verdicts: list[VerdictRow]
    channel: str | None = None
    absence: AbsenceRow | None = None
    deferred_at: str | None = None
    test: bool = False

    @property
    def cause(self) -> str:
        """What the decision is about, whatever the rules are called."""
        return self.event.id if self.absence is None else f"{self.absence.event} after {self.event.id}"


class CouponRow(_Row):
    """A coupon in an offer."""

    pool: str
    value: int


class OfferRow(_Row):
    """An offer that went out."""

    decision: str
    rule: str
    decided_at: str
    coupon: CouponRow | None = None
    test: bool = False


class FeedbackRow(_Row):
    """What came back for an offer."""

    decision: str | None = None


class CommandRow(_Row):
    """A word to the ledger."""

    kind: str
    at: str = ""
    id: str = ""


decision = msgspec.json.Decoder(DecisionRow).decode
offer = msgspec.json.Decoder(OfferRow).decode
feedback = msgspec.json.Decoder(FeedbackRow).decode
command = msgspec.json.Decoder(CommandRow).decode
