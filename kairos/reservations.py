"""The talk between the customers' stage and the ledger: commands keyed by programme, answers keyed by customer."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, model_validator

from kairos.decisions import Arm, Reason
from kairos.offers import Identifier, Offer, Written

__all__ = ["Answer", "Change", "Code", "Command", "DecisionId", "Reserve", "Stock", "Wish", "command"]

Code = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")]
"""A coupon's code: printable ASCII without a space, so that a customer can type it and a till can read it."""

DecisionId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""Names a decision and its reservation, see `kairos.ids.decision_id`."""


class Wish(Written):
    """One ranked candidate of a reservation: the offer without its coupon, and the pool the coupon is to come from.

    A wish without a pool is always granted. The control arm's wish is `virtual`: it is answered as if, takes
    nothing from the pool and is never put on an offers topic.
    """

    offer: Offer
    arm: Arm
    pool: Identifier | None = None


class Reserve(Written):
    """Reserve for the first wish, in this order, that a pool can fulfil. `id` is the decision's.

    All wishes are of one decision, customer and programme: a budget is only looked after by its own programme.
    """

    kind: Literal["reserve"] = "reserve"
    id: DecisionId
    customer: Annotated[str, StringConstraints(min_length=1)]
    programme: Identifier
    wishes: Annotated[tuple[Wish, ...], Field(min_length=1)]
    at: AwareDatetime

    @model_validator(mode="after")
    def _is_of_one_decision(self) -> Self:
        for wish in self.wishes:
            offer = wish.offer
            if (offer.decision, offer.customer, offer.programme) != (self.id, self.customer, self.programme):
                raise ValueError("a wish's offer is of another decision, customer or programme")
            if offer.coupon is not None:
                raise ValueError("a wish's offer has a coupon already")
        if len({wish.offer.id for wish in self.wishes}) < len(self.wishes):
            raise ValueError("two wishes are the same offer")
        return self


class Change(Written):
    """What became of a reservation: confirmed by the gateway, released for good, or redeemed by the customer."""

    kind: Literal["confirm", "release", "redeem"]
    id: DecisionId
    programme: Identifier
    at: AwareDatetime


class Stock(Written):
    """Codes that were imported for a pool; a code that is already there is refused, once, and the rest is kept."""

    kind: Literal["stock"] = "stock"
    pool: Identifier
    programme: Identifier
    codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=5000)]


Command = Annotated[Reserve | Change | Stock, Field(discriminator="kind")]
command: TypeAdapter[Reserve | Change | Stock] = TypeAdapter(Command)
"""Reads a ledger command from JSON."""


class Answer(Written):
    """The one answer to a reservation: which wish was granted, or none, and why each one before it was not.

    `refused` maps the offer id of a refused wish to its reason.
    """

    id: str
    customer: Annotated[str, Field(min_length=1, max_length=1024)]
    programme: Identifier
    granted: str | None
    virtual: bool = False
    code: str | None = None
    refused: dict[str, Reason] = Field(default_factory=dict)
