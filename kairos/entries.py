"""What the ledger writes down for others: an entry for each coupon's step, and word that a pool is running low."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from kairos.money import Currency
from kairos.offers import Identifier, Written

__all__ = ["Entry", "Low", "What"]

What = Literal["issued", "confirmed", "redeemed", "released"]
"""What became of a coupon: given to an offer, accepted by the gateway, used, or definitely not sent."""


class Entry(Written):
    """One step of one coupon, from which merchants are settled with; `value` and `subsidy` are as it was issued.

    `decision` names the coupon: it has one at most. `was` is how it stood before. Without a subsidy the merchant pays
    the whole value.
    """

    what: What
    was: Literal["reserved", "confirmed"] | None = None
    decision: str
    programme: Identifier
    pool: Identifier
    merchant: Identifier
    value: Annotated[int, Field(ge=0)]
    currency: Currency
    subsidy: dict[Identifier, int] = Field(default_factory=dict)
    at: AwareDatetime


class Low(Written):
    """A pool came down to the number at which people want to be told; told once, until it has more again."""

    pool: Identifier
    programme: Identifier
    merchant: Identifier
    left: Annotated[int, Field(ge=0)]
    low: Annotated[int, Field(ge=0)]
    at: AwareDatetime
