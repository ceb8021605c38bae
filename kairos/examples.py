"""Examples: what the learning stage learns from, made when an offer's story is known."""

from typing import Annotated

from pydantic import AwareDatetime, Field, FiniteFloat

from kairos.offers import Identifier, Written

__all__ = ["Example"]


class Example(Written):
    """One labelled example: the features as of the decision, and whether the customer reacted.

    `corrects` marks a positive that comes after a negative for the same decision was learnt. `propensity` is
    the chance with which the candidates were put into their order (1 without exploration). `treatment` names the form
    of the offer, where its rule has several.
    """

    id: str
    objective: Annotated[str, Field(min_length=1, max_length=100)]
    features: dict[Annotated[str, Field(min_length=1, max_length=1000)], FiniteFloat]
    label: bool
    corrects: bool = False
    propensity: Annotated[float, Field(gt=0, le=1)] = 1.0
    score: float | None = None
    decided_at: AwareDatetime
    simulated: bool = False
    treatment: Identifier | None = Field(None, exclude_if=lambda said: said is None)
