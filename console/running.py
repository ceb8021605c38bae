"""Running: the processes at the edge, put together from settings."""

from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr

from connectors.push_http import PushHttp
from connectors.sms_http import SmsHttp
from connectors.webhook import Gateway, SignedPost
from console.live_records import EVENTS
from kairos.decisions import Reason
from kairos.instants import Millis
from kairos.offers import Channel, Offer
from rules.sending import held_back
from streams import clock
from streams.catalogue import Catalogue
from streams.delivery import deliver, until_signalled
from streams.event_log import read, shift_to
from streams.feed import feed
from streams.settings import NoServers, Settings
from streams.topics import FEEDBACK, FOREIGN, TOPICS
from streams.topics_declare import verify
from streams.versions import Versions

__all__ = ["Kind", "deliver_offers", "feed_log", "sandbox_gateways"]


class Kind(StrEnum):
    """A channel with a gateway."""

    PUSH = "push"
    SMS = "sms"


async def deliver_offers(settings: Settings, kind: Kind) -> None:
    """Deliver one channel until told to stop."""
    channel, client = Channel(kind.value), settings.cluster.for_aiokafka()
    catalogue = Catalogue(client)
    await catalogue.start()
    try:
        await catalogue.opened.wait()
        async with SignedPost(_gateway(settings, kind), clock.now) as post:
            await deliver(
                client,
                channel,
                PushHttp(post) if kind is Kind.PUSH else SmsHttp(post, gateway=settings.sms_gateway),
                lambda offer, now: _held_back(catalogue.versions(), offer, now),
                clock.now,
                until_signalled(),
                session=settings.session_ms,
            )
    finally:
        await catalogue.stop()


async def feed_log(settings: Settings, log: Path, rate: float | None, *, shift_to_now: bool, now: Millis) -> int:
    """Send a log; gives how many records were sent."""
    header, _ = read(log)
    names = {*EVENTS, *header.topics}
    verify(settings.cluster, settings.partitions, [topic for topic in (*TOPICS, *FOREIGN) if topic.name in names])
    shift = shift_to(header, now) if shift_to_now else 0
    _, records = read(log, shift)
    return (await feed(records, settings.cluster, rate)).total


async def sandbox_gateways(
    settings: Settings, sms_port: int, push_port: int, truth: Path | None, seed: int, accepted: Path | None
) -> None:
    """Run the sandbox's two gateways until told to stop."""
    # Imported here: a worker never needs it.
    from console.sandbox import Sandbox, run_sandbox

    verify(settings.cluster, settings.partitions, [topic for topic in TOPICS if topic.name == FEEDBACK])
    await run_sandbox(
        Sandbox(
            client=settings.cluster.for_aiokafka(),
            sms_port=sms_port,
            push_port=push_port,
            sms_secret=_secret("SMS", settings.sms_secret),
            push_secret=_secret("PUSH", settings.push_secret),
            truth=truth,
            seed=seed,
            accepted=accepted,
        ),
        clock.now,
        until_signalled(),
    )


def _held_back(versions: Versions, offer: Offer, now: Millis) -> Reason | None:
    return held_back(versions.policy, versions.stops, offer, now)


def _gateway(settings: Settings, kind: Kind) -> Gateway:
    if kind is Kind.PUSH:
        return Gateway(settings.push_url, (_secret("PUSH", settings.push_secret),))
    return Gateway(settings.sms_url, (_secret("SMS", settings.sms_secret),))


def _secret(name: str, secret: SecretStr | None) -> str:
    if secret is None:
        raise NoServers(f"the gateway's secret is missing; set KAIROS_{name}_SECRET, or a file of that name")
    return secret.get_secret_value()
