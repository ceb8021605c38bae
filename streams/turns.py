"""Turns: what only some partitions of a worker do at a time, so that the others' live work goes on."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Turns"]

_AT_ONCE: Final = 2
"""Partitions restored from nothing at the same time: while one waits for Kafka, the other keeps the core busy."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Whose turn it is in one stage.

    Parameters
    ----------
    restoring
        Held by the partitions that are restored from nothing.
    rereading
        Held by the one that reads something again.

    """

    restoring: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    rereading: asyncio.Lock = field(default_factory=asyncio.Lock)
