"""A local broker with locks on its doors: TLS, and users who say their passwords, as a bank's Kafka has."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams import broker, broker_config
from streams.cluster import Cluster

PASSWORD = "right-horse"

_MORE = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},TLS://127.0.0.1:{tls},SASL://127.0.0.1:{sasl}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},TLS://127.0.0.1:{tls},SASL://127.0.0.1:{sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,TLS:SSL,SASL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.tls.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config={package}.plain.PlainLoginModule required user_kairos="{password}";
listener.name.sasl.scram-sha-512.sasl.jaas.config={package}.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class Secured:
    """Where it answers, and the folder of certificates."""

    plain: Cluster
    tls: str
    sasl: str
    folder: Path

    def by_password(self, mechanism: str = "PLAIN", password: str = PASSWORD, ca: str = "ca.pem") -> Cluster:
        return Cluster.model_validate(
            {
                "bootstrap": self.sasl,
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": mechanism,
                "sasl_username": "kairos",
                "sasl_password": password,
                "ssl_cafile": self.folder / ca,
            }
        )

    def by_certificate(self, *, ours: bool = True) -> Cluster:
        files = {"ssl_certfile": self.folder / "client.pem"} if ours else {}
        return Cluster.model_validate(
            {"bootstrap": self.tls, "security_protocol": "SSL", "ssl_cafile": self.folder / "ca.pem", **files}
        )


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    """Run one for as long as it is wanted."""
    certificates(folder)
    doors: list[int] = []

    def settings(home: Path, port: int, controller: int) -> Path:
        path = broker_config.write_settings(home, port, controller)
        doors[:] = [controller + 1, controller + 2]
        words = {"port": port, "controller": controller, "tls": doors[0], "sasl": doors[1], "folder": folder}
        package = "org.apache.kafka.common.security"
        with path.open("a", encoding="utf-8") as file:
            file.write(_MORE.format(**words, package=package, password=PASSWORD))
        return path

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(broker, "write_settings", settings)
        with broker.LocalBroker(folder / "kafka") as running:
            tls, sasl = (f"127.0.0.1:{port}" for port in doors)
            yield Secured(Cluster(bootstrap=running.bootstrap), tls, sasl, folder)


def certificates(folder: Path) -> None:
    """Make an authority with a server's and a client's certificate, and a second authority that signed neither."""
    for name in ("ca", "other"):
        _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                 "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    for name in ("server", "client"):
        _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
                 "-CAcreateserial", "-extfile", "names", "-out", f"{name}.crt")  # fmt: skip
        parts = [(folder / f"{name}.{end}").read_text() for end in ("key", "crt")]
        (folder / f"{name}.pem").write_text("".join(parts))


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
