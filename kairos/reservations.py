"""The talk between the customers' stage and the ledger: commands keyed by programme, answers keyed by customer."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, model_validator

from kairos.decisions import Arm, Reason
from kairos.offers import Identifier, Offer, Written

__all__ = [
    "Answer",
    "Change",
    "Code",
    "Command",
    "DecisionId",
    "Move",
    "Moved",
    "Order",
    "Redemption",
    "Reserve",
    "Stock",
    "Wish",
    "command",
]

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


class Redemption(Written):
    """A till redeemed a code and does not know whose it was.

    `programme` is asked for it, then each of `onward`; the last one that does not know it says so. `pool` is where the
    code comes from, if the till knows; `id` is the same where the same redemption is told again.
    """

    kind: Literal["redemption"] = "redemption"
    id: DecisionId
    programme: Identifier
    onward: Annotated[tuple[Identifier, ...], Field(max_length=1000)] = ()
    pool: Identifier | None = None
    code: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    amount: Annotated[int, Field(ge=0)] | None = None
    at: AwareDatetime


class Move(Written):
    """Move a part of a budget's slice from a programme to another, the first of two steps.

    `minor` is what is moved; only what the programme does not hold can go. `id` names the move: it is done once.
    """

    kind: Literal["move"] = "move"
    id: DecisionId
    programme: Identifier
    to: Identifier
    budget: Identifier
    minor: Annotated[int, Field(gt=0)]
    at: AwareDatetime


class Moved(Written):
    """What a ledger says to the next one when a part of a slice has left: the second step, which always succeeds.

    `name` is the slice's, with the home of its budget. Between the steps the part belongs to nobody.
    """

    kind: Literal["moved"] = "moved"
    id: DecisionId
    programme: Identifier
    name: Annotated[str, StringConstraints(min_length=3, max_length=201)]
    minor: Annotated[int, Field(gt=0)]
    at: AwareDatetime


Order = Reserve | Change | Stock | Redemption | Move | Moved
Command = Annotated[Order, Field(discriminator="kind")]
command: TypeAdapter[Order] = TypeAdapter(Command)
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
