"""The topics are declared once, checked ever after, and cut the way the bank's Java producers cut them."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.partitioner import murmur2

from streams import topics
from streams.cluster import Cluster
from streams.topics import TOPICS, Partitions, Topic, partition_of
from streams.topics_declare import TopicError, declare

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("key", "java"),
    [
        # From Apache Kafka's own UtilsTest.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_goes_where_java_sends_it(key: bytes, java: int) -> None:
    assert murmur2(key) == java & 0xFFFF_FFFF
    assert partition_of(key, 12) == (java & 0x7FFF_FFFF) % 12


def test_the_names_are_the_contracts() -> None:
    names = [topic.name for topic in TOPICS]

    assert len(set(names)) == len(names) == 23
    assert all(name.startswith("kairos.") and name.endswith(".v1") for name in names)


def test_every_topic_keyed_by_customer_is_cut_alike() -> None:
    groups = {topic.group for topic in TOPICS if topic.key == "customer"}

    assert groups == {"customers"}


def test_a_deletion_in_a_changelog_outlives_a_week_of_sleep() -> None:
    changelogs = [topic for topic in TOPICS if topic.name.endswith(".changelog.v1")]

    assert len(changelogs) == 3
    assert {topic.settings["delete.retention.ms"] for topic in changelogs} == {"604800000"}
    assert {topic.settings["cleanup.policy"] for topic in changelogs} == {"compact"}


@pytest.mark.kafka
def test_a_second_declaration_finds_nothing_to_do(cluster: Cluster, declared: Partitions) -> None:
    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        counts = {found["name"]: len(found["partitions"]) for found in admin.describe_topics()}

    assert declare(cluster, declared) == []
    assert {name: counts[name] for name in (topics.APP_USAGE, topics.LEDGER_COMMANDS, topics.CATALOGUE)} == {
        topics.APP_USAGE: 4,
        topics.LEDGER_COMMANDS: 2,
        topics.CATALOGUE: 1,
    }


@pytest.mark.kafka
def test_only_what_is_missing_is_made(
    cluster: Cluster, declared: Partitions, delete_topics: Callable[[list[str]], None]
) -> None:
    delete_topics([topics.OFFERS_SMS])

    assert [(change.topic, change.what) for change in declare(cluster, declared)] == [(topics.OFFERS_SMS, "created")]


@pytest.mark.kafka
def test_another_number_of_partitions_is_refused_and_nothing_is_touched(
    cluster: Cluster, new_topic: Callable[..., str]
) -> None:
    wrong = Topic(new_topic(3), "customer", "customers", timedelta(days=1))
    missing = replace(wrong, name=f"{wrong.name}.missing")

    with pytest.raises(TopicError, match=f"{wrong.name} has 3 partitions, declared are 4.*Set the declared count"):
        declare(cluster, Partitions(), topics=[missing, wrong])

    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        assert missing.name not in admin.list_topics()


@pytest.mark.kafka
def test_another_retention_is_reported_and_corrected_only_on_request(
    cluster: Cluster, new_topic: Callable[..., str]
) -> None:
    topic = Topic(new_topic(1), "objective", "learning", timedelta(days=1))
    foreign = {"retention.ms": "5000", "segment.bytes": "1048576"}
    _alter(cluster, topic.name, foreign)

    reported = declare(cluster, Partitions(), topics=[topic])
    corrected = declare(cluster, Partitions(), topics=[topic], fix=True)

    assert f"{topic.name} differs: retention.ms is 5000, declared 86400000" in map(str, reported)
    assert {change.what for change in corrected} == {"corrected"}
    assert declare(cluster, Partitions(), topics=[topic]) == []


@pytest.mark.kafka
def test_the_clients_send_a_key_where_the_stages_expect_it(cluster: Cluster, new_topic: Callable[..., str]) -> None:
    topic = new_topic(4)
    keys = [b"c%d" % number for number in range(50)]

    with KafkaProducer(**cluster.for_kafka_python()) as producer:
        sent = [producer.send(topic, b"x", key=key) for key in keys]
        found = [future.get(10).partition for future in sent]

    assert found == [partition_of(key, 4) for key in keys]


@pytest.mark.kafka
def test_a_record_of_a_simulated_past_is_stamped_by_the_broker(cluster: Cluster, declared: Partitions) -> None:
    place = TopicPartition(topics.APP_USAGE, 0)
    long_ago = 1_000_000_000_000

    with KafkaProducer(**cluster.for_kafka_python()) as producer:
        producer.send(place.topic, b"x", partition=0, timestamp_ms=long_ago).get(10)
    with KafkaConsumer(**cluster.for_kafka_python(), auto_offset_reset="earliest") as consumer:
        consumer.assign([place])
        record = next(consumer)

    assert record.timestamp > long_ago + timedelta(days=365).total_seconds() * 1000


@pytest.mark.kafka
def test_nothing_is_made_by_accident(cluster: Cluster) -> None:
    with KafkaConsumer("nobody-declared-this", **cluster.for_kafka_python()) as consumer:
        consumer.poll(500)

    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        assert "nobody-declared-this" not in admin.list_topics()


@pytest.mark.kafka
def test_two_workers_may_declare_at_the_same_moment(
    cluster: Cluster, declared: Partitions, delete_topics: Callable[[list[str]], None]
) -> None:
    delete_topics([topic.name for topic in TOPICS])

    with ThreadPoolExecutor(2) as pool:
        made = [*pool.map(lambda _: declare(cluster, declared), range(2))]

    created = [change.topic for changes in made for change in changes]
    assert sorted(created) == sorted(topic.name for topic in TOPICS)


def test_a_cluster_that_does_not_answer_is_a_sentence() -> None:
    # In a process of its own: kafka-python leaves its sockets open when nobody answers.
    program = """
from streams import topics_declare as t
t._PATIENCE_MS = 500
try:
    t.declare(t.Cluster(bootstrap="127.0.0.1:1"), t.Partitions())
except t.TopicError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)

    assert done.stdout == "Kafka cannot be used. 127.0.0.1:1: nothing listens there\n", done.stderr


def _alter(cluster: Cluster, topic: str, settings: dict[str, str]) -> None:
    with closing(KafkaAdminClient(**cluster.for_kafka_python())) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])
