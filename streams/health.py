"""Health: `/live`, `/ready` and `/metrics` of one worker, on the loopback interface unless it is told otherwise.

Live is a process whose loop turns. Ready is one whose catalogue is read and whose partitions are all open; one that was
stopped by a mistake of ours is named with its reason.
"""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web
from mode import Service
from prometheus_client import CONTENT_TYPE_LATEST

from streams import clock
from streams.catalogue import Catalogue
from streams.metrics_export import exported
from streams.stage import Stage

__all__ = ["Health", "report"]


class Health(Service):
    """Answers three questions over HTTP.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one, found in `port` afterwards.
    catalogue, stages
        Whom to ask.
    listening
        Is told the port once it is open.

    """

    def __init__(
        self,
        host: str,
        port: int,
        catalogue: Catalogue,
        stages: Sequence[Stage[Any]],
        listening: Callable[[int], None] | None = None,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self.host, self.port = host, port
        self._catalogue, self._stages, self._listening = catalogue, stages, listening

    async def on_start(self) -> None:
        """Begin to listen, before the stages start: a worker that restores is live and not ready."""
        app = web.Application()
        app.add_routes(
            [web.get("/live", self._live), web.get("/ready", self._ready), web.get("/metrics", self._metrics)]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        if self._listening is not None:
            self._listening(self.port)

    async def on_stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _request: web.Request) -> web.Response:
        told = report(self._catalogue, self._stages)
        return web.json_response(told, status=200 if told["ready"] else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=exported(self._stages, clock.now()), headers={"Content-Type": CONTENT_TYPE_LATEST})


def report(catalogue: Catalogue, stages: Sequence[Stage[Any]]) -> dict[str, Any]:
    """Say what is ready and what is not: stages with their open and stopped partitions, publications refused.

    A stage that joined its group and got no partition is ready: others have them, and it stands by.
    """
    found = {
        stage.spec.name: {
            "open": sorted(number for number, partition in stage.partitions.items() if partition.ready),
            "opening": sorted(
                number
                for number, partition in stage.partitions.items()
                if not partition.ready and number not in stage.stopped
            ),
            "restoring": {
                str(number): {name: figures[name] for name in ("records", "left", "records_per_second", "seconds_left")}
                for number, partition in sorted(stage.partitions.items())
                if (figures := partition.progress.figures())["left"]
            },
            "waiting": {str(number): one.waiting for number, one in sorted(stage.partitions.items()) if one.waiting},
            "stopped": {str(number): why for number, why in sorted(stage.stopped.items())},
        }
        for stage in stages
    }
    opened = catalogue.opened.is_set()
    waiting = any(stage["opening"] or stage["stopped"] for stage in found.values())
    return {
        "ready": opened and all(stage.joined for stage in stages) and not waiting,
        "catalogue": {"read": opened, "refused": dict(catalogue.reader.problems)},
        "stages": found,
    }
