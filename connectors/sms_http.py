"""The bank's SMS platform: hands it a template and its parameters, and the reference it finds the number by."""

from typing import Literal

from connectors.webhook import SignedPost
from kairos.offers import Offer
from kairos.ports import Receipt

__all__ = ["SmsHttp"]


class SmsHttp:
    """Delivers offers to the bank's SMS platform.

    Kairos knows no telephone numbers: `to` is the customer's key, and the platform looks the number up. Operators
    in China only carry approved templates, so the template and its parameters are the message; the text goes along
    for platforms that may send it as it is. What is under `reference` belongs into the receipt.

    Parameters
    ----------
    post
        The signed POST to the platform.
    language
        Which text the platform gets.

    """

    def __init__(self, post: SignedPost, language: Literal["zh", "en"] = "zh") -> None:
        self._post = post
        self._language = language
        self.honours_key = post.gateway.honours_key

    async def send(self, offer: Offer) -> Receipt:
        """Hand over one offer as a message."""
        return await self._post.post(offer.id, "kairos.sms.v1", self._message(offer))

    def _message(self, offer: Offer) -> dict[str, object]:
        return {
            "id": offer.id,
            "to": offer.customer,
            "template": offer.template,
            "params": _params(offer),
            "text": offer.text.zh if self._language == "zh" else offer.text.en,
            "expires_at": offer.model_dump(mode="json")["expires_at"],
            "reference": {
                "offer": offer.id,
                "decision": offer.decision,
                "programme": offer.programme,
                "rule": offer.rule,
                "purpose": offer.purpose,
            },
        }


def _params(offer: Offer) -> dict[str, str]:
    found = {"product": offer.product} if offer.product else {}
    if offer.coupon is not None:
        found |= {"code": offer.coupon.code, "merchant": offer.coupon.merchant}
    return found
