"""The connectors, against the contract and on the wire."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from email.utils import format_datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.memory import Memory, Outcome
from connectors.push_http import PushHttp
from connectors.sms_http import SmsHttp
from connectors.webhook import Gateway, SignedPost
from kairos.instants import moment
from kairos.offers import Message, Offer, Text
from kairos.ports import Connector, InDoubt, Receipt, Refused, Unavailable
from streams import clock
from tests.connector_contract import ConnectorContract, an_offer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLDER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


class ScriptedGateway:
    """An HTTP gateway that does what its script says."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.requests: list[tuple[dict[str, str], str]] = []
        self.answers: dict[str, web.Response] = {
            "down": web.Response(status=503),
            "busy": web.Response(status=429, headers={"retry-after": "1"}),
            "refuse": web.Response(status=400),
        }
        self._script: list[str] = []

    def follow(self, *script: Outcome | str) -> None:
        self._script = list(script)

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.text()))
        outcome = self._script.pop(0) if self._script else "ok"
        if outcome in self.answers:
            return self.answers[outcome]
        key = request.headers["webhook-id"]
        known = key in self.reached
        if not known:
            self.reached.append(key)
        if outcome == "lost" and request.transport is not None:
            request.transport.abort()
        if outcome == "slow":
            await asyncio.sleep(1)
        return web.Response(status=409 if known else 202)


@pytest.fixture
def peer() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture
async def url(peer: ScriptedGateway) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/offers", peer.answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/offers"))


@pytest.fixture
async def post(url: str) -> AsyncIterator[SignedPost]:
    async with SignedPost(Gateway(url, (SECRET,), patience=0.3), clock.now) as post:
        yield post


class TestMemory(ConnectorContract):
    @pytest.fixture
    def peer(self) -> Memory:
        return Memory()

    @pytest.fixture
    def connector(self, peer: Memory) -> Connector:
        return peer


class TestPushHttp(ConnectorContract):
    @pytest.fixture
    def connector(self, post: SignedPost) -> Connector:
        return PushHttp(post)


class TestSmsHttp(ConnectorContract):
    @pytest.fixture
    def connector(self, post: SignedPost) -> Connector:
        return SmsHttp(post)


async def test_a_signature_verifies_and_a_changed_body_does_not(post: SignedPost, peer: ScriptedGateway) -> None:
    await PushHttp(post).send(an_offer())

    headers, body = peer.requests[0]
    said = Webhook(SECRET).verify(body, headers)
    assert said["type"] == "kairos.offer.v1"
    assert said["data"]["coupon"]["code"] == "K123"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace("K123", "K124"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": "offer-2"})


async def test_while_a_secret_is_replaced_both_verify(url: str, peer: ScriptedGateway) -> None:
    async with SignedPost(Gateway(url, (SECRET, OLDER)), clock.now) as post:
        await PushHttp(post).send(an_offer())

    headers, body = peer.requests[0]
    Webhook(SECRET).verify(body, headers)
    Webhook(OLDER).verify(body, headers)


async def test_the_sms_platform_gets_a_template_and_no_number(post: SignedPost, peer: ScriptedGateway) -> None:
    await SmsHttp(post).send(an_offer())

    message = json.loads(peer.requests[0][1])["data"]
    assert message["to"] == "c7"
    assert message["template"] == "lunch-1"
    assert message["params"] == {"code": "K123", "merchant": "waimai"}
    assert message["text"] == "午餐立减 5 元"
    assert message["reference"]["decision"] == "decision-of-offer-1"


def said_by_a_template(**ids: str) -> Offer:
    values = {"code": Text(zh="K123", en="K123"), "shop": Text(zh="外卖", en="Takeaway")}
    message = Message(content="hash", language="en", values=values, ids=ids)
    return an_offer().model_copy(update={"message": message})


async def test_the_sms_platform_gets_its_own_name_of_a_template_and_the_customers_language(
    post: SignedPost, peer: ScriptedGateway
) -> None:
    for gateway, ids in ((None, {"a": "S1"}), ("b", {"a": "S1", "b": "S2"}), (None, {"a": "S1", "b": "S2"}), ("b", {})):
        await SmsHttp(post, gateway=gateway).send(said_by_a_template(**ids))

    messages = [json.loads(body)["data"] for _, body in peer.requests]
    assert [message["template"] for message in messages] == ["S1", "S2", "lunch-1", "lunch-1"]
    first = messages[0]
    assert (first["language"], first["text"]) == ("en", an_offer().text.en)
    assert first["params"] == {"code": "K123", "shop": "Takeaway"}
    assert first["coupon"] == {"code": "K123", "merchant": "waimai"}


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504])
async def test_these_answers_mean_later(post: SignedPost, peer: ScriptedGateway, status: int) -> None:
    peer.answers["this"] = web.Response(status=status)
    peer.follow("this")

    with pytest.raises(Unavailable):
        await post.post("k", "t", {})


@pytest.mark.parametrize("status", [400, 410, 413, 422])
async def test_these_answers_mean_never(post: SignedPost, peer: ScriptedGateway, status: int) -> None:
    peer.answers["this"] = web.Response(status=status)
    peer.follow("this")

    with pytest.raises(Refused):
        await post.post("k", "t", {})


async def test_a_gateway_may_say_duplicate_in_its_answer(post: SignedPost, peer: ScriptedGateway) -> None:
    peer.answers["this"] = web.json_response({"duplicate": True})
    peer.answers["that"] = web.Response(text="not JSON")
    peer.follow("this", "that")

    assert await post.post("k", "t", {}) == Receipt.DUPLICATE
    assert await post.post("k", "t", {}) == Receipt.ACCEPTED


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("120", 120, 120), ("a minute from now", 0, 61), ("0", 0, 0)],
)
async def test_retry_after_is_seconds_or_a_date(
    post: SignedPost, peer: ScriptedGateway, text: str, least: float, most: float
) -> None:
    said = text if text.isdecimal() else format_datetime(moment(clock.now() + 60_000))
    peer.answers["this"] = web.Response(status=503, headers={"retry-after": said})
    peer.follow("this")

    with pytest.raises(Unavailable) as caught:
        await post.post("k", "t", {})
    assert caught.value.after is not None
    assert least <= caught.value.after <= most


async def test_an_odd_retry_after_is_no_wish(post: SignedPost, peer: ScriptedGateway) -> None:
    peer.answers["this"] = web.Response(status=503, headers={"retry-after": "soon"})
    peer.follow("this")

    with pytest.raises(Unavailable) as caught:
        await post.post("k", "t", {})
    assert caught.value.after is None


async def test_nobody_listening_is_unavailable_not_a_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with SignedPost(Gateway(f"http://127.0.0.1:{port}/", (SECRET,)), clock.now) as post:
        with pytest.raises(Unavailable):
            await post.post("k", "t", {})


async def test_an_answer_that_does_not_come_in_time_is_a_doubt(post: SignedPost, peer: ScriptedGateway) -> None:
    peer.follow("slow")

    with pytest.raises(InDoubt):
        await post.post("k", "t", {})
    assert peer.reached == ["k"]


def test_secrets_are_never_shown() -> None:
    assert SECRET not in repr(Gateway("http://gateway/", (SECRET,)))


async def test_memory_without_keys_doubles_like_the_real_ones() -> None:
    memory = Memory(honours_key=False)

    await memory.send(an_offer())
    await memory.send(an_offer())

    assert memory.reached == ["offer-1", "offer-1"]
