"""Trials of templates at the gateways: signed over HTTP to the sandbox, marked, and without a trace in statistics."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from connectors.push_http import PushHttp
from connectors.sms_http import SmsHttp
from connectors.webhook import Gateway as Address
from connectors.webhook import SignedPost
from console.counting import Count
from console.sandbox_customers import Chances, Handed, reactions
from console.sandbox_gateway import Accepted, Gateway
from kairos.decisions import Reason
from kairos.offers import Channel, Offer
from kairos.permissions import Permission
from kairos.ports import Connector, Output
from kairos.wire import headers
from rules.policy import Policy
from rules.sending import held_back
from rules.stops import NOTHING, Stops, kind_of, written
from rules.template_trial import TRIAL, trials
from streams import clock
from streams.delivery_courier import Courier, Errand
from streams.delivery_end import End, feedback
from streams.delivery_gate import Gate
from streams.topics import FEEDBACK
from streams.trials import trial_outputs
from tests.customer_table import Table
from tests.delivery_table import SECRET, may
from tests.test_template_trials import TEMPLATES, as_record

POLICY = Policy.model_validate({"format": 1, "zone": "UTC", "hours": {"sms": "00:00-24:00", "push": "00:00-24:00"}})
STOPPED = NOTHING.having(kind_of("rule", TRIAL), written("enough tried", stopped=True))


class Sandbox:
    """Both gateways, each with a courier that brings offers to it."""

    def __init__(self, folder: Path) -> None:
        self.file, self.handed, self.stops = folder / "accepted.jsonl", list[Handed](), NOTHING
        self.couriers: dict[Channel, Courier] = {}

    async def open(self, stack: AsyncExitStack) -> None:
        book = Accepted(self.file)
        for channel in (Channel.SMS, Channel.PUSH):
            gateway = Gateway(channel, (SECRET,), book, clock.now, self.handed.append)
            server = await stack.enter_async_context(TestServer(gateway.app(dict)))
            address = Address(str(server.make_url(f"/{channel}")), (SECRET,))
            post = await stack.enter_async_context(SignedPost(address, clock.now))
            connector: Connector = SmsHttp(post) if channel is Channel.SMS else PushHttp(post)
            self.couriers[channel] = Courier(connector, Gate(channel), self._held_back, clock.now)

    def _held_back(self, offer: Offer, now: int) -> Reason | None:
        return held_back(POLICY, self.stops, offer, now)

    async def brings(self, offer: Offer, allowed: Permission | None) -> End | None:
        return await self.couriers[offer.channel].bring(Errand(offer, lambda: allowed))

    def taken(self) -> list[dict[str, Any]]:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [json.loads(line)["data"] for line in lines]


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    found = Sandbox(tmp_path)
    async with AsyncExitStack() as stack:
        await found.open(stack)
        yield found


def tried() -> list[Offer]:
    return list(trials(TEMPLATES, "coupon", "T1", clock.now()))


async def test_each_text_reaches_its_gateway_marked_and_in_its_language(sandbox: Sandbox) -> None:
    offers = tried()

    ends = [await sandbox.brings(offer, may("T1")) for offer in offers]

    assert ends == [End("accepted")] * 3
    chinese, english, push = sandbox.taken()
    assert [message["test"] for message in (chinese, english, push)] == [True] * 3
    assert (chinese["to"], chinese["language"], english["language"]) == ("T1", "zh", "en")
    # The platform has approved the Chinese text alone, under a name of its own.
    assert (chinese["template"], english["template"]) == ("S1", "coupon")
    assert chinese["params"] == {"code": "K00000Z9F4FAV", "shop": "咖啡店", "until": "2026年12月31日", "value": "15.5"}
    assert push["text"]["zh"].startswith("<b>")
    assert push["message"]["is_html"] is True


async def test_what_testers_do_with_it_moves_nothing_and_is_counted_nowhere(sandbox: Sandbox) -> None:
    table, count = Table(now=clock.now()), Count()
    table.hear(table.profile("T1"))
    before, offers = table.customer("T1"), tried()
    answers = [feedback(one, end, table.now) for one in offers if (end := await sandbox.brings(one, may("T1")))]
    for handed in sandbox.handed:
        for later in reactions(handed, Chances(1.0, 1.0), seed=1):
            head = headers("kairos.feedback.v1", f"{handed.id}:{later.feedback.what}", table.now, "/sandbox")
            answers.append(Output(FEEDBACK, b"T1", later.feedback.model_dump_json().encode(), head))

    said = table.hear(*(as_record(answer) for answer in answers))
    for output in (*trial_outputs(offers, table.now), *answers):
        count.take(as_record(output))

    assert len(answers) > 2 * len(offers)
    assert said.outputs == []
    assert table.customer("T1").contacts == before.contacts
    assert (count.figures().offers, count.figures().delivered) == ({}, {})


@pytest.mark.parametrize(
    ("allowed", "stops", "reason"),
    [
        (None, NOTHING, Reason.NO_PERMISSION),
        (may("T1", granted=False), NOTHING, Reason.NO_CONSENT),
        (may("T1"), STOPPED, Reason.STOPPED),
    ],
)
async def test_a_tester_is_asked_like_everybody_and_trials_can_be_stopped(
    sandbox: Sandbox, allowed: Permission | None, stops: Stops, reason: Reason
) -> None:
    sandbox.stops = stops

    ends = [await sandbox.brings(offer, allowed) for offer in tried()]

    assert ends == [End("rejected", reason)] * 3
    assert sandbox.taken() == []
