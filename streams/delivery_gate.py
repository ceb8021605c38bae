"""The gate before a gateway: open while it answers; while it does not, one probe at a time and a growing wait.

Circuit breakers off the shelf let every waiting call through when they half-open. This one lets one through.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

__all__ = ["Gate", "Passage", "wait"]

log = structlog.get_logger(__name__)

FIRST = 0.25
"""Seconds of the first wait."""
LONGEST = 30.0
"""Seconds of the longest wait between two probes."""
LONGEST_WISH = 900.0
"""Seconds up to which a gateway's own wish is honoured; beyond them it is asked again."""


class Gate:
    """Lets senders pass.

    Parameters
    ----------
    name
        The gateway's name, for the log.
    first, longest
        The first wait in seconds, and the longest; between them it doubles.

    """

    def __init__(self, name: str, first: float = FIRST, longest: float = LONGEST) -> None:
        self._name = name
        self._first, self._longest = first, longest
        self._failures = 0
        self._until = 0.0
        self._probe = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the gateway answered, as far as we know."""
        return self._failures == 0

    @asynccontextmanager
    async def passage(self) -> AsyncIterator["Passage"]:
        """Wait until one may send; say on the passage how it went."""
        if not self.is_open:
            async with self._probe:
                # Who waited behind a probe that succeeded goes on without being one.
                if not self.is_open:
                    await asyncio.sleep(max(0.0, self._until - asyncio.get_running_loop().time()))
                    yield Passage(self, is_probe=True)
                    return
        yield Passage(self, is_probe=False)

    def close(self, seconds: float) -> None:
        """Keep everybody out for this long, and then let one through."""
        if self.is_open:
            log.warning("gateway down", gateway=self._name, wait=round(seconds, 2))
        self._failures += 1
        self._until = asyncio.get_running_loop().time() + seconds

    def open(self) -> None:
        """Let everybody pass."""
        if not self.is_open:
            log.info("gateway back", gateway=self._name, failures=self._failures)
        self._failures = 0

    def wait(self, after: float | None, jitter: float) -> float:
        """Give the seconds to wait after one more failure."""
        return wait(self._failures + 1, after, jitter, self._first, self._longest)


class Passage:
    """One sender's way through the gate; a probe speaks for all."""

    def __init__(self, gate: Gate, *, is_probe: bool) -> None:
        self._gate = gate
        self.is_probe = is_probe

    def worked(self) -> None:
        """Say that the gateway answered."""
        # An answer to a request from before the outage says nothing about now.
        if self.is_probe:
            self._gate.open()

    def failed(self, after: float | None, jitter: float) -> None:
        """Say that the gateway is down; `after` is its wish in seconds."""
        # The other requests that were under way when it went down are the same failure, not one more each.
        if self.is_probe or self._gate.is_open:
            self._gate.close(self._gate.wait(after, jitter))


def wait(failures: int, after: float | None, jitter: float, first: float = FIRST, longest: float = LONGEST) -> float:
    """Give the seconds to wait after this many failures in a row.

    Parameters
    ----------
    failures
        How many, at least 1.
    after
        The gateway's wish; it goes before our own arithmetic.
    jitter
        A share in [0, 1) that keeps several senders from coming back in the same moment: up to half is added.
    first, longest
        The first wait, and the longest.

    Examples
    --------
    >>> [wait(failures, None, 0.0) for failures in (1, 2, 3, 99)]
    [0.25, 0.5, 1.0, 30.0]
    >>> wait(1, 20.0, 0.5)
    25.0

    """
    base = min(longest, first * 2.0 ** min(failures - 1, 32)) if after is None else min(after, LONGEST_WISH)
    return base * (1 + jitter / 2)
