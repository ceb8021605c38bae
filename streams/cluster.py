"""How to reach the bank's Kafka: its servers, and the passwords and certificates they ask for."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["Cluster"]

_SERVER = r"\s*(\[[0-9a-fA-F:]+\]|[^\s,:\[\]]+):\d+\s*"
_SERVERS = rf"^{_SERVER}(,{_SERVER})*$"


@contextmanager
def _named(setting: str, *paths: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # The library says neither which file it was nor what we call it.
        files = ", ".join(str(path) for path in paths if path)
        raise OSError(f"KAIROS_{setting}: {files} cannot be used: {error.strerror or error}") from error


class Cluster(BaseModel):
    """One Kafka cluster, said once and handed to both clients.

    Examples
    --------
    >>> cluster = Cluster(bootstrap="kafka-1:9092, kafka-2:9092")
    >>> cluster.servers
    ['kafka-1:9092', 'kafka-2:9092']
    >>> cluster.for_kafka_python()
    {'bootstrap_servers': ['kafka-1:9092', 'kafka-2:9092'], 'security_protocol': 'PLAINTEXT'}

    A password is never shown, neither in a log nor in an error:

    >>> Cluster(
    ...     bootstrap="kafka-1:9093",
    ...     security_protocol="SASL_SSL",
    ...     sasl_mechanism="SCRAM-SHA-512",
    ...     sasl_username="kairos",
    ...     sasl_password="secret",
    ... ).sasl_password
    SecretStr('**********')

    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap: str = Field(pattern=_SERVERS)
    """Servers to begin with, as `host:port`, parted by commas."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    """Who signed the servers' certificates; the machine's own list unless given."""
    ssl_certfile: Path | None = None
    """Our certificate, where the servers ask for one (mutual TLS); with `ssl_keyfile`."""
    ssl_keyfile: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        user = (self.sasl_mechanism, self.sasl_username, self.sasl_password)
        if self.has_sasl and None in user:
            raise ValueError(f"{self.security_protocol} needs sasl_mechanism, sasl_username and sasl_password")
        if not self.has_sasl and any(user):
            raise ValueError("a SASL user is given, but security_protocol is not SASL_SSL or SASL_PLAINTEXT")
        if not self.has_tls and (self.ssl_cafile or self.ssl_certfile or self.ssl_keyfile):
            raise ValueError("a certificate is given, but security_protocol is not SSL or SASL_SSL")
        if self.ssl_keyfile and not self.ssl_certfile:
            raise ValueError("ssl_keyfile needs ssl_certfile")
        return self

    @property
    def servers(self) -> list[str]:
        """The servers one by one."""
        return [server.strip() for server in self.bootstrap.split(",")]

    @property
    def has_sasl(self) -> bool:
        """Whether we say who we are by user and password."""
        return self.security_protocol.startswith("SASL")

    @property
    def has_tls(self) -> bool:
        """Whether the line is encrypted."""
        return self.security_protocol.endswith("SSL")

    def for_kafka_python(self) -> dict[str, Any]:
        """Give the keyword arguments of kafka-python's clients; certificates are read here."""
        return self._arguments()

    def for_aiokafka(self) -> dict[str, Any]:
        """Give the keyword arguments of aiokafka's clients, which today are called the same."""
        return self._arguments()

    def ssl_context(self) -> ssl.SSLContext | None:
        """Make the TLS context, or None where the line is not encrypted; hosts' names are always checked.

        Raises
        ------
        OSError
            A file cannot be read, or holds no certificate or another one's key; the message names the setting.

        """
        if not self.has_tls:
            return None
        with _named("SSL_CAFILE", self.ssl_cafile):
            context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile:
            with _named("SSL_CERTFILE", self.ssl_certfile, self.ssl_keyfile):
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context

    def _arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {"bootstrap_servers": self.servers, "security_protocol": self.security_protocol}
        if context := self.ssl_context():
            found["ssl_context"] = context
        if self.sasl_password:
            found["sasl_mechanism"] = self.sasl_mechanism
            found["sasl_plain_username"] = self.sasl_username
            found["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return found
