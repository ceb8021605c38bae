"""The mobile bank: hands whole offers to its back end, which owns devices, logins and the vendors' push services."""

from connectors.webhook import SignedPost
from kairos.offers import Offer
from kairos.ports import Receipt

__all__ = ["PushHttp"]


class PushHttp:
    """Delivers offers to the mobile bank's back end.

    Parameters
    ----------
    post
        The signed POST to it.

    """

    def __init__(self, post: SignedPost) -> None:
        self._post = post
        self.honours_key = post.gateway.honours_key

    async def send(self, offer: Offer) -> Receipt:
        """Hand over one offer as it is."""
        return await self._post.post(offer.id, "kairos.offer.v1", offer.model_dump(mode="json"))
