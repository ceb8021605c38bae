"""How the local broker is set: one node on the loopback, little memory, few files; and which ports it takes."""

import fcntl
import os
import socket
from itertools import islice
from pathlib import Path

__all__ = [
    "LOG_SETTINGS",
    "NOT_LOCKED",
    "BrokerError",
    "choose_ports",
    "lock_folder",
    "remember_ports",
    "was_started",
    "write_settings",
]

LOG_SETTINGS = "log4j2.properties"
NOT_LOCKED = -1

_SETTINGS = """\
# Written anew at each start by streams/broker.py.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
# One node: nothing to replicate to.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# After a crash Kafka comes back when its own former session has run out; nine seconds are Kafka's default.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
# A laptop: few files, little memory, quick groups; tests use short sessions.
offsets.topic.num.partitions=4
# What groups committed is read whole at each start, and a broker that is elected twice meanwhile tells half of it, or
# nothing more at all (docs/decisions/0020): in small segments, what is written over is soon gone.
offsets.topic.segment.bytes=1048576
log.cleaner.backoff.ms=5000
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""

_LOGGING = """\
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c)%n
"""


class BrokerError(RuntimeError):
    """The local broker cannot run; the message says why and which setting helps."""


def lock_folder(home: Path) -> int:
    """Take the folder for one broker, and give the file descriptor that holds it.

    Kafka has a lock of its own, but takes it too late: a second process has by then written into the metadata of the
    first. Ours is inherited by the guard and by Kafka, so it lasts as long as any of them lives.
    """
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BrokerError(f"Another broker runs in {home}. Use its address, or choose another folder.") from None
    return descriptor


def choose_ports(home: Path) -> tuple[int, int]:
    """Choose the clients' port and the controller's: last time's if they are free, so that clients find us again."""
    if was_started(home):
        port, controller = map(int, _ports(home).read_text(encoding="utf-8").split())
        if _is_free(port) and _is_free(controller):
            return port, controller
    # Below the range the system deals out to outgoing connections, and different for two processes.
    first = 20_000 + 2 * os.getpid() % 10_000
    port, controller = islice(filter(_is_free, range(first, 32_000)), 2)
    return port, controller


def remember_ports(home: Path, port: int, controller: int) -> None:
    """Note the ports, once Kafka answered on them."""
    _ports(home).write_text(f"{port} {controller}\n", encoding="utf-8")


def was_started(home: Path) -> bool:
    """Whether Kafka has run on this folder before, which says that its storage is formatted."""
    return _ports(home).exists()


def write_settings(home: Path, port: int, controller: int) -> Path:
    """Write Kafka's settings and those of its log, and give the path of the first."""
    path = home / "server.properties"
    data = (home / "data").as_posix()
    path.write_text(_SETTINGS.format(port=port, controller=controller, data=data), encoding="utf-8")
    (home / LOG_SETTINGS).write_text(_LOGGING, encoding="utf-8")
    return path


def _ports(home: Path) -> Path:
    return home / "ports"


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
