"""Who says what on which topic: the table behind the AsyncAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Final, Literal, NamedTuple

import msgspec
from pydantic import BaseModel

from kairos.decisions import Decision, DecisionEnded
from kairos.entries import Entry, Low
from kairos.events import AppUsage, Feedback, Login, PageView, Profile, Transaction
from kairos.examples import Example
from kairos.offers import Offer, Withdrawn
from kairos.permissions import Permission
from kairos.replayed import Replayed
from kairos.reservations import Answer, Change, Move, Moved, Redemption, Reserve, Stock
from streams import topics
from streams.catalogue import Pointer

__all__ = ["FLOWS", "Flow", "Message", "Raw"]


class Message(NamedTuple):
    """A CloudEvent whose data is one of these records.

    `mode` is `validation` for what others write to us, where defaults may be left out, and `serialization` for what
    we write, where nothing is.
    """

    name: str
    models: tuple[type[BaseModel], ...]
    about: str
    mode: Literal["validation", "serialization"] = "serialization"

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"kairos.{self.name}.v1"


class Raw(NamedTuple):
    """A record that is no CloudEvent."""

    name: str
    about: str
    content: str
    payload: Mapping[str, Any]
    headers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """One topic: what is on it, and what Kairos does there."""

    topic: str
    about: str
    actions: Mapping[Literal["receive", "send"], str]
    messages: tuple[Message | Raw, ...]

    @property
    def name(self) -> str:
        """The topic's name without what all of them have."""
        return self.topic.removeprefix("kairos.").removesuffix(".v1")


def _strings(*names: str) -> dict[str, Any]:
    return {"type": "object", "required": list(names), "properties": {name: {"type": "string"} for name in names}}


def _pointer() -> dict[str, Any]:
    _, found = msgspec.json.schema_components([Pointer])
    # Until Python 3.13 a docstring keeps its indentation; the document is the same everywhere.
    return {**found["Pointer"], "description": cleandoc(found["Pointer"]["description"])}


_OFFER = Message("offer", (Offer,), "Bring this to the customer, once: `id` is the idempotency key.")
_USAGE = Message("app_usage", (AppUsage,), "A customer used an app.", "validation")
_PAGE = Message("page_view", (PageView,), "A customer opened a page of the mobile bank.", "validation")
_LOGIN = Message("login", (Login,), "A customer logged in.", "validation")
_TRANSACTION = Message("transaction", (Transaction,), "Money moved on an account or a card.", "validation")
_CUSTOMER = Message("customer", (Profile,), "All that the bank knows of a customer; replaces all before.", "validation")
_FEEDBACK = Message("feedback", (Feedback,), "What became of an offer, or an opt-out.", "validation")
_COMMAND = Message(
    "ledger.command",
    (Reserve, Change, Stock, Redemption, Move, Moved),
    "Reserve, confirm, release, redeem, take in codes, redeem by a code alone, or move a slice of a budget.",
)
_ENTRY = Message("ledger.entry", (Entry,), "One step of one coupon; merchants are settled with by these.")
_LOW = Message("pool.low", (Low,), "A pool came down to the number at which people want to be told.")
_ANSWER = Message("ledger.answer", (Answer,), "Which wish was granted, and why the others were not.")
_DECISION = Message("decision", (Decision,), "The outcome of one match, with every reason.")
_ENDED = Message("decision_ended", (DecisionEnded,), "The last word on a decision that offered something.")
_PERMISSION = Message("permission", (Permission,), "The consent in force; unknown means no.")
_EXAMPLE = Message("example", (Example,), "Features as of a decision, and whether the customer reacted.")
_CONTENT = Raw(
    "catalogue.content",
    "A rule book, a policy, a model's snapshot; its key is the BLAKE2b hash of its bytes.",
    "application/octet-stream",
    {"description": "The content, as its kind has it."},
    _strings("kind"),
)
_POINTER = Raw(
    "catalogue.pointer",
    "Which content of a kind is in force: the key is `current/<kind>`.",
    "application/json",
    _pointer(),
    {},
)
_LETTER = Raw(
    "dead_letter",
    "A record that was not accepted, key, value and headers as they came, with the reason in further headers.",
    "application/octet-stream",
    {"description": "The value as it came; a tombstone stays one."},
    _strings(
        *(
            f"kairos.errors.{name}"
            for name in ("topic", "partition", "offset", "stage", "class", "message", "attempts", "first_failed_at")
        )
    ),
)
_REPLAYED = Message(
    "dead_letters.replayed", (Replayed,), "These letters of this partition were replayed; key `replayed`."
)

_WITHDRAWN = Message(
    "offers_withdrawn",
    (Withdrawn,),
    "People stopped something: what of its scope was decided until then is not to be used. It has no key.",
)

FLOWS: Final = (
    Flow(
        topics.APP_USAGE,
        "What customers do on their phones.",
        {"receive": "Observe, and decide."},
        (_USAGE, _PAGE, _LOGIN),
    ),
    Flow(
        topics.TRANSACTIONS, "What customers spend and receive.", {"receive": "Observe, and decide."}, (_TRANSACTION,)
    ),
    Flow(
        topics.CUSTOMERS,
        "Who customers are and what they allowed. A tombstone forgets a customer.",
        {"receive": "Learn."},
        (_CUSTOMER,),
    ),
    Flow(
        topics.FEEDBACK,
        "Receipts, openings, redemptions, conversions and opt-outs.",
        {"receive": "End decisions, move the ledger on, learn.", "send": "Say what delivery saw, and tills."},
        (_FEEDBACK,),
    ),
    Flow(
        topics.LEDGER_COMMANDS,
        "What the coupon ledger is asked.",
        {"receive": "Reserve budget and one code.", "send": "Ask, and pass on."},
        (_COMMAND,),
    ),
    Flow(
        topics.LEDGER_ANSWERS,
        "What the coupon ledger says.",
        {"receive": "Complete the decision.", "send": "Answer each reservation once."},
        (_ANSWER,),
    ),
    Flow(topics.LEDGER_ENTRIES, "What became of each coupon, for settlements.", {"send": "Write down."}, (_ENTRY,)),
    Flow(topics.ALERTS, "What people want to be told at once.", {"send": "Tell once."}, (_LOW,)),
    Flow(topics.DECISIONS, "Every decision, for reports and audit.", {"send": "Record."}, (_DECISION, _ENDED)),
    Flow(topics.OFFERS_SMS, "What the SMS gateway is to send.", {"send": "Offer."}, (_OFFER,)),
    Flow(topics.OFFERS_PUSH, "What the mobile bank is to push.", {"send": "Offer."}, (_OFFER,)),
    Flow(
        topics.OFFERS_LIST, "What branches are to say to whom.", {"send": "Offer, and take back."}, (_OFFER, _WITHDRAWN)
    ),
    Flow(
        topics.PERMISSIONS,
        "May this customer be contacted; read it again before each send.",
        {"receive": "Look again before a send.", "send": "Say what is in force."},
        (_PERMISSION,),
    ),
    Flow(
        topics.EXAMPLES,
        "What the models learn from.",
        {"receive": "Learn.", "send": "Teach."},
        (_EXAMPLE,),
    ),
    Flow(
        topics.CATALOGUE,
        "What is in force, and every content a journal names.",
        {"receive": "Take it between two batches.", "send": "Publish."},
        (_CONTENT, _POINTER),
    ),
    Flow(topics.DEAD_LETTERS, "What could not be accepted, for people.", {"send": "Put aside."}, (_LETTER, _REPLAYED)),
)
"""Every topic that somebody else may read or write."""
