"""The bank's SMS platform: hands it a template and its parameters, and the reference it finds the number by."""

from typing import Literal

from connectors.webhook import SignedPost
from kairos.offers import Message, Offer, Text
from kairos.ports import Receipt

__all__ = ["SmsHttp"]


class SmsHttp:
    """Delivers offers to the bank's SMS platform.

    Kairos knows no telephone numbers: `to` is the customer's key, and the platform looks the number up. Operators
    in China only carry approved templates, so the template and its parameters are the message; the text goes along
    for platforms that may send it as it is. What is under `reference` belongs into the receipt. Where a template of
    ours made the text, the language is the customer's, and the template has the name that the platform gave it.

    Parameters
    ----------
    post
        The signed POST to the platform.
    language
        Which text the platform gets, where an offer does not say it.
    gateway
        What the templates call this platform; needed only where several serve the channel.

    """

    def __init__(self, post: SignedPost, language: Literal["zh", "en"] = "zh", gateway: str | None = None) -> None:
        self._post = post
        self._language = language
        self._gateway = gateway
        self.honours_key = post.gateway.honours_key

    async def send(self, offer: Offer) -> Receipt:
        """Hand over one offer as a message."""
        return await self._post.post(offer.id, "kairos.sms.v1", self._message(offer))

    def _message(self, offer: Offer) -> dict[str, object]:
        language = self._language if offer.message is None else offer.message.language
        return {
            "id": offer.id,
            "to": offer.customer,
            "template": offer.template if offer.message is None else self._name(offer.template, offer.message),
            "language": language,
            "params": _params(offer),
            "text": _in(offer.text, language),
            "expires_at": offer.model_dump(mode="json")["expires_at"],
            "reference": {
                "offer": offer.id,
                "decision": offer.decision,
                "programme": offer.programme,
                "rule": offer.rule,
                "purpose": offer.purpose,
            },
        } | _marks(offer)

    def _name(self, template: str, message: Message) -> str:
        """Give the template's name here: the platform's own, where it gave one."""
        if self._gateway is not None:
            return message.ids.get(self._gateway, template)
        return next(iter(message.ids.values())) if len(message.ids) == 1 else template


def _in(text: Text, language: Literal["zh", "en"]) -> str:
    return text.zh if language == "zh" else text.en


def _params(offer: Offer) -> dict[str, str]:
    if (message := offer.message) is not None:
        return {name: _in(text, message.language) for name, text in message.values.items()}
    found = {"product": offer.product} if offer.product else {}
    if offer.coupon is not None:
        found |= {"code": offer.coupon.code, "merchant": offer.coupon.merchant}
    return found


def _marks(offer: Offer) -> dict[str, object]:
    """Give what few messages have: a coupon, and that they are for a tester."""
    coupon = offer.coupon
    found: dict[str, object] = {"test": True} if offer.test else {}
    return found if coupon is None else found | {"coupon": {"code": coupon.code, "merchant": coupon.merchant}}
