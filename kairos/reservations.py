"""The talk between the customers' stage and the ledger: commands keyed by programme, answers keyed by customer."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from kairos.decisions import Arm, Reason
from kairos.offers import Identifier, Offer, Written

__all__ = ["Answer", "Change", "Command", "Reserve", "Stock", "Wish", "command"]


class Wish(Written):
    """One ranked candidate of a reservation: the offer without its coupon, and the pool the coupon is to come from.

    A wish without a pool is always granted. The control arm's wish is `virtual`: it is answered as if, takes
    nothing from the pool and is never put on an offers topic.
    """

    offer: Offer
    arm: Arm
    pool: Identifier | None = None


class Reserve(Written):
    """Reserve for the first wish, in this order, that a pool can fulfil. `id` is the decision's."""

    kind: Literal["reserve"] = "reserve"
    id: str
    customer: str
    programme: Identifier
    wishes: Annotated[tuple[Wish, ...], Field(min_length=1)]
    at: AwareDatetime


class Change(Written):
    """What became of a reservation: confirmed by the gateway, released for good, or redeemed by the customer."""

    kind: Literal["confirm", "release", "redeem"]
    id: str
    programme: Identifier
    at: AwareDatetime


class Stock(Written):
    """Codes that were imported for a pool; a code that is already there is refused, once, and the rest is kept."""

    kind: Literal["stock"] = "stock"
    pool: Identifier
    programme: Identifier
    codes: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(min_length=1, max_length=5000)
    ]


Command = Annotated[Reserve | Change | Stock, Field(discriminator="kind")]
command: TypeAdapter[Reserve | Change | Stock] = TypeAdapter(Command)
"""Reads a ledger command from JSON."""


class Answer(Written):
    """The one answer to a reservation: which wish was granted, or none, and why each one before it was not.

    `refused` maps the offer id of a refused wish to its reason.
    """

    id: str
    customer: str
    programme: Identifier
    granted: str | None
    virtual: bool = False
    code: str | None = None
    refused: dict[str, Reason] = Field(default_factory=dict)
