"""Trials on their way: a template's offers to testers, on the topics that deliveries read."""

from collections.abc import Iterable
from typing import Final

from kairos.instants import Millis
from kairos.offers import Offer
from kairos.ports import Output
from kairos.wire import headers
from streams.topics import OFFERS

__all__ = ["TRIED", "trial_outputs"]

TRIED: Final = "/kairos/templates/test"
"""The source of what people sent to testers: no stage has made it, and no replay makes it again."""


def trial_outputs(offers: Iterable[Offer], now: Millis) -> list[Output]:
    """Write the offers as deliveries read them.

    Raises
    ------
    ValueError
        One of them is no test: what goes to customers comes from decisions alone.

    """
    outputs: list[Output] = []
    for offer in offers:
        if not offer.test:
            raise ValueError("only tests are sent without a decision")
        head = headers("kairos.offer.v1", offer.id, now, TRIED)
        outputs.append(Output(OFFERS[offer.channel], offer.customer.encode(), offer.model_dump_json().encode(), head))
    return outputs
