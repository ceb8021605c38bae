"""What may reach a customer: channels, coupons and their pools, and the offer that a gateway receives."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kairos.money import Currency

__all__ = ["Channel", "Coupon", "CouponPool", "Identifier", "Offer", "Text", "Written"]

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


class Offer(Written):
    """What a gateway is asked to bring to one customer, once.

    `id` is the idempotency key: a gateway that sees it again answers as it did and does nothing. An offer
    that cannot be handed over before `expires_at` must not be sent. `zone` is the customer's own time zone, where
    the contact policy asks for it and it is known; `test` says that the customer is one of the bank's testers.
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


class CouponPool(Written):
    """A merchant's coupons inside a programme, with what may be given out at most.

    `count` limits the coupons, `budget` (minor units of face value) the money; both hold at every moment over
    reserved, confirmed and redeemed together. `codes` says where the codes come from: `generated` makes one a
    reservation, `imported` takes them from a file that was loaded before.
    """

    pool: Identifier
    programme: Identifier
    merchant: Identifier
    value: Annotated[int, Field(ge=0)]
    currency: Currency = "CNY"
    count: Annotated[int, Field(ge=0)]
    budget: Annotated[int, Field(ge=0)] | None = None
    codes: Literal["generated", "imported"] = "generated"
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}$")] = "K"
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValueError("valid_until must be later than valid_from")
        return self
