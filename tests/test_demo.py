"""The demo from nothing to its summary, on the beginning of the recorded log; and how it fails in words."""

import json
import os
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from console.demo import run_demo
from console.demo_input import prepared
from console.demo_processes import Crew, DemoError
from streams.broker_config import lock_folder
from streams.event_log import lines

EVENTS = 6_000


def test_a_cut_log_keeps_the_profiles_and_ends_with_its_last_event(tmp_path: Path) -> None:
    given = prepared("real", tmp_path, limit=10)

    header, found = lines(given.log)
    kept = list(found)

    assert [line.topic for line in kept].count("customers") == len(kept) - 10
    assert header.last == kept[-1].arrived or header.last == kept[-1].time
    assert not given.whole


def test_a_simulated_input_brings_its_own_apps_and_its_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.demo_input._CUSTOMERS", 20)

    given = prepared("simulated", tmp_path, limit=None)

    assert given.header.origin == "simulated"
    assert given.truth is not None
    assert given.truth.exists()
    assert "waimai-a" in json.loads(given.apps.read_text())["apps"]


def test_a_process_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Crew(os.environ, tmp_path) as crew:
        crew.start("oops", "no-such-command")

        with pytest.raises(DemoError, match="oops ended with code 2"):
            wait_for(crew, "oops")


def test_a_second_demo_in_the_same_folder_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    held = lock_folder(tmp_path / "kafka")
    said = Console(file=StringIO(), width=200)
    try:
        code = run_demo(environment={}, home=tmp_path, console=said)
    finally:
        os.close(held)

    assert isinstance(said.file, StringIO)
    assert code == 1
    assert "Another broker runs in" in said.file.getvalue()


@pytest.mark.kafka
@pytest.mark.slow
def test_the_demo_comes_to_a_good_end_and_its_sums_agree(tmp_path: Path) -> None:
    said = Console(file=StringIO(), width=200)

    code = run_demo(environment=os.environ, home=tmp_path, limit=EVENTS, rate=2_000, console=said)

    assert isinstance(said.file, StringIO)
    assert code == 0, said.file.getvalue()
    summary: dict[str, Any] = json.loads((tmp_path / "summary.json").read_text())
    accepted = [json.loads(line)["id"] for line in (tmp_path / "accepted.jsonl").read_text().splitlines()]
    offers, delivered = summary["offers"], summary["delivered"]
    assert summary["events"] + summary["dead_letters"] >= EVENTS - 50
    assert summary["decisions"] == sum(offers.values()) + summary["withheld"] + sum(summary["suppressed"].values())
    assert all(0 < delivered[channel] <= offers[channel] for channel in offers)
    assert sorted(set(accepted)) == sorted(accepted)
    assert len(accepted) == sum(offers.values())
    assert all(p["reserved"] + p["confirmed"] + p["redeemed"] <= p["limit"] for p in summary["pools"].values())
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    assert summary["simulated_reactions"] > 0
    assert left_running(tmp_path) == []


def wait_for(crew: Crew, name: str) -> None:
    while not crew.is_done(name):
        time.sleep(0.05)


def left_running(home: Path) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(home) in line]


def test_the_command_offers_both_inputs() -> None:
    command = [sys.executable, "-m", "console.cli", "demo", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"})

    assert "real" in shown.stdout
    assert "simulated" in shown.stdout
