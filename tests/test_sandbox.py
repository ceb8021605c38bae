"""The sandbox: as strict as a real gateway, and its customers are simulated and say so."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from connectors.push_http import PushHttp
from connectors.sms_http import SmsHttp
from connectors.webhook import Gateway as Address
from connectors.webhook import SignedPost
from console.sandbox import Sandbox, run_sandbox, running
from console.sandbox_customers import Chances, Handed, NotTheTruth, Truth, reactions
from console.sandbox_gateway import Accepted, Gateway
from kairos.offers import Channel
from kairos.ports import Connector, InDoubt, Receipt, Refused, Unavailable
from streams import clock
from streams.cluster import Cluster
from streams.topics import FEEDBACK
from tests.connector_contract import an_offer
from tests.delivery_table import read

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


class Bank:
    """A mobile bank on its own, without Kafka behind it."""

    def __init__(self, accepted: Path | None = None) -> None:
        self.handed: list[Handed] = []
        self.gateway = Gateway(Channel.PUSH, (SECRET,), Accepted(accepted), clock.now, self.handed.append)
        self.server = TestServer(self.gateway.app(lambda: {"push": self.gateway.counts}))

    @property
    def url(self) -> str:
        return str(self.server.make_url("/push"))


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    found = Bank(tmp_path / "accepted.jsonl")
    async with found.server:
        yield found


@pytest.fixture
async def post(bank: Bank) -> AsyncIterator[SignedPost]:
    async with SignedPost(Address(bank.url, (SECRET,), patience=1), clock.now) as post:
        yield post


async def test_a_repetition_is_answered_as_one_and_counted(bank: Bank, post: SignedPost) -> None:
    assert await PushHttp(post).send(an_offer()) == Receipt.ACCEPTED
    assert await PushHttp(post).send(an_offer()) == Receipt.DUPLICATE

    assert (bank.gateway.counts.accepted, bank.gateway.counts.duplicates) == (1, 1)
    assert [offer.code for offer in bank.handed] == ["K123"]


async def test_a_bad_signature_is_refused_and_counted(bank: Bank) -> None:
    async with SignedPost(Address(bank.url, (OTHER,)), clock.now) as post:
        with pytest.raises(Unavailable, match="401"):
            await PushHttp(post).send(an_offer())
    async with aiohttp.ClientSession() as session, session.post(bank.url, data=b"{}") as answer:
        assert answer.status == 401

    assert bank.gateway.counts.bad_signatures == 2
    assert bank.handed == []


async def test_what_is_signed_but_no_offer_is_refused(bank: Bank, post: SignedPost) -> None:
    with pytest.raises(Refused, match="400"):
        await post.post("k", "kairos.offer.v1", {"id": "k"})
    with pytest.raises(Refused, match="400"):
        await post.post("k", "something.else", {})

    assert bank.gateway.counts.unreadable == 2


async def test_it_can_be_told_to_be_down_and_comes_back(bank: Bank, post: SignedPost) -> None:
    async with TestClient(bank.server) as admin:
        assert (await admin.post("/sandbox/down?seconds=60")).status == 200
        with pytest.raises(Unavailable):
            await PushHttp(post).send(an_offer())
        assert (await admin.post("/sandbox/down?seconds=0")).status == 200

        assert await PushHttp(post).send(an_offer()) == Receipt.ACCEPTED
        assert (await (await admin.get("/sandbox/stats")).json())["push"]["refused_while_down"] == 1
        assert (await admin.post("/sandbox/down?seconds=soon")).status == 400
        assert (await admin.post("/sandbox/down?mode=slow")).status == 400


async def test_it_can_lose_its_answers_and_has_the_offer_all_the_same(bank: Bank, post: SignedPost) -> None:
    bank.gateway.be_down(60, "lost")

    with pytest.raises(InDoubt):
        await PushHttp(post).send(an_offer())
    bank.gateway.be_down(0)

    assert await PushHttp(post).send(an_offer()) == Receipt.DUPLICATE
    assert bank.gateway.counts.answers_lost == 1


async def test_a_later_sandbox_remembers_what_was_accepted(bank: Bank, post: SignedPost, tmp_path: Path) -> None:
    await PushHttp(post).send(an_offer())

    lines = [json.loads(line) for line in (tmp_path / "accepted.jsonl").read_text().splitlines()]
    assert [(line["channel"], line["id"], line["data"]["customer"]) for line in lines] == [("push", "offer-1", "c7")]
    again = Bank(tmp_path / "accepted.jsonl")
    async with again.server, SignedPost(Address(again.url, (SECRET,)), clock.now) as second:
        assert await PushHttp(second).send(an_offer()) == Receipt.DUPLICATE


def handed(id_: str = "o1", channel: Channel = Channel.PUSH, **more: Any) -> Handed:
    return Handed(id_, f"d-{id_}", "c1", channel, "marketing", **more)


def heard(offer: Handed, chances: Chances, seed: int = 1) -> list[str]:
    return [later.feedback.what for later in reactions(offer, chances, seed)]


def test_secrets_are_never_shown() -> None:
    assert SECRET not in repr(Sandbox({}, SECRET, SECRET))


class TestCustomers:
    @given(st.text(min_size=1, max_size=10), st.integers(0, 99), st.floats(0, 1), st.floats(0, 1))
    def test_the_same_offer_and_seed_give_the_same_reactions_in_order_and_simulated(
        self, id_: str, seed: int, opened: float, used: float
    ) -> None:
        chances = Chances(opened, min(opened, used))

        first = reactions(handed(id_), chances, seed)

        assert first == reactions(handed(id_), chances, seed)
        assert all(later.feedback.simulated for later in first)
        assert [later.after for later in first] == sorted(later.after for later in first)
        assert heard(handed(id_), chances, seed) in (
            ["undelivered"],
            *(["delivered", "opened", "clicked", "converted"][:count] for count in (1, 2, 3, 4)),
        )

    def test_the_shares_are_the_truths(self) -> None:
        offers = [handed(f"o{number}", code="K") for number in range(20_000)]
        found = [heard(offer, Chances(0.4, 0.1)) for offer in offers]

        def share(what: str) -> float:
            return sum(what in reactions for reactions in found) / len(found)

        assert share("delivered") == pytest.approx(0.97, abs=0.01)
        assert share("opened") == pytest.approx(0.97 * 0.4, abs=0.015)
        assert share("redeemed") == pytest.approx(0.97 * 0.1, abs=0.01)

    def test_a_text_message_does_not_tell_that_it_was_read(self) -> None:
        offer = next(o for n in range(99) if len(heard(o := handed(f"o{n}", Channel.SMS), Chances(1, 1))) > 1)

        assert heard(offer, Chances(1, 1)) == ["delivered", "clicked", "converted"]

    def test_only_a_redemption_carries_the_code(self) -> None:
        offer = next(o for n in range(99) if len(heard(o := handed(f"o{n}", code="K1"), Chances(1, 1))) > 1)

        codes = {later.feedback.what: later.feedback.code for later in reactions(offer, Chances(1, 1), 1)}

        assert codes == {"delivered": None, "opened": None, "clicked": None, "redeemed": "K1"}


class TestTruth:
    def test_each_customer_has_chances_by_the_class_of_the_merchant(self, tmp_path: Path) -> None:
        path = tmp_path / "truth.jsonl"
        path.write_text(
            '{"format":"kairos-truth/1","origin":"simulated","seed":1,"classes":["food_delivery","travel"]}\n'
            '{"customer":"c1","open":[0.5,0.25],"redeem":[0.25,0.125],"base":[0.0,0.0]}\n'
        )
        truth = Truth.read(path)

        assert truth.chances(handed(merchant="waimai-a")) == Chances(0.5, 0.25)
        assert truth.chances(handed(merchant="lvxing-a")) == Chances(0.25, 0.125)
        assert truth.chances(handed(merchant="unknown")) == Chances(0.375, 0.1875)
        assert truth.chances(Handed("o", "d", "stranger", Channel.PUSH, "marketing")) == truth.default

    @pytest.mark.parametrize("text", ["", "hello", '{"format":"other/1","classes":[]}'])
    def test_another_file_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "truth.jsonl"
        path.write_text(text)

        with pytest.raises(NotTheTruth):
            Truth.read(path)


@pytest.mark.kafka
@pytest.mark.usefixtures("declared")
class TestSandbox:
    async def test_both_channels_answer_on_the_feedback_topic(self, cluster: Cluster) -> None:
        sandbox = Sandbox(cluster.for_aiokafka(), SECRET, OTHER, 0, 0, pace=0)

        async with running(sandbox, clock.now) as found:
            for channel, secret, make in ((Channel.SMS, SECRET, SmsHttp), (Channel.PUSH, OTHER, PushHttp)):
                async with SignedPost(Address(found.urls[channel], (secret,)), clock.now) as post:
                    connector: Connector = make(post)
                    for number in range(20):
                        offer = an_offer(f"{channel}-{number}", f"c{number}", channel)
                        assert await connector.send(offer) == Receipt.ACCEPTED
            records = await read(cluster, FEEDBACK, _first_words(40))
            counts = found.stats()

        assert {name: asdict(seen)["accepted"] for name, seen in counts.items()} == {"sms": 20, "push": 20}
        attributes = [dict(record.headers) for record in records]
        assert {found["ce_source"] for found in attributes} == {b"/sandbox/sms", b"/sandbox/push"}
        assert {found["ce_type"] for found in attributes} == {b"kairos.feedback.v1"}
        said = [json.loads(record.value or b"") for record in records]
        assert all(word["simulated"] for word in said)
        assert {word["decision"] for word in said} == {
            f"decision-of-{c}-{n}" for c in ("sms", "push") for n in range(20)
        }

    async def test_it_stops_when_told_though_customers_have_more_to_say(self, cluster: Cluster) -> None:
        stop = asyncio.Event()
        sandbox = Sandbox(cluster.for_aiokafka(), SECRET, OTHER, 0, 0)
        process = asyncio.create_task(run_sandbox(sandbox, clock.now, stop))
        await asyncio.sleep(0.5)

        stop.set()

        await asyncio.wait_for(process, 5)


def _first_words(count: int) -> Callable[[list[Any]], bool]:
    return lambda records: sum(dict(r.headers)["ce_id"].endswith(b"delivered") for r in records) >= count
