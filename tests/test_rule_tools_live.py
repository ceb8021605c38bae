"""Why and diff on a real Kafka: the rules in force, and what the topics hold of a customer."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from console.publishing import publish
from kairos.instants import DAY
from rules.policy import Policy, load_policy
from streams.cluster import Cluster
from streams.event_log import read
from streams.feed import feed
from streams.topics import Partitions
from tests.rules_strategies import NOON, book_of, written
from tests.small_log import profile, small_log
from tests.test_rule_tools import LUNCH, POLICY, food

YEAR = 365 * DAY
pytestmark = pytest.mark.kafka


async def test_why_and_diff_ask_kafka_and_the_rules_in_force(
    cluster: Cluster, declared: Partitions, tmp_path: Path
) -> None:
    lunch = LUNCH | {"fresh": "3650d"}
    client, book = cluster.for_aiokafka(), book_of(lunch)
    policy = load_policy(POLICY)
    assert isinstance(policy, Policy)
    await publish(client, {"rules": book.content, "policy": policy.content}, "ann", 0)
    lines = [profile("C0000001", "vip", age=30), food("C0000001", NOON - YEAR), food("C0000001", NOON + DAY - YEAR)]
    await feed(read(small_log(tmp_path / "log.jsonl", *lines))[1], cluster)
    (tmp_path / "rules.yaml").write_text(written(LUNCH | {"limits": {}}), encoding="utf-8")

    asked = ("rules", "why", "--customer", "C0000001", "--at", "2025-12-02 12:00")
    fired = await _run(cluster, *asked)
    tried = await _run(cluster, *asked, "--rules", str(tmp_path / "rules.yaml"))
    changed = await _run(cluster, "rules", "diff", book.hash[:8], str(tmp_path / "rules.yaml"))
    same = await _run(cluster, "rules", "diff", "current", book.hash)
    lost = await _run(cluster, "rules", "diff", "current", "ffff")

    assert "decided   offered: lunch won\n\nlunch: fires\n" in fired
    assert "at most once in 14 days: never" in fired
    # What a rule would do is asked of the records as they arrived, and these came a year late.
    assert "lunch: matches, and is refused: stale\n" in tried
    assert "at most once" not in tried
    assert changed == (
        "~ lunch changed\n    cooldown: from 14 days to nothing\n    fresh: from 3650 days to 10 minutes\n"
    )
    assert same == "both say the same\n"
    assert lost == "ffff is neither a file nor a folder, and 0 books in the catalogue are called so\n"


async def _run(cluster: Cluster, *arguments: str) -> str:
    environment = {"KAIROS_BOOTSTRAP": cluster.bootstrap}
    # In a thread of its own: the command runs a loop of its own.
    return (await asyncio.to_thread(CliRunner(env=environment).invoke, app, list(arguments))).output
