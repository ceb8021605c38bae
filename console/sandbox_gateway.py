"""The sandbox's gateways: they check signatures, refuse repetitions visibly, count, and can be told to be down."""

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from console.sandbox_customers import Handed
from kairos.instants import Millis, rfc3339
from kairos.offers import Channel, Offer

__all__ = ["Accepted", "Counts", "Gateway", "Outage"]

Outage = Literal["503", "lost"]
"""How a gateway fails: it says so, or it takes the offer and cuts the line before the answer."""


@dataclass(slots=True)
class Counts:
    """What one gateway saw."""

    accepted: int = 0
    duplicates: int = 0
    bad_signatures: int = 0
    unreadable: int = 0
    refused_while_down: int = 0
    answers_lost: int = 0


class Accepted:
    """What was accepted, in memory and, if there is one, in a file that a later sandbox goes on with.

    Parameters
    ----------
    path
        A file that gets one JSON line for each accepted offer.

    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ids: set[tuple[str, str]] = set()
        if path is not None and path.exists():
            with path.open(encoding="utf-8") as lines:
                self._ids = {(said["channel"], said["id"]) for said in map(json.loads, lines)}

    def take(self, channel: Channel, id_: str, at: Millis, data: Mapping[str, Any]) -> bool:
        """Write an offer down; False where it was there before."""
        if (channel, id_) in self._ids:
            return False
        self._ids.add((channel, id_))
        if self._path is not None:
            line = {"at": rfc3339(at), "channel": channel, "id": id_, "data": data}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return True


class Gateway:
    """One gateway: an HTTP application.

    Parameters
    ----------
    channel
        Which one.
    secrets
        Any of them may have signed.
    book
        What was accepted.
    now
        Gives processing time.
    accepted
        Called with each new offer.

    """

    def __init__(
        self,
        channel: Channel,
        secrets: tuple[str, ...],
        book: Accepted,
        now: Callable[[], Millis],
        accepted: Callable[[Handed], None],
    ) -> None:
        self.counts = Counts()
        self._channel, self._book, self._now, self._accepted = channel, book, now, accepted
        self._verifiers = [Webhook(secret) for secret in secrets]
        self._down_until: Millis = 0
        self._outage: Outage = "503"

    def app(self, stats: Callable[[], Mapping[str, Counts]]) -> web.Application:
        """Give the application; `stats` counts for the whole sandbox."""

        async def answer_stats(_request: web.Request) -> web.Response:
            return web.json_response({name: asdict(counts) for name, counts in stats().items()})

        app = web.Application()
        app.router.add_post(f"/{self._channel}", self._take)
        app.router.add_post("/sandbox/down", self._go_down)
        app.router.add_get("/sandbox/stats", answer_stats)
        return app

    def be_down(self, seconds: float, outage: Outage = "503") -> None:
        """Fail for so long; 0 ends it."""
        self._down_until = self._now() + round(seconds * 1000)
        self._outage = outage

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        left = self._down_until - self._now()
        if left > 0 and self._outage == "503":
            self.counts.refused_while_down += 1
            return web.json_response({"error": "down"}, status=503)
        if not self._is_signed(body, request.headers):
            self.counts.bad_signatures += 1
            return web.json_response({"error": "bad signature"}, status=401)
        try:
            said = json.loads(body)
            data = said["data"]
            handed = _READERS[said["type"]](data)
        except (ValueError, KeyError, TypeError):
            self.counts.unreadable += 1
            return web.json_response({"error": "unreadable"}, status=400)
        is_new = self._count(handed, data)
        if left > 0:
            self.counts.answers_lost += 1
            if request.transport is not None:
                request.transport.abort()
        return web.json_response({"id": handed.id, "duplicate": not is_new}, status=202 if is_new else 409)

    def _count(self, handed: Handed, data: Mapping[str, Any]) -> bool:
        is_new = self._book.take(self._channel, handed.id, self._now(), data)
        if is_new:
            self.counts.accepted += 1
            self._accepted(handed)
        else:
            self.counts.duplicates += 1
        return is_new

    def _is_signed(self, body: str, headers: Mapping[str, str]) -> bool:
        return any(_verifies(verifier, body, headers) for verifier in self._verifiers)

    async def _go_down(self, request: web.Request) -> web.Response:
        if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104  # an address that is not
            return web.json_response({"error": "only from this machine"}, status=403)
        outage, seconds = request.query.get("mode", "503"), _seconds(request.query.get("seconds", "20"))
        if outage not in get_args(Outage) or seconds is None:
            return web.json_response({"error": "seconds is 0 to 86400, mode is 503 or lost"}, status=400)
        self.be_down(seconds, cast("Outage", outage))
        return web.json_response({"down": seconds, "mode": outage})


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found <= 86_400 else None


def _verifies(verifier: Webhook, body: str, headers: Mapping[str, str]) -> bool:
    try:
        verifier.verify(body, dict(headers), json_parse=False)
    # A header that cannot even be taken apart is a ValueError.
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _read_offer(data: Mapping[str, Any]) -> Handed:
    """Read what the mobile bank is sent: a whole offer."""
    offer = Offer.model_validate(data)
    coupon = offer.coupon
    return Handed(
        offer.id,
        offer.decision,
        offer.customer,
        offer.channel,
        offer.purpose,
        code=coupon.code if coupon else None,
        merchant=coupon.merchant if coupon else None,
    )


def _read_message(data: Mapping[str, Any]) -> Handed:
    """Read what the SMS platform is sent: a message, and the reference that belongs into its receipt."""
    reference, coupon = data["reference"], data.get("coupon", {})
    return Handed(
        data["id"],
        reference["decision"],
        data["to"],
        Channel.SMS,
        reference["purpose"],
        code=coupon.get("code"),
        merchant=coupon.get("merchant"),
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], Handed]] = {
    "kairos.offer.v1": _read_offer,
    "kairos.sms.v1": _read_message,
}
