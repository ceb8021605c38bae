"""Settings: what a worker is told by its environment, `KAIROS_...`, or by files under `/run/secrets`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kairos.instants import HOUR
from kairos.ports import LATENESS
from streams.cluster import Cluster
from streams.coupon_codes import CodesKey
from streams.spec import Running
from streams.topics import Partitions

__all__ = ["NoServers", "Settings"]

_SECRETS = Path("/run/secrets")


class NoServers(Exception):
    """No Kafka was named, and only the broker, the demo and tests start one of their own."""


class Settings(BaseSettings):
    """Everything that may differ between two installations; every field is an environment variable.

    Examples
    --------
    >>> Settings(bootstrap="kafka-1:9092").cluster.servers
    ['kafka-1:9092']
    >>> Settings(bootstrap=None).cluster
    Traceback (most recent call last):
    streams.settings.NoServers: no Kafka is configured; set KAIROS_BOOTSTRAP=host:port, or start one by `kairos broker`

    """

    model_config = SettingsConfigDict(
        env_prefix="KAIROS_",
        secrets_dir=_SECRETS if _SECRETS.is_dir() else None,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    bootstrap: str | None = Field(None, description="Kafka's servers, host:port, parted by commas")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None

    data: Path = Field(Path("var/state"), description="folder of the workers' state")
    replication: int = Field(1, ge=1, description="on how many brokers a topic lies, when topics are declared")
    partitions_customers: int = Field(4, ge=1)
    partitions_ledger: int = Field(2, ge=1)
    partitions_learning: int = Field(1, ge=1)

    session_ms: int = Field(10_000, ge=1_000, description="how long Kafka waits for a silent worker")
    most_records: int = Field(8_000, ge=1, description="the largest batch of one topic")
    lateness_ms: int = Field(LATENESS, ge=0, description="how much later than its neighbours a record may come")
    ahead_ms: int = Field(HOUR, ge=0, description="how far a topic may be read ahead of another in event time")
    instance: str | None = Field(None, description="this worker's name, for static membership")
    pauses: Path | None = Field(None, description="for tests: a folder whose files hold the worker at named points")
    health_host: str = "127.0.0.1"
    health_port: int | None = Field(
        None, ge=0, le=65_535, description="where /live, /ready and /metrics are answered, if at all"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "text"

    door_topic: str | None = Field(None, description="a foreign topic that the door maps into ours")

    codes_key: SecretStr | None = Field(
        None,
        description="what coupon codes are made with, 32 to 64 letters; older ones follow, parted by commas",
    )

    push_url: str = "http://127.0.0.1:8091/push"
    push_secret: SecretStr | None = None
    sms_url: str = "http://127.0.0.1:8090/sms"
    sms_secret: SecretStr | None = None
    sms_gateway: str | None = Field(None, description="what the templates call the SMS gateway, if there are several")

    @property
    def cluster(self) -> Cluster:
        """The Kafka to work with.

        Raises
        ------
        NoServers
            None is configured.

        """
        if not self.bootstrap:
            raise NoServers("no Kafka is configured; set KAIROS_BOOTSTRAP=host:port, or start one by `kairos broker`")
        fields = ("bootstrap", "security_protocol", "sasl_mechanism", "sasl_username", "sasl_password")
        files = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
        return Cluster.model_validate({name: getattr(self, name) for name in fields + files})

    @field_validator("codes_key")
    @classmethod
    def _are_keys(cls, said: SecretStr | None) -> SecretStr | None:
        for key in said.get_secret_value().split(",") if said else ():
            CodesKey.of_content(key.strip().encode())
        return said

    @property
    def codes_keys(self) -> tuple[bytes, ...]:
        """The keys for coupon codes: the one in force, then older ones."""
        said = self.codes_key.get_secret_value().split(",") if self.codes_key else []
        return tuple(CodesKey.of_content(key.strip().encode()) for key in said)

    @property
    def partitions(self) -> Partitions:
        """How many partitions each group of topics has."""
        return Partitions(
            customers=self.partitions_customers, ledger=self.partitions_ledger, learning=self.partitions_learning
        )

    def running(self) -> Running:
        """How stages run on this machine."""
        return Running(
            data=self.data,
            most_records=self.most_records,
            lateness=self.lateness_ms,
            ahead=self.ahead_ms,
            session=self.session_ms,
            instance=self.instance,
            pauses=self.pauses,
            client=self.cluster.for_aiokafka(),
        )
