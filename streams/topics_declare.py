"""Declaring the topics: what is missing is made, what exists is checked, and nothing is ever made by accident."""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
)

from rules.problems import many
from streams.cluster import Cluster
from streams.knock import knock
from streams.topics import FOREIGN, TOPICS, Partitions, Topic

__all__ = ["Change", "TopicError", "declare", "refuse_missing", "verify"]

_PATIENCE_MS = 10_000


class TopicError(RuntimeError):
    """The cluster's topics do not fit, or it cannot be asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a topic, or should be."""

    topic: str
    what: Literal["created", "differs", "corrected"]
    detail: str

    def __str__(self) -> str:
        return f"{self.topic} {self.what}: {self.detail}"


def declare(
    cluster: Cluster,
    partitions: Partitions,
    replication: int = 1,
    *,
    fix: bool = False,
    topics: Sequence[Topic] = TOPICS,
) -> list[Change]:
    """Create what is missing and check what exists. A second call finds nothing to do.

    Parameters
    ----------
    cluster
        Where.
    partitions
        How many partitions each group of topics has.
    replication
        On how many brokers a record lies: 3 in production, of which 2 must have it before it counts.
    fix
        Correct settings that differ. Otherwise they are only reported: a bank may have its own reasons.
    topics
        Which topics, all of them unless given.

    Returns
    -------
    list[Change]
        What was created, and what differs or was corrected.

    Raises
    ------
    TopicError
        A topic has another number of partitions than declared (then nothing is changed at all), or the cluster does
        not answer or refuses.

    """
    try:
        with closing(KafkaAdminClient(**cluster.for_kafka_python(), bootstrap_timeout_ms=_PATIENCE_MS)) as admin:
            there = _describe(admin, topics)
            _refuse_other_counts(topics, there, partitions)
            created = _create(admin, [topic for topic in topics if topic.name not in there], partitions, replication)
            # Everything else was made by somebody, perhaps a moment ago by another process that declares as we do.
            names = {change.topic for change in created}
            others = [topic for topic in topics if topic.name not in names]
            _refuse_other_counts(others, _describe(admin, others), partitions)
            return created + _check(admin, others, replication, fix=fix)
    except KafkaError as error:
        raise TopicError(_why(cluster, error)) from error


def verify(cluster: Cluster, partitions: Partitions, topics: Sequence[Topic] = TOPICS) -> None:
    """Check that all topics are there, cut as declared; a worker does so before it starts.

    Raises
    ------
    TopicError
        Kafka does not answer, or a topic is missing or has another number of partitions.

    """
    try:
        with closing(KafkaAdminClient(**cluster.for_kafka_python(), bootstrap_timeout_ms=_PATIENCE_MS)) as admin:
            there = _describe(admin, topics)
    except KafkaError as error:
        raise TopicError(_why(cluster, error)) from error
    refuse_missing([topic.name for topic in topics], there)
    _refuse_other_counts(topics, there, partitions)


def refuse_missing(wanted: Iterable[str], there: Container[str]) -> None:
    """Refuse to go on where topics are missing, and say how they are declared.

    Raises
    ------
    TopicError
        One of those that are wanted is not there.

    Examples
    --------
    >>> refuse_missing(["kairos.decisions.v1"], {"kairos.decisions.v1"})
    >>> refuse_missing(["kairos.alerts.v1", "kairos.feedback.v1"], {"kairos.alerts.v1"})
    Traceback (most recent call last):
    streams.topics_declare.TopicError: Kafka has no topic kairos.feedback.v1; declare Kairos' topics by `kairos topics`

    """
    missing = [name for name in wanted if name not in there]
    if not missing:
        return
    others = f", nor {many(len(missing) - 1, 'other')}" if len(missing) > 1 else ""
    command = "kairos topics --foreign" if {topic.name for topic in FOREIGN}.intersection(missing) else "kairos topics"
    raise TopicError(f"Kafka has no topic {missing[0]}{others}; declare Kairos' topics by `{command}`")


def _why(cluster: Cluster, error: KafkaError) -> str:
    # What a client says that reached nobody is only that it could not.
    if isinstance(error, KafkaTimeoutError | KafkaConnectionError):
        return f"Kafka cannot be used. {knock(cluster)}"
    return f"Kafka at {cluster.bootstrap} did not do what was asked: {error!r}"


def _describe(admin: KafkaAdminClient, topics: Iterable[Topic]) -> dict[str, int]:
    """Count the partitions of those topics that exist."""
    existing = set(admin.list_topics()) & {topic.name for topic in topics}
    if not existing:
        return {}
    return {found["name"]: len(found["partitions"]) for found in admin.describe_topics(sorted(existing))}


def _refuse_other_counts(topics: Iterable[Topic], there: Mapping[str, int], partitions: Partitions) -> None:
    wrong = [
        f"{topic.name} has {there[topic.name]} partitions, declared are {partitions.of(topic.group)}"
        for topic in topics
        if topic.name in there and there[topic.name] != partitions.of(topic.group)
    ]
    if wrong:
        raise TopicError(
            f"{'; '.join(wrong)}. All topics of a group are cut alike, and a count never changes under data, or "
            "customers would move away from their state. Set the declared count to the existing one, or declare on "
            "new topics and replay into them."
        )


def _create(admin: KafkaAdminClient, topics: Sequence[Topic], partitions: Partitions, replication: int) -> list[Change]:
    if not topics:
        return []
    wanted = {
        topic.name: {
            "num_partitions": partitions.of(topic.group),
            "replication_factor": replication,
            "configs": _settings(topic, replication),
        }
        for topic in topics
    }
    answers = admin.create_topics(wanted, raise_errors=False)["topics"]
    refused = [answer for answer in answers if answer["error_code"] not in (0, TopicAlreadyExistsError.errno)]
    if refused:
        reasons = "; ".join(f"{answer['name']}: {answer['error_message']}" for answer in refused)
        raise TopicError(f"Kafka refused to create {reasons}")
    admin.wait_for_topics(list(wanted))
    made = [answer["name"] for answer in answers if answer["error_code"] == 0]
    return [Change(name, "created", f"{wanted[name]['num_partitions']} partitions") for name in made]


def _check(admin: KafkaAdminClient, topics: Sequence[Topic], replication: int, *, fix: bool) -> list[Change]:
    """Compare the settings we declare with those in force; others are the bank's own affair."""
    if not topics:
        return []
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found = admin.describe_configs(asked, config_filter="all")["topic"]
    different = {topic.name: _different(_settings(topic, replication), found[topic.name]) for topic in topics}
    different = {name: settings for name, settings in different.items() if settings}
    if fix and different:
        _correct(admin, different)
    what: Literal["corrected", "differs"] = "corrected" if fix else "differs"
    return [
        Change(name, what, f"{setting} is {found[name].get(setting, {}).get('value')}, declared {value}")
        for name, settings in different.items()
        for setting, value in settings.items()
    ]


def _different(wanted: Mapping[str, str], found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if found.get(name, {}).get("value") != value}


def _correct(admin: KafkaAdminClient, different: Mapping[str, Mapping[str, str]]) -> None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, settings) for name, settings in different.items()]
    answers = admin.alter_configs(resources)["topic"]
    refused = [f"{name}: {answer}" for name, answer in answers.items() if answer != "OK"]
    if refused:
        raise TopicError(f"Kafka refused to correct {'; '.join(refused)}")


def _settings(topic: Topic, replication: int) -> dict[str, str]:
    enough = 2 if replication > 2 else 1
    return {**topic.settings, "min.insync.replicas": str(enough)}
