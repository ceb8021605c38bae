"""What the recount reads of each record: a few fields of the published form, by a reader of its own."""

from typing import Any

import msgspec

__all__ = [
    "AnswerRow",
    "AppsContent",
    "CommandRow",
    "DecisionRow",
    "EndRow",
    "EventPlace",
    "FeedbackRow",
    "OfferRow",
    "PoolRow",
    "RulesContent",
    "UsageRow",
    "VerdictRow",
    "answer",
    "apps_content",
    "command",
    "decision",
    "end",
    "example",
    "feedback",
    "offer",
    "pointer",
    "pools_content",
    "rules_content",
    "usage",
]


class _Row(msgspec.Struct, gc=False):
    """Fields that are not listed are not read."""


class UsageRow(_Row):
    """An app that was used."""

    app: str
    app_class: str | None = None


class FeedbackRow(_Row):
    """Something that came back."""

    what: str
    simulated: bool = False
    decision: str | None = None


class EventPlace(_Row):
    """The event behind a decision."""

    type: str
    topic: str
    partition: int
    offset: int


class VerdictRow(_Row):
    """One candidate's fate."""

    rule: str
    verdict: str
    score: float | None = None


class FactsRow(_Row):
    """What the rules read of the event."""

    category: str | None = msgspec.field(default=None, name="event.category")


class AbsenceRow(_Row):
    """That the decision was made because nothing followed the event."""

    deadline: str


class DecisionRow(_Row):
    """A decision."""

    id: str
    customer: str
    event: EventPlace
    state: str
    verdicts: list[VerdictRow]
    reason: str | None = None
    channel: str | None = None
    facts: FactsRow = msgspec.field(default_factory=FactsRow)
    absence: AbsenceRow | None = None
    test: bool = False


class EndRow(_Row):
    """The last word on a decision."""

    id: str
    state: str
    channel: str | None = None
    test: bool = False


class _Text(_Row):
    zh: str
    en: str


class OfferRow(_Row):
    """An offer that went out."""

    id: str
    decision: str
    rule: str
    channel: str
    text: _Text
    test: bool = False


class _Named(_Row):
    id: str


class WishRow(_Row):
    """One candidate of a reservation."""

    offer: _Named
    pool: str | None = None


class CommandRow(_Row):
    """A word to the ledger."""

    kind: str
    id: str = ""
    wishes: list[WishRow] = []


class AnswerRow(_Row):
    """The ledger's answer."""

    id: str
    granted: str | None
    virtual: bool = False


class PoolRow(_Row):
    """A pool as it is defined."""

    pool: str
    count: int
    value: int
    budget: int | None = None


class AppsContent(_Row):
    """The catalogue of apps."""

    classes: list[str] = []
    apps: dict[str, str] = {}


class _Rule(_Row):
    id: str
    name: str


class RulesContent(_Row):
    """The rules' names."""

    rules: list[_Rule] = []


class Pointer(_Row):
    """Which content is in force."""

    hash: str


class _Pools(_Row):
    pools: list[PoolRow] = []


usage = msgspec.json.Decoder(UsageRow).decode
feedback = msgspec.json.Decoder(FeedbackRow).decode
decision = msgspec.json.Decoder(DecisionRow).decode
end = msgspec.json.Decoder(EndRow).decode
offer = msgspec.json.Decoder(OfferRow).decode
example = msgspec.json.Decoder(_Named).decode
command = msgspec.json.Decoder(CommandRow).decode
answer = msgspec.json.Decoder(AnswerRow).decode
pointer = msgspec.json.Decoder(Pointer).decode
apps_content = msgspec.json.Decoder(AppsContent).decode
rules_content = msgspec.json.Decoder(RulesContent).decode


def pools_content(content: bytes) -> list[PoolRow]:
    """Read the pools in force."""
    found: Any = msgspec.json.decode(content)
    if isinstance(found, list):
        return msgspec.convert(found, list[PoolRow])
    return msgspec.convert(found, _Pools).pools
