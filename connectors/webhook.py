"""The signed POST: how Kairos hands a record to a gateway over HTTP, after the Standard Webhooks specification.

The receiver checks `webhook-signature` with a secret that both sides know, and tells repetitions by `webhook-id`,
which is the offer's id.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp
from opentelemetry.propagate import inject
from standardwebhooks.webhooks import Webhook

from kairos.instants import Millis, moment, rfc3339
from kairos.ports import InDoubt, Receipt, Refused, Unavailable

__all__ = ["Gateway", "SignedPost"]

BUSY = frozenset({408, 425, 429})
"""Answers below 500 that say: not now."""
MISCONFIGURED = frozenset({401, 403, 404})
"""A wrong secret, right or address: nobody's offer is at fault, and all wait until somebody mends it."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where a gateway is and how it is spoken to.

    Parameters
    ----------
    url
        The address that takes the POST.
    secrets
        `whsec_` secrets. While one is being replaced both are given, and every request is signed with both.
    honours_key
        Whether the gateway promises to take each `webhook-id` once.
    patience
        Seconds to wait for a connection, and then for the answer.
    tls
        Who is trusted and which certificate is shown; the machine's own list unless given.

    """

    url: str
    secrets: tuple[str, ...]
    honours_key: bool = True
    patience: float = 10.0
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        """Name the address, never the secrets."""
        return f"Gateway({self.url!r})"


class SignedPost:
    """Posts signed records to one gateway and says what became of each. Used as `async with`.

    Parameters
    ----------
    gateway
        Whom to speak to.
    now
        Gives processing time, for the timestamp that is signed.

    """

    def __init__(self, gateway: Gateway, now: Callable[[], Millis]) -> None:
        if not gateway.secrets:
            raise ValueError(f"{gateway!r} has no secret to sign with")
        self.gateway = gateway
        self._now = now
        self._signers = [Webhook(secret) for secret in gateway.secrets]
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Get ready to connect; no connection is made yet."""
        wait = aiohttp.ClientTimeout(connect=self.gateway.patience, sock_read=self.gateway.patience, total=None)
        # A kept connection may be closed by the gateway just as we write, which leaves the offer in doubt for
        # nothing. Where doubt means giving up, each offer gets a connection of its own.
        connector = aiohttp.TCPConnector(limit=0, force_close=not self.gateway.honours_key)
        self._session = aiohttp.ClientSession(connector=connector, timeout=wait)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, key: str, type_: str, data: Mapping[str, object]) -> Receipt:
        """Post one record.

        Parameters
        ----------
        key
            What the gateway tells repetitions by.
        type_
            What the record is, such as `kairos.offer.v1`.
        data
            The record.

        Raises
        ------
        Unavailable
            Nothing was taken: no connection, or the gateway says it is too busy or broken.
        Refused
            The gateway will never take this record.
        InDoubt
            The record went out and no answer came back.

        """
        if self._session is None:
            raise RuntimeError("use a SignedPost as `async with`")
        now = self._now()
        body = json.dumps({"type": type_, "timestamp": rfc3339(now), "data": data}, ensure_ascii=False)
        try:
            async with self._session.post(
                self.gateway.url,
                data=body.encode(),
                headers=self._headers(key, now, body),
                allow_redirects=False,
                ssl=self.gateway.tls or True,
            ) as answer:
                return await self._judge(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # No connection, so not a byte of the record left.
            raise Unavailable(f"no connection: {type(error).__name__}") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
            raise InDoubt(f"no answer: {type(error).__name__}") from error

    def _headers(self, key: str, now: Millis, body: str) -> dict[str, str]:
        at = moment(now)
        found = {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": " ".join(signer.sign(key, at, body) for signer in self._signers),
        }
        # The trace that this is a part of; nothing where there is none.
        inject(found)
        return found

    async def _judge(self, answer: aiohttp.ClientResponse) -> Receipt:
        status = answer.status
        if status == 409 or (status == 200 and _says_duplicate(await answer.read())):
            return Receipt.DUPLICATE
        if 200 <= status < 300:
            return Receipt.ACCEPTED
        if 400 <= status < 500 and status not in BUSY | MISCONFIGURED:
            raise Refused(f"the gateway answered {status}")
        # A redirection takes nothing either; following it would carry the record to an address nobody configured.
        raise Unavailable(f"the gateway answered {status}", _wish(answer.headers.get("retry-after"), self._now()))


def _says_duplicate(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("duplicate") is True


def _wish(text: str | None, now: Millis) -> float | None:
    """Read Retry-After, which is seconds or a date; what is neither is no wish."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now / 1000)
