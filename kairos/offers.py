"""What may reach a customer: channels, coupons, their pools and budgets, and the offer that a gateway receives."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kairos.money import Currency

__all__ = [
    "Channel",
    "Coupon",
    "CouponPool",
    "Identifier",
    "Limited",
    "Message",
    "Offer",
    "Programme",
    "Promised",
    "Slice",
    "Text",
    "Withdrawn",
    "Written",
]

_Natural = Annotated[int, Field(ge=0)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""What people name rules, programmes and pools: lower case letters, digits, dots, dashes, underscores."""


class Written(BaseModel):
    """A record that we write: frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Channel(StrEnum):
    """Where an offer can go."""

    SMS = "sms"
    PUSH = "push"
    LIST = "list"


class Text(Written):
    """What the customer reads, in Chinese and in English."""

    zh: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    """In Chinese."""
    en: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    """In English."""


class Coupon(Written):
    """One coupon of a pool, given to one customer; `value` is in minor units."""

    pool: Identifier
    code: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    merchant: Identifier
    value: Annotated[int, Field(ge=0)]
    currency: Currency


class Promised(Written):
    """What a text says of the coupon that comes with it; a pool that says otherwise by now gives none to it."""

    merchant: Identifier
    value: Annotated[int, Field(ge=0)]
    currency: Currency
    until: AwareDatetime | None = None


class Message(Written):
    """What a text that a template made says, for gateways that carry what they approved and ask for its values.

    `content` is the template's content hash, `language` the customer's, `values` what each parameter stands for in both
    languages, `ids` the name of the template at each gateway that approved it in the customer's language. Until the
    ledger has given a code, `codes` tells which parameters wait for it and how long it may be, `promised` what the
    text says of the coupon, and the offer's `text` is what the template says and not what the customer reads;
    `is_html` says that values are escaped in it.
    """

    content: str
    language: Literal["zh", "en"]
    values: dict[str, Text]
    ids: dict[str, str] = Field(default_factory=dict)
    codes: dict[str, int] = Field(default_factory=dict)
    promised: Promised | None = None
    is_html: bool = False


class Offer(Written):
    """What a gateway is asked to bring to one customer, once.

    `id` is the idempotency key: a gateway that sees it again answers as it did and does nothing. An offer
    that cannot be handed over before `expires_at` must not be sent. `zone` is the customer's own time zone, where
    the contact policy asks for it and it is known; `test` says that the customer is one of the bank's testers, or that
    the offer was sent to try a template. `message` is told where a template made the text.
    """

    id: str
    decision: str
    customer: str
    programme: Identifier
    rule: Identifier
    channel: Channel
    purpose: Identifier
    template: Identifier
    text: Text
    product: Identifier | None = None
    coupon: Coupon | None = None
    decided_at: AwareDatetime
    expires_at: AwareDatetime
    zone: str | None = None
    test: bool = False
    message: Message | None = None


class Withdrawn(Written):
    """People stopped something: offers of its scope on this list that were decided until then are not to be used.

    Whoever reads the list and took one off it says so by a feedback `rejected` with the reason `stopped`; then its
    coupon and its contact are free again. Of one that was used already nothing need be said.
    """

    scope: Literal["all", "rule", "programme", "channel", "pool"]
    name: str
    until: AwareDatetime


class Limited(Written):
    """What coupons are limited by beside their total; money is in minor units of face value.

    A coupon counts on the day and in the month when it was reserved, in the zone, and no longer once it is released.
    `per_customer` counts a customer's coupons for ever.
    """

    currency: Currency = "CNY"
    zone: str = "Asia/Shanghai"
    budget: _Natural | None = None
    per_customer: _Natural | None = None
    per_day: _Natural | None = None
    budget_per_day: _Natural | None = None
    budget_per_month: _Natural | None = None


class CouponPool(Limited):
    """A merchant's coupons inside a programme, with what may be given out at most.

    `count` limits the coupons, `budget` the money; both hold at every moment over reserved, confirmed and redeemed
    together. `codes` says where the codes come from: `generated` makes one a reservation, `imported` takes them from a
    file that was loaded before. `subsidy` says who pays how much of a coupon's value; without it the merchant pays.
    `low` is how many coupons are left when people want to be told.
    """

    pool: Identifier
    programme: Identifier
    merchant: Identifier
    value: _Natural
    count: _Natural
    codes: Literal["generated", "imported"] = "generated"
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}$")] = "K"
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    subsidy: dict[Identifier, _Natural] = Field(default_factory=dict)
    low: _Natural | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValueError("valid_until must be later than valid_from")
        if self.subsidy and sum(self.subsidy.values()) != self.value:
            raise ValueError("the subsidy must add up to the value")
        return self


class Slice(Written):
    """A programme's part of a budget that programmes share.

    The whole lies with the programme that the budget is named after, `home`, until parts of it are moved; for another
    one `minor` is nothing. What was moved is known to the ledger.
    """

    budget: Identifier
    home: Identifier
    minor: _Natural
    currency: Currency

    @property
    def name(self) -> str:
        """What the slice is called in the ledger. Under another home it is another budget."""
        return f"{self.home}/{self.budget}"


class Programme(Limited):
    """What limits all pools of a programme together."""

    programme: Identifier
    count: _Natural | None = None
    slices: tuple[Slice, ...] = ()
