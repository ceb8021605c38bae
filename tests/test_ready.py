"""`/live` and `/ready`: a worker says itself when it is open, and which partition was stopped and why."""

import aiohttp
import pytest

from streams.catalogue import Catalogue
from streams.health import Health
from tests.stage_house import House

pytestmark = pytest.mark.kafka


async def test_a_worker_is_ready_when_it_is_open_and_a_stopped_partition_is_named(house: House) -> None:
    stage, catalogue = await house.start(), Catalogue({})
    health = Health("127.0.0.1", 0, catalogue, [stage])
    await health.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{health.port}") as session:

            async def asked(path: str) -> tuple[int, dict[str, object]]:
                async with session.get(path) as answer:
                    return answer.status, await answer.json()

            unread = await asked("/ready")
            catalogue.opened.set()
            ready = await asked("/ready")
            await house.send(b"1", b"boom", partition=0)
            await house.until(lambda: 0 in stage.stopped)
            stopped = await asked("/ready")
            live = await asked("/live")
    finally:
        await health.stop()

    assert unread[0] == 503
    assert ready == (
        200,
        {
            "ready": True,
            "catalogue": {"read": True, "refused": {}},
            "stages": {house.name: {"open": [0, 1], "opening": [], "restoring": {}, "waiting": {}, "stopped": {}}},
        },
    )
    assert stopped[0] == 503
    assert stopped[1]["stages"] == {
        house.name: {
            "open": [1],
            "opening": [],
            "restoring": {},
            "waiting": {},
            "stopped": {"0": f"ZeroDivisionError on {house.main}:0:1"},
        }
    }
    assert live == (200, {"live": True})
