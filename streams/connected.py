"""A client of Kafka for as long as somebody needs it, and none of its connections for longer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

__all__ = ["connected"]


class _Client(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


C = TypeVar("C", bound=_Client)


@asynccontextmanager
async def connected(client: C) -> AsyncIterator[C]:
    """Connect a consumer or a producer, and let it go again whatever happens.

    One that fails while it connects, or is told to go meanwhile, has connections already.

    Parameters
    ----------
    client
        What was made and is not started yet.

    Examples
    --------
    >>> import asyncio
    >>> from contextlib import suppress
    >>> class Away:
    ...     async def start(self) -> None:
    ...         raise ConnectionError("nobody answers")
    ...
    ...     async def stop(self) -> None:
    ...         print("let go")
    >>> async def ask() -> None:
    ...     async with connected(Away()):
    ...         print("never")
    >>> with suppress(ConnectionError):
    ...     asyncio.run(ask())
    let go

    """
    try:
        await client.start()
        yield client
    finally:
        await client.stop()
