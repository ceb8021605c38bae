"""A real Kafka for the tests: never a mock, and never skipped.

In this order: the servers named by `KAIROS_TEST_KAFKA` (a cluster of its own for tests, for its topics are deleted);
a container where a Docker engine answers (`KAIROS_TEST_KAFKA_IMAGE` names another image, with a tag of 7.0.0 or
above); the local broker out of Python packages. It is started once, by the first test that asks for it.
"""

import gc
import itertools
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.broker import configured
from streams.cluster import Cluster
from streams.topics import TOPICS, Partitions
from streams.topics_declare import declare

IMAGE = "confluentinc/cp-kafka:7.6.0"
LEFT_OPEN = tuple(
    f"ignore:{left}:ResourceWarning"
    for left in ("unclosed <socket", "unclosed transport", "Unclosed AIOKafkaConnection", "loop is closed")
)
"""A client of Kafka leaves a connection open where it is told to go while it opens one; when that is said is luck."""
USED, ABREAST = pytest.StashKey[str](), pytest.StashKey[list[str]]()

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Kafka."""
    with ExitStack() as stack:
        servers, how = (
            _configured()
            or _container(stack, pytestconfig)
            or _local(stack, tmp_path_factory.mktemp("kafka", numbered=True))
        )
        pytestconfig.stash[USED] = f"{how} on {servers}"
        _say(pytestconfig, f"kafka: {pytestconfig.stash[USED]}")
        yield servers


@pytest.fixture(scope="session")
def cluster(kafka: str) -> Cluster:
    """The same, as product code takes it."""
    return Cluster(bootstrap=kafka)


@pytest.fixture
def new_topic(cluster: Cluster) -> Iterator[Callable[..., str]]:
    """Make topics of this test's own: `new_topic(partitions=1, **{"cleanup.policy": "compact"})`."""
    made: list[str] = []

    def make(partitions: int = 1, **settings: str) -> str:
        name = f"test.{os.getpid()}.{next(_numbers)}"
        wanted = {"num_partitions": partitions, "replication_factor": 1, "configs": settings}
        with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
            admin.create_topics({name: wanted}, wait_for_metadata=True)
        made.append(name)
        return name

    yield make
    _delete(cluster, made)


@pytest.fixture
def delete_topics(cluster: Cluster) -> Callable[[list[str]], None]:
    """Delete topics and wait until they are gone."""
    return lambda names: _delete(cluster, names)


@pytest.fixture
def declared(cluster: Cluster) -> Iterator[Partitions]:
    """All topics of Kairos, declared anew and empty."""
    partitions = Partitions()
    names = [topic.name for topic in TOPICS]
    _delete(cluster, names)
    declare(cluster, partitions)
    yield partitions
    _delete(cluster, names)


def pytest_report_header() -> str:
    servers = os.environ.get("KAIROS_TEST_KAFKA")
    return f"kafka: {servers or 'a container where a Docker engine answers, else the local broker; on first use'}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    # Of several processes abreast each has its own; only the first one's terminal is seen.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kafka"] = session.config.stash.get(USED, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if used := getattr(node, "workeroutput", {}).get("kafka"):
        node.config.stash.setdefault(ABREAST, []).append(used)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    alone = config.stash.get(USED, None)
    for used in sorted([*config.stash.get(ABREAST, []), *([alone] if alone else [])]):
        terminalreporter.write_line(f"kafka: {used}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The long ones first: at the end, nobody waits for the last of them.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("kafka"):
            for left in LEFT_OPEN:
                item.add_marker(pytest.mark.filterwarnings(left))


def _configured() -> tuple[str, str] | None:
    servers = os.environ.get("KAIROS_TEST_KAFKA")
    return (servers, "configured servers") if servers else None


def _container(stack: ExitStack, config: pytest.Config) -> tuple[str, str] | None:
    """Start a container, or say why not."""
    if not _engine_answers():
        return None
    # Without these two, testcontainers pulls a second image to clean up after us, and inside a container it advertises
    # the bridge's address, where a port that is bound to the loopback is not found. Read when it is imported.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    from docker.errors import DockerException

    image = os.environ.get("KAIROS_TEST_KAFKA_IMAGE", IMAGE)
    with warnings.catch_warnings():
        # docker-py leaves its sockets open where the engine refuses, and our warnings are errors.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return _start(stack, image), f"container of {image}"
        except (DockerException, KafkaError, OSError, RuntimeError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
        stack.close()
        gc.collect()
    _say(config, f"kafka: no container of {image}, so the local broker ({why})")
    return None


def _start(stack: ExitStack, image: str) -> str:
    from testcontainers.community.kafka import KafkaContainer

    container = KafkaContainer(image).with_kraft()
    # Neither the machine's neighbours nor other containers have business with a test's Kafka.
    container.ports["9093"] = ("127.0.0.1", None)  # type: ignore[assignment]  # docker-py takes (host, port) too
    for name, value in _CONTAINER_SETTINGS.items():
        container.with_env(name, value)
    stack.callback(container.stop)
    servers = container.start(timeout=60).get_bootstrap_server()
    KafkaAdminClient(bootstrap_servers=servers, bootstrap_timeout_ms=10_000).close()
    return servers


_CONTAINER_SETTINGS = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "4",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
}


def _engine_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        return subprocess.run([docker, "info"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _local(stack: ExitStack, folder: Path) -> tuple[str, str]:
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    broker = stack.enter_context(configured(os.environ, folder))
    return broker.bootstrap, "local broker"


def _delete(cluster: Cluster, names: list[str]) -> None:
    deadline = time.monotonic() + 10
    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        # A broker goes on listing a topic for a moment after the controller has deleted it.
        while there := sorted(set(names) & set(admin.list_topics())):
            admin.delete_topics(there, raise_errors=False)
            assert time.monotonic() < deadline, there
            time.sleep(0.05)


def _say(config: pytest.Config, line: str) -> None:
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{line}", flush=True)
