"""What every connector must do. A new connector subclasses `ConnectorContract` and gets these tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import pytest

from connectors.memory import Outcome
from kairos.offers import Channel, Coupon, Offer, Text
from kairos.ports import Connector, InDoubt, Receipt, Refused, Unavailable

__all__ = ["ConnectorContract", "Peer", "an_offer"]


def an_offer(
    id_: str = "offer-1",
    customer: str = "c7",
    channel: Channel = Channel.PUSH,
    expires_at: datetime = datetime(2099, 1, 1, tzinfo=UTC),
) -> Offer:
    return Offer(
        id=id_,
        decision=f"decision-of-{id_}",
        customer=customer,
        programme="takeaway",
        rule="lunch",
        channel=channel,
        purpose="marketing",
        template="lunch-1",
        text=Text(zh="午餐立减 5 元", en="5 off your lunch"),
        coupon=Coupon(pool="waimai", code="K123", merchant="waimai", value=500, currency="CNY"),
        decided_at=datetime(2026, 12, 1, 4, tzinfo=UTC),
        expires_at=expires_at,
    )


class Peer(Protocol):
    """The outside system of a connector under test."""

    def follow(self, *script: Outcome) -> None:
        """Do this next."""

    @property
    def reached(self) -> Sequence[str]:
        """The ids of the offers that reached the customers."""


class ConnectorContract:
    """Subclass it, and give the fixtures `connector` and `peer`."""

    async def test_an_offer_reaches_the_customer(self, connector: Connector, peer: Peer) -> None:
        assert await connector.send(an_offer()) == Receipt.ACCEPTED
        assert peer.reached == ["offer-1"]

    async def test_the_same_key_reaches_the_customer_once(self, connector: Connector, peer: Peer) -> None:
        await connector.send(an_offer())

        assert await connector.send(an_offer()) == Receipt.DUPLICATE
        assert peer.reached == ["offer-1"]

    async def test_a_gateway_that_is_down_is_unavailable_and_took_nothing(
        self, connector: Connector, peer: Peer
    ) -> None:
        peer.follow("down")

        with pytest.raises(Unavailable):
            await connector.send(an_offer())
        assert peer.reached == []
        assert await connector.send(an_offer()) == Receipt.ACCEPTED

    async def test_a_busy_gateway_may_say_how_long_to_wait(self, connector: Connector, peer: Peer) -> None:
        peer.follow("busy")

        with pytest.raises(Unavailable) as caught:
            await connector.send(an_offer())
        assert caught.value.after == 1.0

    async def test_a_refusal_is_for_good(self, connector: Connector, peer: Peer) -> None:
        peer.follow("refuse")

        with pytest.raises(Refused):
            await connector.send(an_offer())
        assert peer.reached == []

    async def test_a_lost_answer_is_a_doubt_and_does_not_double_the_message(
        self, connector: Connector, peer: Peer
    ) -> None:
        peer.follow("lost")

        with pytest.raises(InDoubt):
            await connector.send(an_offer())
        assert await connector.send(an_offer()) == Receipt.DUPLICATE
        assert peer.reached == ["offer-1"]
