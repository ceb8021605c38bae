"""What is offered, and by which channels: the parts of a rule that a treatment of its experiment may say otherwise."""

from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.fields import FieldInfo

from kairos.offers import Channel, Identifier
from rules.asked import Written
from rules.problems import mistake
from rules.shapes import Shape, at_least_one

__all__ = ["SOME", "Channels", "Offered", "each_once"]


class Offered(Written):
    """What is offered: a product of the bank, a coupon from a pool, or both."""

    product: Identifier | None = None
    """A product of the bank."""
    pool: Identifier | None = None
    """A pool of coupons, which must belong to the rule's programme."""

    shapes: ClassVar[tuple[Shape, ...]] = (at_least_one("product", "pool"),)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.product is None and self.pool is None:
            raise mistake("give a product, a pool, or both")
        return self


def each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list that names something twice."""
    if len(set(values)) != len(values):
        raise mistake("each is named once")
    return values


SOME: Final[FieldInfo] = Field(min_length=1, json_schema_extra={"uniqueItems": True})
"""A list that is not empty."""

Channels = Annotated[tuple[Channel, ...], SOME, AfterValidator(each_once)]
"""Channels in the order of preference."""
