from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Self

from kafka import OffsetAndMetadata, TopicPartition

class ConfigResourceType(IntEnum):
    UNKNOWN = 0
    TOPIC = 2
    BROKER = 4

class ConfigResource:
    def __init__(
        self, resource_type: ConfigResourceType | str, name: str, configs: Mapping[str, str] | None = None
    ) -> None: ...

class KafkaAdminClient:
    def __init__(self, **configs: Any) -> None: ...
    def list_topics(self) -> list[str]: ...
    def describe_topics(self, topics: Sequence[str] | None = None) -> list[dict[str, Any]]: ...
    def create_topics(
        self,
        new_topics: Mapping[str, Mapping[str, Any]],
        timeout_ms: int | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
        wait_for_metadata: bool = False,
    ) -> dict[str, Any]: ...
    def delete_topics(
        self, topics: Sequence[str], timeout_ms: int | None = None, raise_errors: bool = True
    ) -> dict[str, Any]: ...
    def wait_for_topics(self, topic_names: Sequence[str], timeout_ms: int = 10000) -> None: ...
    def describe_configs(
        self,
        config_resources: Sequence[ConfigResource],
        include_synonyms: bool = False,
        config_filter: str = "modified",
    ) -> dict[str, dict[str, dict[str, dict[str, Any]]]]: ...
    def alter_user_scram_credentials(
        self, alterations: Sequence[UserScramCredentialUpsertion]
    ) -> dict[str, str | None]: ...
    def alter_configs(
        self,
        config_resources: Sequence[ConfigResource],
        validate_only: bool = False,
        raise_on_unknown: bool = True,
        incremental: bool | None = None,
    ) -> dict[str, dict[str, str]]: ...
    def list_group_offsets(
        self, group_specs: Mapping[str, Sequence[TopicPartition] | None]
    ) -> dict[str, dict[TopicPartition, OffsetAndMetadata]]: ...
    def describe_cluster(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

class ScramMechanism(IntEnum):
    SCRAM_SHA_256 = 1
    SCRAM_SHA_512 = 2

class UserScramCredentialUpsertion:
    def __init__(self, user: str, mechanism: ScramMechanism, password: str) -> None: ...
