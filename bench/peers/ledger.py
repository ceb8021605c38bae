"""The ledger's stage, with one pool that never runs out."""

import asyncio

from bench.child import arguments
from bench.ledger_run import POOLS
from bench.peers.staged import measure
from streams.stages import STAGES
from streams.versions import CODES_KEY, Versions


async def main() -> None:
    asked, opened = arguments(), asyncio.Event()
    versions = Versions().having("pools", POOLS).having(CODES_KEY, b"a key for nothing but this bench")
    opened.set()
    await measure(asked, STAGES["ledger"], lambda: versions, opened)


if __name__ == "__main__":
    asyncio.run(main())
