"""How an offer ends: the last look before it is sent, and the record that says what became of it. Pure."""

from typing import Final, NamedTuple

from kairos.decisions import Reason
from kairos.events import Feedback, ReceiptState
from kairos.instants import Millis, moment
from kairos.offers import Offer
from kairos.permissions import Permission
from kairos.ports import Headers, Output
from kairos.wire import headers, type_of
from streams.topics import FEEDBACK

__all__ = ["TEST", "End", "ending", "feedback"]

TEST: Final = ("kairos.test", b"true")
"""The header of what delivery says of an offer to one of the bank's testers."""


class End(NamedTuple):
    """What became of an offer, and why; `refused` is what the gateway said that will never take it: a dead letter."""

    what: ReceiptState
    reason: Reason | None = None
    refused: str | None = None


def ending(offer: Offer, permission: Permission | None, held_back: Reason | None, now: Millis) -> End | None:
    """Give the end of an offer that must not be sent at `now`, or None for one that may.

    The decision asked all this before. It is asked again before each attempt: an offer may have waited for a
    gateway for hours, and the customer may have left meanwhile.

    Parameters
    ----------
    offer
        What is to be sent.
    permission
        What the customer allows; None, a customer of whom nothing is known, allows nothing.
    held_back
        Why policy or people do not let it leave at `now`, see `rules.sending.held_back`; `held` is no end, it waits.
    now
        Processing time.

    """
    if offer.message is not None and offer.message.codes:
        # Only the ledger finishes such a text, and puts it here finished; nobody is to read one with a hole in it.
        return End("rejected", Reason.NO_VALUE)
    if moment(now) >= offer.expires_at:
        return End("expired")
    refusal = Reason.NO_PERMISSION if permission is None else permission.refusal(offer.purpose, offer.channel, now)
    if refusal is not None:
        return End("rejected", refusal)
    return None if held_back in (None, Reason.HELD) else End("rejected", held_back)


def feedback(offer: Offer, end: End, now: Millis, trace: Headers = ()) -> Output:
    """Write the record of an end. Its name follows from the offer, so a repetition is dropped by who reads it."""
    said = Feedback(
        what=end.what,
        offer=offer.id,
        decision=offer.decision,
        channel=offer.channel,
        purpose=offer.purpose,
        reason=end.reason,
    )
    attributes = headers(type_of("feedback"), f"{offer.id}:{end.what}", now, f"/kairos/delivery/{offer.channel}")
    # Who only counts need not find the decision to know that it is none of a real customer.
    marked = (*attributes, TEST) if offer.test else attributes
    return Output(FEEDBACK, offer.customer.encode(), said.model_dump_json().encode(), (*marked, *trace))
