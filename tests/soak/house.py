"""The house of a soak: a broker, three workers, two deliveries and the gateways, each a process that can be harmed."""

import os
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from console.demo_gateways import answers, free_ports, new_secret
from kairos.instants import SECOND, Millis
from streams.broker import LocalBroker, configured
from streams.cluster import Cluster
from streams.topics import Partitions
from streams.topics_declare import declare
from tests.fault_driver import Command, Worker, until

SESSION: Millis = 2 * SECOND
MOST = 200
"""Records of one topic that a worker takes at a time, so that a burst fills it."""
CHANNELS = ("sms", "push")


@dataclass
class House:
    """What runs."""

    folder: Path
    broker: LocalBroker
    cluster: Cluster
    ports: dict[str, int]
    secrets: dict[str, str]
    workers: dict[str, Worker] = field(default_factory=dict)
    deliveries: dict[str, Command] = field(default_factory=dict)
    partitions: Partitions = field(default_factory=Partitions)

    @property
    def accepted(self) -> Path:
        """What the gateways wrote down."""
        return self.folder / "accepted.jsonl"

    @property
    def environment(self) -> dict[str, str]:
        """What a command is told that looks at this house."""
        return os.environ | {"KAIROS_BOOTSTRAP": self.cluster.bootstrap}

    @property
    def running(self) -> list[Worker]:
        """The workers that are there now."""
        return [worker for worker in self.workers.values() if worker.is_running]

    async def begin(self) -> None:
        """Start the gateways and the deliveries, and wait until they are there; workers start when they are told."""
        places = [word for name, port in self.ports.items() for word in (f"--{name}-port", str(port))]
        more = self._gateways()
        sandbox = Command("sandbox", self.folder, ["sandbox", *places, "--accepted", str(self.accepted)], more)
        self.deliveries = {name: Command(f"deliver-{name}", self.folder, ["deliver", name], more) for name in CHANNELS}
        settings = {"KAIROS_MOST_RECORDS": str(MOST)}
        for name in "abc":
            self.workers[name] = Worker(name, self.cluster.bootstrap, self.folder, session=SESSION, **settings)
        self._all = [sandbox, *self.deliveries.values(), *self.workers.values()]
        for command in (sandbox, *self.deliveries.values()):
            command.start()
        for port in self.ports.values():
            await until(lambda port=port: answers(port), 120, f"the gateway on {port}", sandbox.log)  # type: ignore[misc]
        for name, delivery in self.deliveries.items():
            await delivery.says("permissions read", self.partitions.customers, within=120)
            assert delivery.is_running, name

    def check(self) -> None:
        """Make sure that nobody has ended who was not told to."""
        for command in self._all:
            assert not command.ended_by_itself, f"{command.name} ended by itself; its log is {command.log}"

    async def stop(self) -> list[int]:
        """Tell all workers and deliveries to go; gives their exit codes."""
        return [await it.stop(60) for it in (*self.deliveries.values(), *self.running)]

    def end(self) -> None:
        """See that nothing is left."""
        for command in getattr(self, "_all", []):
            command.end()

    def gateway_down(self, channel: str, seconds: int, mode: str) -> None:
        """Let a gateway be down for a while: it says so, or takes offers and loses its answers."""
        where = f"http://127.0.0.1:{self.ports[channel]}/sandbox/down?seconds={seconds}&mode={mode}"
        urllib.request.urlopen(urllib.request.Request(where, method="POST"), timeout=60).close()

    def _gateways(self) -> dict[str, str]:
        told = {f"KAIROS_{name.upper()}_URL": f"http://127.0.0.1:{port}/{name}" for name, port in self.ports.items()}
        told |= {f"KAIROS_{name.upper()}_SECRET": secret for name, secret in self.secrets.items()}
        return told | {"KAIROS_BOOTSTRAP": self.cluster.bootstrap, "KAIROS_SESSION_MS": str(SESSION)}


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """Build a house with a broker of its own, for a broker that others use must not be killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with configured(os.environ, folder / "kafka") as broker:
        cluster = Cluster(bootstrap=broker.bootstrap)
        declare(cluster, Partitions())
        found = House(folder, broker, cluster, free_ports(CHANNELS), {name: new_secret() for name in CHANNELS})
        try:
            yield found
        finally:
            found.end()


def tidy(folder: Path) -> None:
    """Remove what a soak left that held."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


STOP, GO = signal.SIGSTOP, signal.SIGCONT
