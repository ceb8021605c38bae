"""What backtests and statistics read of the records that the stages wrote: a few fields of the published form."""

import msgspec

__all__ = [
    "CommandRow",
    "DecisionRow",
    "EventRow",
    "OfferRow",
    "VerdictRow",
    "command",
    "decision",
    "feedback",
    "offer",
]


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
    chance: float | None = None


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
    versions: dict[str, str] = {}
    test: bool = False

    @property
    def cause(self) -> str:
        """What the decision is about, whatever the rules are called: its event, or an absence after it.

        Examples
        --------
        >>> event = EventRow("e1", "login", "2026-12-01T12:00:00Z")
        >>> made = DecisionRow("d1", "c1", event, event.at, "offered", [])
        >>> made.cause
        'e1'
        >>> made.absence = AbsenceRow("a1")
        >>> made.cause
        'a1 after e1'

        """
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

    what: str = ""
    decision: str | None = None
    simulated: bool = False


class CommandRow(_Row):
    """A word to the ledger."""

    kind: str
    at: str = ""
    id: str = ""


decision = msgspec.json.Decoder(DecisionRow).decode
offer = msgspec.json.Decoder(OfferRow).decode
_feedback = msgspec.json.Decoder(FeedbackRow).decode
command = msgspec.json.Decoder(CommandRow).decode


def feedback(value: bytes | None) -> FeedbackRow | None:
    r"""Read what came back for an offer; None where it is no feedback: others write it, and the door refuses it.

    Examples
    --------
    >>> feedback(b'{"what":"clicked","decision":"d1"}')
    FeedbackRow(what='clicked', decision='d1', simulated=False)
    >>> feedback(b'{"what":3}') is feedback(b'{"what":"\xff"}') is None
    True

    """
    try:
        return _feedback(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
