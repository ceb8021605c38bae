"""A Kafka with locks: the right key opens it for a whole worker, and each wrong one is told by its name."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from typer.testing import CliRunner

from console.cli import app
from kairos.instants import SECOND
from kairos.ports import Output
from streams import clock
from streams.cluster import Cluster
from streams.knock import knock
from streams.topic_reader import read_topic
from streams.topics import APP_USAGE, DECISIONS, Partitions
from streams.topics_declare import declare
from tests.customer_table import Table
from tests.fault_driver import Worker
from tests.fault_load import profiles, put_in_force, send
from tests.secured_broker import PASSWORD, Secured, secured

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("secured")) as running:
        yield running


async def test_a_worker_decides_over_an_encrypted_line_as_a_user_whose_password_is_never_sent(
    bank: Secured, tmp_path: Path
) -> None:
    with closing(KafkaAdminClient(**bank.plain.for_kafka_python())) as admin:
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("kairos", ScramMechanism.SCRAM_SHA_512, PASSWORD)]
        )
    cluster = bank.by_password("SCRAM-SHA-512")
    declare(cluster, Partitions())
    await put_in_force(cluster, tmp_path, clock.now())
    table = Table(now=clock.now())
    event = table.event(APP_USAGE, "app_usage", "L000000", {"app": "trips", "app_class": "travel"})
    worker = Worker("w", bank.sasl, tmp_path, "--stage", "customers", **_environment(cluster))
    with ExitStack() as stack:
        stack.callback(worker.end)
        worker.start()
        await send(
            cluster, [Output(r.topic, r.key, r.value, tuple(r.headers)) for r in (*profiles(1, table.now), event)]
        )
        async with asyncio.timeout(60):
            while not any((await read_topic(cluster.for_aiokafka(), DECISIONS)).values()):
                await asyncio.sleep(0.2)
        assert await worker.stop() == 0

    assert PASSWORD not in worker.log.read_text()


WRONG: dict[str, tuple[Callable[[Secured], Cluster], str]] = {
    "password": (lambda bank: bank.by_password(password="wrong"), "user or password is wrong"),
    "user": (lambda bank: bank.by_password("SCRAM-SHA-512", "wrong"), "user or password is wrong"),
    "mechanism": (lambda bank: bank.by_password("SCRAM-SHA-256"), "it does not offer SCRAM-SHA-256"),
    "port": (lambda _: Cluster(bootstrap="127.0.0.1:1"), "nothing listens there"),
    "host": (lambda _: Cluster(bootstrap="kafka.invalid:9092"), "no such host is known here"),
    "authority": (lambda bank: bank.by_password(ca="other.pem"), "its certificate is not trusted"),
    "no certificate": (lambda bank: bank.by_certificate(ours=False), "it asks for a certificate of ours"),
    "no TLS here": (lambda bank: Cluster(bootstrap=bank.tls), "it does not take PLAINTEXT"),
    "no TLS there": (
        lambda bank: Cluster(
            bootstrap=bank.plain.bootstrap, security_protocol="SSL", ssl_cafile=bank.folder / "ca.pem"
        ),
        "it does not take SSL",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_each_wrong_key_is_told_by_its_name(bank: Secured, wrong: str) -> None:
    cluster, said = WRONG[wrong]

    told = knock(cluster(bank))

    assert said in told
    assert PASSWORD not in told


def test_a_worker_with_a_wrong_password_says_so_and_ends(bank: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.topics_declare._PATIENCE_MS", 2 * SECOND)
    environment = _environment(bank.by_password(password="wrong")) | {"KAIROS_BOOTSTRAP": bank.sasl}

    ended = CliRunner().invoke(app, ["worker"], env=environment)

    assert ended.exit_code == 1
    assert ended.stderr.startswith(f"Kafka cannot be used. {bank.sasl}: user or password is wrong; see KAIROS_SASL_")


def test_both_sides_may_say_who_they_are_by_certificate(bank: Secured) -> None:
    declare(bank.by_certificate(), Partitions())

    assert declare(bank.by_certificate(), Partitions()) == []


def _environment(cluster: Cluster) -> dict[str, Any]:
    assert cluster.sasl_password is not None
    return {
        "KAIROS_SECURITY_PROTOCOL": cluster.security_protocol,
        "KAIROS_SASL_MECHANISM": cluster.sasl_mechanism or "",
        "KAIROS_SASL_USERNAME": cluster.sasl_username or "",
        "KAIROS_SASL_PASSWORD": cluster.sasl_password.get_secret_value(),
        "KAIROS_SSL_CAFILE": str(cluster.ssl_cafile),
    }
