"""A gateway in memory: keeps what it is given and does what its script says. For tests, previews and replays."""

from collections.abc import Iterable
from typing import Literal

from kairos.offers import Offer
from kairos.ports import InDoubt, Receipt, Refused, Unavailable

__all__ = ["Memory", "Outcome"]

Outcome = Literal["ok", "down", "busy", "refuse", "lost"]
"""What happens to one call: taken; unavailable; unavailable for a second; refused for good; taken, the answer lost."""


class Memory:
    """Delivers offers to a list.

    Parameters
    ----------
    script
        What happens to the first calls, in their order; those after it are `ok`.
    honours_key
        Whether an offer that was taken before is recognised.

    Examples
    --------
    >>> Memory(["down"]).reached
    []

    """

    def __init__(self, script: Iterable[Outcome] = (), *, honours_key: bool = True) -> None:
        self.honours_key = honours_key
        self.offers: list[Offer] = []
        """What reached the customers, in its order; an offer that reached them twice stands there twice."""
        self.calls: list[str] = []
        """The ids of all that were sent, with or without success."""
        self._script = list(script)

    @property
    def reached(self) -> list[str]:
        """The ids of the offers that reached the customers."""
        return [offer.id for offer in self.offers]

    def follow(self, *script: Outcome) -> None:
        """Do this next."""
        self._script = list(script)

    async def send(self, offer: Offer) -> Receipt:
        """Take one offer, or do what the script says."""
        self.calls.append(offer.id)
        outcome = self._script.pop(0) if self._script else "ok"
        match outcome:
            case "down":
                raise Unavailable("down, says the script")
            case "busy":
                raise Unavailable("busy, says the script", after=1.0)
            case "refuse":
                raise Refused("refused, says the script")
            case "lost":
                self._take(offer)
                raise InDoubt("the answer was lost, says the script")
            case "ok":
                return self._take(offer)

    def _take(self, offer: Offer) -> Receipt:
        if self.honours_key and offer.id in self.reached:
            return Receipt.DUPLICATE
        self.offers.append(offer)
        return Receipt.ACCEPTED
