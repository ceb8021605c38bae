"""A Kafka that has none of our topics: every command that needs one says so, and how they are declared."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from streams.cluster import Cluster
from streams.topics import APP_USAGE, CATALOGUE, DEAD_LETTERS, DECISIONS, FEEDBACK, LEDGER_ENTRIES, TOPICS
from tests.rules_strategies import NOON
from tests.small_log import happened, profile, small_log

pytestmark = pytest.mark.kafka

DEMO = "--rules examples/demo/rules --policy examples/demo/policy.yaml --pools examples/demo/pools.yaml"
ASKED = {
    "settle --from 2026-11-01 --until 2026-11-02": LEDGER_ENTRIES,
    "dlq list": DEAD_LETTERS,
    "dlq show kairos.decisions.v1:0:3": DEAD_LETTERS,
    "dlq replay --yes": DEAD_LETTERS,
    f"backtest --events {{log}} {DEMO} --live kafka": DECISIONS,
    "replay --journal": CATALOGUE,
    "why C1": CATALOGUE,
    "stops": CATALOGUE,
    "sandbox": FEEDBACK,
    "feed {log}": f"{APP_USAGE}, nor 3 others",
    "worker": f"{APP_USAGE}, nor {len(TOPICS) - 1} others",
}


def test_a_kafka_without_our_topics_is_told_by_every_command_in_one_sentence(
    cluster: Cluster, delete_topics: Callable[[list[str]], None], tmp_path: Path
) -> None:
    delete_topics([topic.name for topic in TOPICS])
    small_log(tmp_path / "log.jsonl", profile("C1", "vip"), happened("C1", "login", NOON))
    secrets = {"KAIROS_SMS_SECRET": "s" * 32, "KAIROS_PUSH_SECRET": "p" * 32}
    runner = CliRunner(env={"KAIROS_BOOTSTRAP": cluster.bootstrap, "KAIROS_DATA": str(tmp_path), **secrets})

    said = {command: runner.invoke(app, command.format(log=tmp_path / "log.jsonl").split()) for command in ASKED}

    assert {command: (run.exit_code, run.stderr) for command, run in said.items()} == {
        command: (1, f"Kafka has no topic {what}; declare Kairos' topics by `kairos topics`\n")
        for command, what in ASKED.items()
    }
