"""Replaying a file: the live functions in event time, the same bytes each time and in every process."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from console.simulate import write_simulation
from kairos.instants import HOUR, SECOND, from_rfc3339
from streams.replay import Replay
from streams.topics import DEAD_LETTERS, DECISIONS, OFFERS_SMS, TRANSACTIONS
from tests.absence_table import Waiting
from tests.customer_table import NOON, Said, Table, versions
from tests.fault_driver import ROOT


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_simulation(folder / "log.jsonl.gz", folder / "truth.jsonl", customers=60, days=6, seed=5)
    return folder / "log.jsonl.gz"


def replayed(log: Path, out: Path, seed: int) -> bytes:
    command = [
        sys.executable,
        "-m",
        "console.cli",
        "replay",
        str(log),
        "--rules",
        "examples/demo/rules",
        "--out",
        str(out),
    ]
    environment = os.environ | {"PYTHONHASHSEED": str(seed)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    return out.read_bytes()


def test_two_processes_replay_a_log_to_the_same_bytes(log: Path, tmp_path: Path) -> None:
    one, two = (replayed(log, tmp_path / f"{seed}.jsonl", seed) for seed in (1, 2))

    assert one == two
    rows = [json.loads(row) for row in one.splitlines()]
    counts = Counter(row["topic"] for row in rows)
    decisions = [json.loads(row["value"]) for row in rows if row["headers"]["ce_type"] == "kairos.decision.v1"]
    assert counts[DECISIONS] > 50
    assert counts[OFFERS_SMS] > 0
    assert counts[DEAD_LETTERS] == 0
    assert len({row["id"] for row in decisions}) == len(decisions)


def test_every_offered_decision_of_a_replay_ends_though_no_receipt_is_in_the_file(log: Path, tmp_path: Path) -> None:
    rows = [json.loads(row) for row in replayed(log, tmp_path / "out.jsonl", 3).splitlines()]

    of = {
        kind: [json.loads(r["value"]) for r in rows if r["headers"].get("ce_type") == f"kairos.{kind}.v1"]
        for kind in ("decision", "decision_ended")
    }

    offered = [row["id"] for row in of["decision"] if row["state"] == "offered"]
    assert sorted(offered) == sorted(row["id"] for row in of["decision_ended"])
    assert {row["state"] for row in of["decision_ended"]} == {"unknown"}


def test_the_clock_of_a_replay_is_the_newest_event_and_never_goes_back() -> None:
    table = Table()
    late = table.pays(category="fuel", ago=5 * 60_000)
    replay = Replay(versions())

    list(replay.run([table.profile(), table.pays(category="fuel"), late]))

    assert replay.now >= NOON


def test_a_record_without_a_time_is_a_dead_letter_and_does_not_move_the_clock() -> None:
    table = Table()
    broken = table.pays(category="fuel")
    broken.headers = tuple(h for h in broken.headers if h[0] != "ce_time")
    replay = Replay(versions())

    outputs = list(replay.run([table.profile(), broken]))

    assert [o.topic for o in outputs if o.topic == DEAD_LETTERS] == [DEAD_LETTERS]
    assert replay.now == NOON == from_rfc3339("2026-12-01T12:00:00+08:00")
    assert broken.topic == TRANSACTIONS


def test_an_absence_in_a_file_is_decided_at_its_own_hour_and_not_when_the_next_event_comes() -> None:
    table = Waiting()
    records = [table.profile(), table.looks("c-1"), table.later(2 * HOUR).looks("c-2"), table.buys("c-2", ago=-SECOND)]

    told = Said(list(Replay(table.versions).run(records))).decisions

    assert [(row["state"], row["absence"]["deadline"]) for row in told] == [("offered", "2026-12-01T04:30:00Z")]
    assert "2026-12-01T04:30:05" <= told[0]["decided_at"] <= "2026-12-01T04:30:36"


def test_the_last_absence_of_a_file_is_decided_though_nothing_comes_after_it() -> None:
    table = Waiting()

    told = Said(list(Replay(table.versions).run([table.profile(), table.looks()]))).decisions

    assert [row["state"] for row in told] == ["offered"]
