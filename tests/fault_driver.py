"""What tests drive workers with: workers as processes, and how to wait for what they do."""

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from kairos.instants import SECOND, Millis
from streams.cluster import Cluster
from streams.hooks import Point
from streams.topics import TOPICS

ROOT = Path(__file__).parent.parent
_PR_SET_PDEATHSIG = 1


def _ends_with_us() -> None:
    """Let Linux kill what we started when we are killed; elsewhere it is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Command:
    """One `kairos` command as a process, with a log; it can be killed, stopped and started again.

    Parameters
    ----------
    name, folder
        The log is `<name>.log` in the folder.
    words
        The command.
    environment
        What it is told beside the environment of the tests.
    module
        The program that is run.

    """

    def __init__(
        self,
        name: str,
        folder: Path,
        words: Sequence[str],
        environment: Mapping[str, str],
        module: str = "console.cli",
    ) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self._module, self._words, self._environment = module, list(words), os.environ | environment
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ended_by_itself(self) -> bool:
        return self._is_wanted and not self.is_running

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            # In a session of its own, Ctrl-C in a terminal is the driver's alone.
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *self._words],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_ends_with_us,
            )
        self._is_wanted = True

    async def says(self, text: str, times: int = 1, within: float = 60) -> None:
        await until(lambda: self.said(text) >= times, within, f"{text!r} in {self.log}", self.log)

    def said(self, text: str) -> int:
        return self.log.read_text(errors="replace").count(text) if self.log.exists() else 0

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it where it stands."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self.log} ended by itself: {self.log.read_text()[-3000:]}"
        self._is_wanted = False
        self._process.kill()
        self._process.wait(10)

    async def stop(self, within: float = 60) -> int:
        """End it as an operator would; gives its exit code."""
        assert self._process is not None
        self._is_wanted = False
        self._process.terminate()
        return await asyncio.to_thread(self._process.wait, within)

    def end(self) -> None:
        """See that nothing is left, whatever happened before."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)


class Worker(Command):
    """One `kairos worker`, with a disk of its own and hooks of its own."""

    def __init__(
        self,
        name: str,
        servers: str,
        folder: Path,
        *more: str,
        session: Millis = 2 * SECOND,
        module: str = "console.cli",
        **settings: str,
    ) -> None:
        self.data, self.pauses, self.settings = folder / f"data-{name}", folder / f"pauses-{name}", settings
        self.pauses.mkdir()
        environment = {
            "KAIROS_BOOTSTRAP": servers,
            "KAIROS_DATA": str(self.data),
            "KAIROS_PAUSES": str(self.pauses),
            "KAIROS_SESSION_MS": str(session),
            "KAIROS_MOST_RECORDS": "400",
            **settings,
        }
        super().__init__(name, folder, ["worker", *more], environment, module)

    def start(self, hold: Point | None = None) -> None:
        """Start it, to be held at a point from the beginning if one is named."""
        if hold:
            self.hold(hold)
        super().start()

    def hold(self, point: Point) -> None:
        (self.pauses / point).touch()

    def let_go(self, point: Point | None = None) -> None:
        """Let it go on, from one point or from all."""
        for file in self.pauses.iterdir() if point is None else (self.pauses / point,):
            file.unlink(missing_ok=True)

    async def reached(self, point: Point, within: float = 30) -> None:
        await until(lambda: (self.pauses / f"{point}.reached").exists(), within, f"{point} of {self.log}", self.log)

    def kill(self) -> None:
        """Kill it where it stands, and forget where it was held."""
        super().kill()
        self.let_go()

    def wipe(self) -> None:
        shutil.rmtree(self.data)


async def until(holds: Callable[[], bool], within: float, what: str, log: Path | None = None) -> None:
    """Wait for something, or fail and say for what."""
    end = time.monotonic() + within
    while not holds():
        tail = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
        assert time.monotonic() < end, f"waited {within:.0f} s for {what}\n{tail}"
        await asyncio.sleep(0.05)


async def quiet(cluster: Cluster, rest: float = 3, within: float = 60) -> None:
    """Wait until no topic has grown for a while."""
    end, since = time.monotonic() + within, time.monotonic()
    last: dict[TopicPartition, int] = {}
    while time.monotonic() - since < rest:
        assert time.monotonic() < end, "the topics never came to rest"
        ends = await asyncio.to_thread(_ends, cluster)
        if ends != last:
            last, since = ends, time.monotonic()
        await asyncio.sleep(0.2)


def _ends(cluster: Cluster) -> dict[TopicPartition, int]:
    with closing(KafkaConsumer(**cluster.for_kafka_python())) as consumer:
        places = [TopicPartition(t.name, n) for t in TOPICS for n in consumer.partitions_for_topic(t.name) or ()]
        return consumer.end_offsets(places)
