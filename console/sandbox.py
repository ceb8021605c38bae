"""The sandbox: an SMS gateway and a mobile bank to try Kairos out with, and simulated customers behind them.

Everything they send back says `simulated: true`. The gateways are strict where a real one is: a bad signature is
refused, a repetition is answered as one, and both are counted (`GET /sandbox/stats`). To see an outage:
`POST /sandbox/down?seconds=20`, or `&mode=lost` for one that takes offers and loses its answers.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from console.sandbox_customers import Handed, Truth, reactions
from console.sandbox_gateway import Accepted, Counts, Gateway
from kairos.events import Feedback
from kairos.instants import Millis
from kairos.offers import Channel
from kairos.wire import headers, type_of
from streams.connected import connected
from streams.topics import FEEDBACK

__all__ = ["Running", "Sandbox", "run_sandbox", "running"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How a sandbox is run.

    Parameters
    ----------
    client
        How Kafka's clients reach the cluster (`Cluster.for_aiokafka()`).
    sms_secret, push_secret
        What offers must be signed with.
    sms_port, push_port
        Where the gateways listen; 0 takes a free port.
    truth
        What the customers are like; all alike where there is no file.
    seed
        Another seed, other reactions to the same offers.
    accepted
        A file that gets one JSON line for each accepted offer.
    pace
        How long reactions take, as a multiple of a few seconds; 0 is at once.
    host
        Where to listen: this machine alone unless given.

    """

    client: Mapping[str, Any] = field(repr=False)
    sms_secret: str = field(repr=False)
    push_secret: str = field(repr=False)
    sms_port: int = 8090
    push_port: int = 8091
    truth: Path | None = None
    seed: int = 1
    accepted: Path | None = None
    pace: float = 1.0
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that runs: its gateways, and the addresses that take offers."""

    gateways: Mapping[Channel, Gateway]
    urls: Mapping[Channel, str]

    def stats(self) -> dict[str, Counts]:
        """Give what each gateway saw."""
        return {channel.value: gateway.counts for channel, gateway in self.gateways.items()}


async def run_sandbox(sandbox: Sandbox, now: Callable[[], Millis], stop: asyncio.Event) -> None:
    """Run the gateways and their customers until `stop` is set. Reactions that are still to come are dropped.

    Raises
    ------
    NotTheTruth
        The truth's file is something else.

    """
    async with running(sandbox, now) as found:
        log.info("sandbox ready", simulated=True, sms=found.urls[Channel.SMS], push=found.urls[Channel.PUSH])
        await stop.wait()
        for channel, gateway in found.gateways.items():
            counts = gateway.counts
            log.info("sandbox saw", channel=channel, accepted=counts.accepted, duplicates=counts.duplicates)


@asynccontextmanager
async def running(sandbox: Sandbox, now: Callable[[], Millis]) -> AsyncIterator[Running]:
    """Run a sandbox for as long as the context lasts."""
    truth = Truth.read(sandbox.truth) if sandbox.truth else Truth()
    book = Accepted(sandbox.accepted)
    async with AsyncExitStack() as stack:
        # What is written twice has one id. A producer that numbers its records writes none after one it gave up.
        producer = await stack.enter_async_context(connected(AIOKafkaProducer(acks="all", **sandbox.client)))
        customers = _Customers(sandbox, truth, producer, now)
        stack.push_async_callback(customers.leave)
        secrets = {Channel.SMS: sandbox.sms_secret, Channel.PUSH: sandbox.push_secret}
        gateways = {
            channel: Gateway(channel, (secret,), book, now, customers.receive) for channel, secret in secrets.items()
        }
        ports = {Channel.SMS: sandbox.sms_port, Channel.PUSH: sandbox.push_port}
        found = Running(gateways, urls := {})
        for channel, gateway in gateways.items():
            urls[channel] = await _serve(stack, gateway.app(found.stats), sandbox.host, ports[channel], channel)
        yield found


async def _serve(stack: AsyncExitStack, app: web.Application, host: str, port: int, path: str) -> str:
    runner = web.AppRunner(app, access_log=None)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return f"http://{host}:{runner.addresses[0][1]}/{path}"


class _Customers:
    # The people behind the gateways: each offer is a task that says, one after the other, what its customer does.

    def __init__(self, sandbox: Sandbox, truth: Truth, producer: AIOKafkaProducer, now: Callable[[], Millis]) -> None:
        self._sandbox, self._truth, self._producer, self._now = sandbox, truth, producer, now
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, offer: Handed) -> None:
        task = asyncio.get_running_loop().create_task(self._react(offer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def leave(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _react(self, offer: Handed) -> None:
        waited: Millis = 0
        for after, feedback in reactions(offer, self._truth.chances(offer), self._sandbox.seed):
            await asyncio.sleep((after - waited) / 1000 * self._sandbox.pace)
            waited = after
            try:
                await self._say(offer, feedback)
            except KafkaError as error:
                log.warning("reaction lost", offer=offer.id, what=feedback.what, error=type(error).__name__)

    async def _say(self, offer: Handed, feedback: Feedback) -> None:
        name = f"{offer.id}:{feedback.what}"
        attributes = headers(type_of("feedback"), name, self._now(), f"/sandbox/{offer.channel}")
        await self._producer.send_and_wait(
            FEEDBACK,
            value=feedback.model_dump_json().encode(),
            key=offer.customer.encode(),
            headers=list(attributes),
        )
