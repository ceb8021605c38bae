"""What happened: the records that come in. Tolerant of unknown fields, strict about the known ones."""

from typing import Annotated, Literal, Self

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, model_validator

from kairos.instants import Millis
from kairos.money import Currency

__all__ = [
    "AppUsage",
    "Attribute",
    "Consent",
    "Data",
    "Event",
    "EventType",
    "Feedback",
    "Login",
    "PageView",
    "Profile",
    "Reaction",
    "ReceiptState",
    "Transaction",
]

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Word = Annotated[str, StringConstraints(max_length=500)]
EventType = Literal["app_usage", "transaction", "page_view", "login", "customer", "feedback"]
Link = Literal["real", "synthetic"]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class _Incoming(BaseModel):
    # What others write may carry more than we know: a bank's producers move before we do.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=False)


Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class AppUsage(_Incoming):
    """A customer used an app on the phone; `lat` and `lon` are where, in degrees of WGS-84, if the phone said so.

    `app` is the package or product name; `app_class` one of the 26 classes, looked up in the catalogue of
    apps when the producer does not say it; `link` is `synthetic` where the customer was invented for the app.
    """

    app: Name
    app_class: Name | None = None
    seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] | None = None
    link: Link = "real"
    lat: Latitude | None = None
    lon: Longitude | None = None


class Transaction(_Incoming):
    """Money moved on a customer's account or card; `amount` is in minor units of `currency`, never negative.

    `lat` and `lon` are the place of the till, in degrees of WGS-84.
    """

    amount: Annotated[int, Field(ge=0, le=10**15)]
    currency: Currency = "CNY"
    direction: Literal["debit", "credit"]
    kind: Name = "purchase"
    card: Literal["debit", "credit"] | None = None
    channel: Name | None = None
    merchant: Name | None = None
    merchant_category: Name | None = None
    coupon: Name | None = None
    link: Link = "real"
    lat: Latitude | None = None
    lon: Longitude | None = None


class PageView(_Incoming):
    """A customer opened a page of the mobile bank."""

    page: Name
    coupon: Name | None = None


class Login(_Incoming):
    """A customer logged in; `channel` names where, such as `mobile_bank`."""

    channel: Name = "mobile_bank"


class Consent(_Incoming):
    """What a customer allowed for one purpose and channel, and when; `*` stands for every one of them."""

    purpose: Name
    channel: Name
    granted: bool
    at: AwareDatetime


Attribute = str | int | float | bool
"""What an attribute of a profile holds, once it was checked."""


class Profile(_Incoming):
    """What the bank knows of a customer: attributes, offline tags, consent. The newest record replaces all before.

    A consent that is not listed was not given; `personalisation` unknown is no. A number that is none (NaN) or
    endless is refused at the door, for no rule or model could go on with it.
    """

    attrs: dict[Name, Word | Whole | FiniteFloat | bool] = Field(default_factory=dict, max_length=200)
    tags: Annotated[frozenset[Name], Field(max_length=2_000)] = frozenset()
    consent: Annotated[tuple[Consent, ...], Field(max_length=200)] = ()
    do_not_contact: bool = False
    personalisation: bool = False


ReceiptState = Literal["accepted", "delivered", "undelivered", "rejected", "expired", "unknown"]
Reaction = Literal["opened", "clicked", "redeemed", "converted"]


class Feedback(_Incoming):
    """What came back: a receipt of a channel, a customer's reaction, or an opt-out.

    `decision` names what it answers, and `offer` the offer. An opt-out may name neither, and holds for `channel` and
    `purpose` (`*` for all). `code` is the redeemed coupon's, `amount` the minor units it was used on.
    """

    what: ReceiptState | Reaction | Literal["opted_out"]
    offer: Name | None = None
    decision: Name | None = None
    channel: Literal["*", "sms", "push", "list"] = "*"
    purpose: Name = "*"
    code: Name | None = None
    amount: Annotated[int, Field(ge=0)] | None = None
    reason: Word | None = None
    simulated: bool = False

    @model_validator(mode="after")
    def _answers_a_decision(self) -> Self:
        if self.decision is None and self.what != "opted_out":
            raise ValueError("only an opt-out may leave the decision out")
        return self


Data = AppUsage | Transaction | PageView | Login | Profile | Feedback


class Event(msgspec.Struct, gc=False):
    """One thing that happened to one customer, as the engine sees it.

    Parameters
    ----------
    id
        Its name, see `kairos.ids.event_id`.
    type
        What kind of thing it was.
    at
        When it happened, by the producer's clock.
    customer
        Whom it happened to: the record's key.
    category
        What rules are indexed by beside the type: the app's class, the merchant's category, the page.
    data
        The record itself, or its twin (`kairos.twins`): the same attributes, so ask for the type, not for the class.

    """

    id: str
    type: EventType
    at: Millis
    customer: str
    category: str | None
    data: Data
