"""A broker for everybody: a real Apache Kafka on this machine, out of Python packages alone.

`python -m streams.broker` runs one until Ctrl-C. The demo and the tests use `LocalBroker`. It listens on the loopback
only, has one node and no redundancy, and is for laptops and tests: a worker of the bank never starts it by itself.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from rich.console import Console

from streams import broker_guard
from streams.broker_config import (
    LOG_SETTINGS,
    NOT_LOCKED,
    BrokerError,
    choose_ports,
    lock_folder,
    remember_ports,
    was_started,
    write_settings,
)
from streams.broker_jars import LOCK, JarError, lock
from streams.broker_java import Runtime, find_runtime

__all__ = ["HOME", "BrokerError", "JarError", "LocalBroker", "configured", "main"]

HOME = Path("var/kafka")
"""Where the local broker keeps its data unless told otherwise."""

START_SECONDS = 180.0
"""How long a start may take. It takes three seconds; recovering gigabytes after a crash takes a minute."""

# One node is one cluster: its id only has to stay the same.
CLUSTER_ID = "a2Fpcm9zLWxvY2FsLTEuMA"

JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx512m",
    # Compiled once and quickly: Java's second compiler takes a core for minutes; few brokers here live so long.
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
)


class LocalBroker:
    """One Kafka node as a child process, with its data in a folder.

    It ends with `stop`, and also when this process ends in any way, by SIGKILL too: a small guard process
    (`streams/broker_guard.py`) holds a pipe to us. The same folder can be started again and still has its records;
    it keeps its port as long as the port is free.

    Parameters
    ----------
    home
        The folder of its data, settings and log.
    kafka_home, java_home
        See `streams.broker_java.find_runtime`.
    console
        Where progress is shown while jars are fetched.

    """

    def __init__(
        self,
        home: Path = HOME,
        *,
        kafka_home: Path | None = None,
        java_home: Path | None = None,
        console: Console | None = None,
    ) -> None:
        self.home = home.absolute()
        self.bootstrap = ""
        self.java_pid = 0
        self._kafka_home = kafka_home
        self._java_home = java_home
        self._console = console
        self._guard: subprocess.Popen[str] | None = None
        self._lock = NOT_LOCKED

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """What Kafka says: warnings and errors of the last run."""
        return self.home / "broker.log"

    @property
    def is_running(self) -> bool:
        """Whether Kafka's process lives."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> str:
        """Start, wait until it answers, and give its address.

        Raises
        ------
        BrokerError, JarError
            It cannot run; the message says why and which setting helps. Nothing is left running.

        """
        if self.is_running:
            return self.bootstrap
        self.stop()  # what a Kafka that ended by itself left in our hands
        runtime = find_runtime(self._kafka_home, self._java_home, self._console)
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.home)
        with ExitStack() as undone:
            undone.callback(self.stop)
            ports = choose_ports(self.home)
            settings = write_settings(self.home, *ports)
            self._format(runtime, settings)
            self._launch(runtime.command("kafka.Kafka", str(settings), options=self._options()))
            self._await_answer(ports[0])
            undone.pop_all()
        remember_ports(self.home, *ports)
        self.bootstrap = f"127.0.0.1:{ports[0]}"
        return self.bootstrap

    def stop(self) -> None:
        """Stop Kafka and wait until it has closed its files."""
        self._end_guard()
        if self._lock != NOT_LOCKED:
            os.close(self._lock)
            self._lock = NOT_LOCKED

    def kill(self) -> None:
        """End Kafka without warning, as a power cut does; `start` then recovers its data."""
        if self._guard is not None and self.is_running:
            os.kill(self.java_pid, signal.SIGKILL)
            self._guard.wait()

    def _end_guard(self) -> None:
        if self._guard is None:
            return
        with self._guard as guard:  # closes both pipes, which is the guard's sign, and waits
            if guard.stdin:
                guard.stdin.close()
        self._guard = None

    def _options(self) -> tuple[str, ...]:
        return (*JAVA_OPTIONS, f"-Dlog4j2.configurationFile={(self.home / LOG_SETTINGS).as_uri()}")

    def _format(self, runtime: Runtime, settings: Path) -> None:
        if was_started(self.home):
            return
        arguments = ("format", "--cluster-id", CLUSTER_ID, "--config", str(settings), "--ignore-formatted")
        self._launch(runtime.command("kafka.tools.StorageTool", *arguments, options=self._options()))
        if self._guard is not None and self._guard.wait():
            raise BrokerError(f"Kafka could not prepare {self.home}: {self._complaint()}")
        self._end_guard()

    def _launch(self, command: list[str]) -> None:
        """Run a Java program under the guard; in a session of its own, so that Ctrl-C in a terminal is ours alone."""
        guard = [sys.executable, "-I", broker_guard.__file__, str(self.log), str(self._lock), *command]
        self._guard = subprocess.Popen(  # noqa: S603
            guard,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=(self._lock,),
        )
        self.java_pid = int(self._guard.stdout.readline() or 0) if self._guard.stdout else 0

    def _await_answer(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if not self.is_running:
                raise BrokerError(f"Kafka did not start in {self.home}: {self._complaint()}")
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka did not answer within {START_SECONDS:.0f} s; its log is {self.log}.")
            time.sleep(0.05)

    def _complaint(self) -> str:
        """Give the reason in Kafka's own words."""
        said = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        errors = [line for line in said.splitlines() if " ERROR " in line or "Exception" in line or "Error" in line]
        return f"{errors[0] if errors else 'it gave no reason'} (more in {self.log})"


def configured(environment: Mapping[str, str], home: Path, console: Console | None = None) -> LocalBroker:
    """Make the local broker that `KAIROS_KAFKA_HOME` and `KAIROS_JAVA_HOME` ask for, if set."""
    kafka_home, java_home = environment.get("KAIROS_KAFKA_HOME"), environment.get("KAIROS_JAVA_HOME")
    return LocalBroker(
        home,
        kafka_home=Path(kafka_home) if kafka_home else None,
        java_home=Path(java_home) if java_home else None,
        console=console,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run a broker until Ctrl-C or SIGTERM, or write the list of jars anew."""
    parser = argparse.ArgumentParser(prog="python -m streams.broker", description=main.__doc__)
    parser.add_argument("--home", type=Path, default=HOME, help="folder of the data (default: %(default)s)")
    parser.add_argument("--lock", action="store_true", help=f"write {LOCK.name} anew and end; needs a network")
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True)
    try:
        if chosen.lock:
            console.print(f"{len(lock())} jars written to {LOCK}")
            return 0
        return _run(configured(os.environ, chosen.home, console), console)
    except (BrokerError, JarError) as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _run(broker: LocalBroker, console: Console) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with broker:
            console.print(f"Kafka answers on {broker.bootstrap}; its data is in {broker.home}. Ctrl-C stops it.")
            while broker.is_running:
                time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    raise BrokerError(f"Kafka ended by itself; its log is {broker.log}.")


def _answers(port: int) -> bool:
    """Whether Kafka serves: its port opens, and it answers, a little before its controller lets it work."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        with closing(KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=2_000)) as admin:
            return any(not broker["is_fenced"] for broker in admin.describe_cluster()["brokers"])
    except (OSError, KafkaError):
        return False


if __name__ == "__main__":
    sys.exit(main())
