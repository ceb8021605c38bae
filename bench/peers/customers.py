"""Kairos itself: the customers' stage, with the rules that are in force in the catalogue."""

import asyncio

from bench.child import arguments
from bench.peers.staged import measure
from streams.catalogue import Catalogue
from streams.stages import STAGES


async def main() -> None:
    asked = arguments()
    catalogue = Catalogue({"bootstrap_servers": asked.bootstrap})
    await catalogue.start()
    await measure(asked, STAGES["customers"], catalogue.versions, catalogue.opened)
    await catalogue.stop()


asyncio.run(main())
