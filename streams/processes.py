"""Processes: one worker on several cores. Kafka's groups spread the partitions over them as over machines.

Python computes on one core, so a worker that shall use four is four processes under a parent that works on nothing.
They share the folder of the state, for a partition has a folder of its own in it; they end together, however one ends.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from streams import app, logs
from streams.settings import Settings
from streams.skips import Skip

__all__ = ["ProcessEnded", "run_processes"]

log = structlog.get_logger(__name__)

_DRAIN = 30.0
"""Seconds in which a process ends by itself: a batch under way is committed, the group left."""
_LOOK = 0.2
_ANSWER = aiohttp.ClientTimeout(total=2)


class ProcessEnded(RuntimeError):
    """A process ended though nobody asked it to, or did not end when it was asked."""


def run_processes(
    settings: Settings, stages: Sequence[str], *, door: bool, count: int, skips: Sequence[Skip] = ()
) -> None:
    """Run a worker as so many processes until it is told to stop; SIGTERM and Ctrl-C reach all of them.

    Parameters
    ----------
    settings
        Where Kafka is, and how to run.
    stages
        Which of the stages run in each process.
    door
        Whether the bank's card feed is mapped here.
    count
        How many processes; as many as there are cores to spare for it.
    skips
        Records that may be passed by where a step raises on them; each process hears of all, for each may own any.

    Raises
    ------
    TopicError
        Kafka does not answer, or its topics are not as declared.
    ProcessEnded
        A process ended by itself; the others were stopped. Whoever runs the worker starts it again.

    """
    app.refuse(settings, door=door)
    asyncio.run(_run([_Process(settings, stages, door, number, skips) for number in range(1, count + 1)], settings))


class _Process:
    """One of them, seen from the parent."""

    def __init__(
        self, settings: Settings, stages: Sequence[str], door: bool, number: int, skips: Sequence[Skip]
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._heard, told = context.Pipe(duplex=False)
        self.number = number
        self._port: int | None = None
        arguments = (_of_one(settings, number), list(stages), door, number, told, list(skips))
        name = f"kairos-{number}"
        self._process: SpawnProcess = context.Process(target=_work, args=arguments, name=name, daemon=True)
        self._process.start()
        told.close()

    @property
    def ended(self) -> bool:
        return not self._process.is_alive()

    @property
    def how(self) -> str:
        code = self._process.exitcode or 0
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        if not self.ended:
            self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    async def ready(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        """Ask it whether it is ready, as anybody would."""
        if self._port is None and self._heard.poll():
            self._port = self._heard.recv()
        told: dict[str, Any] = {"ready": False, "why": "it is starting"}
        if self._port is not None:
            try:
                async with session.get(f"http://127.0.0.1:{self._port}/ready") as answer:
                    told = await answer.json()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                told["why"] = f"it does not answer: {type(error).__name__}"
        return {"pid": self._process.pid, **told}


def _of_one(settings: Settings, number: int) -> Settings:
    # Static membership needs a name for each; the parent alone listens where the settings say.
    changed: dict[str, object] = {"instance": settings.instance and f"{settings.instance}-{number}"}
    if settings.health_port is not None:
        changed |= {"health_host": "127.0.0.1", "health_port": 0}
    return settings.model_copy(update=changed)


async def _run(processes: list[_Process], settings: Settings) -> None:
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    try:
        async with AsyncExitStack() as stack:
            if settings.health_port is not None:
                await _listen(stack, processes, settings.health_host, settings.health_port)
            while not asked.is_set() and not any(process.ended for process in processes):
                with suppress(TimeoutError):
                    await asyncio.wait_for(asked.wait(), _LOOK)
    finally:
        found = [f"process {process.number} ended by itself: {process.how}" for process in processes if process.ended]
        found += await _stop(processes)
    if found:
        raise ProcessEnded(f"{'; '.join(found)}; the others were stopped")


async def _stop(processes: list[_Process]) -> list[str]:
    left = [process for process in processes if not process.ended]
    for process in left:
        process.stop()
    end = asyncio.get_running_loop().time() + _DRAIN
    while left and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(_LOOK)
        left = [process for process in left if not process.ended]
    for process in left:
        process.kill()
    return [f"process {process.number} did not end within {_DRAIN:.0f} s and was killed" for process in left]


async def _listen(stack: AsyncExitStack, processes: list[_Process], host: str, port: int) -> None:
    session = await stack.enter_async_context(aiohttp.ClientSession(timeout=_ANSWER))

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(_request: web.Request) -> web.Response:
        told = await asyncio.gather(*[process.ready(session) for process in processes])
        everybody = all(one["ready"] for one in told)
        found = {str(process.number): one for process, one in zip(processes, told, strict=True)}
        return web.json_response({"ready": everybody, "processes": found}, status=200 if everybody else 503)

    served = web.Application()
    served.add_routes([web.get("/live", live), web.get("/ready", ready)])
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()


def _work(settings: Settings, stages: list[str], door: bool, number: int, told: Connection, skips: list[Skip]) -> None:
    """Be one of the processes."""
    # A terminal sends Ctrl-C to everybody in its session; here the parent tells each, once.
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logs.configure(settings.log_level, settings.log_format)
    structlog.contextvars.bind_contextvars(process=number)
    app.run_worker(settings, stages, door=door, listening=told.send, name=f"kairos-{number}", skips=skips)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
