"""Health from outside: a group with a member at our address, and two ports that answer."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from aiokafka import AIOKafkaConsumer

from console import health
from kairos.offers import Channel
from streams.cluster import Cluster
from streams.delivery import group_of
from streams.stages import STAGES


def test_the_groups_are_those_that_the_stages_and_the_deliveries_join() -> None:
    assert {
        "worker": tuple(stage.group for stage in STAGES.values()),
        "deliver-push": (group_of(Channel.PUSH),),
        "deliver-sms": (group_of(Channel.SMS),),
    } == health.GROUPS


@pytest.mark.kafka
async def test_a_process_is_well_while_its_group_counts_it(cluster: Cluster, new_topic: Callable[..., str]) -> None:
    group, topic = f"health.{id(cluster)}", new_topic(partitions=1)
    consumer = AIOKafkaConsumer(topic, group_id=group, **cluster.for_aiokafka())

    await consumer.start()
    try:
        assert health.missing(cluster, [group, "health.nobody"]) == ["health.nobody"]
    finally:
        await consumer.stop()

    assert health.missing(cluster, [group]) == [group]


def test_without_a_kafka_nobody_is_well(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("KAIROS_BOOTSTRAP", raising=False)

    assert health.main(["worker"]) == 1
    assert "KAIROS_BOOTSTRAP" in capsys.readouterr().err


def test_the_sandbox_is_well_while_both_ports_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        monkeypatch.setattr(health, "SANDBOX_PORTS", tuple(line.getsockname()[1] for line in lines))
        assert health.main(["sandbox"]) == 0

        lines[0].close()
        assert health.main(["sandbox"]) == 1


@pytest.mark.parametrize("arguments", [[], ["engine"], ["worker", "worker"]])
def test_an_unknown_kind_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(arguments) == 2
    assert "worker|deliver-push|deliver-sms|sandbox" in capsys.readouterr().err
