"""The courier: brings one offer to its end, however often it takes. Knows gateways and waiting, nothing of Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from kairos.decisions import Reason
from kairos.ids import share
from kairos.instants import Millis, moment
from kairos.offers import Offer
from kairos.permissions import Permission
from kairos.ports import Connector, Headers, InDoubt, Refused, Unavailable
from streams.delivery_end import End, ending
from streams.delivery_gate import Gate, Passage
from streams.tracing import sending

__all__ = ["Courier", "Errand", "HeldBack"]

HeldBack = Callable[[Offer, Millis], Reason | None]
"""Why the policy in force, or people, do not let an offer leave at this moment."""

_HELD = 0.2
"""Seconds between two looks whether an offer is still held."""


async def _nothing() -> None:
    """Note nothing."""


@dataclass(slots=True)
class Errand:
    """One offer to be brought, with what the courier asks and tells on the way.

    Parameters
    ----------
    offer
        What is brought.
    permission
        Gives what the customer allows at the moment.
    claim
        Called before the offer is handed over; returns when that is written down.
    unclaim
        Called when the gateway took nothing.
    is_in_doubt
        Whether the gateway may have it already: an answer was lost, or a process died while it was claimed.
    given_up
        Set by who wants the offer back: it is not tried again.
    is_waiting
        Whether it waits for its turn or for the gateway, and may be interrupted.
    trace
        The headers of the trace that the offer is a part of.

    """

    offer: Offer
    permission: Callable[[], Permission | None]
    claim: Callable[[], Awaitable[None]] = _nothing
    unclaim: Callable[[], None] = lambda: None
    is_in_doubt: bool = False
    given_up: bool = False
    is_waiting: bool = False
    trace: Headers = ()
    attempts: int = field(default=0, init=False)


class Courier:
    """Brings offers to one gateway.

    Parameters
    ----------
    connector
        The gateway.
    gate
        What keeps senders out while it is down.
    held_back
        Why an offer may not leave now, if so; asked before each attempt.
    clock
        Gives processing time.
    window
        How many offers are with the gateway at the same time.

    """

    def __init__(
        self, connector: Connector, gate: Gate, held_back: HeldBack, clock: Callable[[], Millis], window: int = 32
    ) -> None:
        self.gate = gate
        self.honours_key = connector.honours_key
        self._connector = connector
        self._held_back = held_back
        self._clock = clock
        self._window = asyncio.Semaphore(window)

    async def bring(self, errand: Errand) -> End | None:
        """Bring one offer to its end; None where it was given up before it was handed over."""
        if errand.is_in_doubt and not self.honours_key:
            return End("unknown", Reason.INTERRUPTED)
        end = self._ending(errand)
        while end is None and not errand.given_up:
            await self._while_held(errand)
            async with AsyncExitStack() as stack:
                passage = await self._turn(errand, stack)
                end = self._ending(errand)
                if end is None and passage is not None and not self._is_held(errand):
                    end = await self._attempt(errand, passage)
        return end

    def _is_held(self, errand: Errand) -> bool:
        return self._held_back(errand.offer, self._clock()) is Reason.HELD

    async def _while_held(self, errand: Errand) -> None:
        """Wait while nobody knows what is in force, until the offer ends."""
        errand.is_waiting = True
        try:
            while self._is_held(errand) and self._ending(errand) is None and not errand.given_up:
                await asyncio.sleep(_HELD)
        finally:
            errand.is_waiting = False

    def _ending(self, errand: Errand) -> End | None:
        now, offer = self._clock(), errand.offer
        return _said(errand, ending(offer, errand.permission(), self._held_back(offer, now), now))

    async def _turn(self, errand: Errand, stack: AsyncExitStack) -> Passage | None:
        """Wait for a free place and for the gate; None when the offer expired before."""
        left = (errand.offer.expires_at - moment(self._clock())).total_seconds()
        errand.is_waiting = True
        try:
            async with asyncio.timeout(left):
                await stack.enter_async_context(self._window)
                return await stack.enter_async_context(self.gate.passage())
        except TimeoutError:
            return None
        finally:
            errand.is_waiting = False

    async def _attempt(self, errand: Errand, passage: Passage) -> End | None:
        """Hand the offer over once; None says that it may be tried again."""
        offer = errand.offer
        errand.attempts += 1
        await errand.claim()
        # To write that down takes a moment, in which somebody may have stopped it.
        if (end := self._ending(errand)) is not None or self._is_held(errand):
            if not errand.is_in_doubt:
                errand.unclaim()
            return end
        try:
            with sending(errand.trace, offer.channel, offer.id, errand.attempts):
                await self._connector.send(offer)
        except Unavailable as error:
            if not errand.is_in_doubt:
                errand.unclaim()
            passage.failed(error.after, self._jitter(errand))
            return None
        except Refused as error:
            passage.worked()
            return _said(errand, End("rejected", Reason.GATEWAY_REFUSED, str(error) or "refused"))
        except InDoubt:
            errand.is_in_doubt = True
            # A gateway that loses answers is treated as down: the same offer goes again with the same key, or,
            # where that could double it, not at all.
            passage.failed(None, self._jitter(errand))
            return None if self.honours_key else End("unknown", Reason.ANSWER_LOST)
        passage.worked()
        return End("accepted")

    @staticmethod
    def _jitter(errand: Errand) -> float:
        return share(str(errand.attempts), errand.offer.id)


def _said(errand: Errand, end: End | None) -> End | None:
    """Say no more than we know: an offer in doubt may have reached the customer, and its coupon is not free."""
    if end is None or not errand.is_in_doubt:
        return end
    return End("unknown", end.reason or Reason(end.what), end.refused)
