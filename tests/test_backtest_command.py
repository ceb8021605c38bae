"""`kairos backtest` from the command line: what is written, what is refused with its place, and how it is left."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.simulate import write_simulation
from tests.test_rules_cases import kairos

DEMO = Path("examples/demo")
BOOKS = ["--rules", str(DEMO / "rules"), "--policy", str(DEMO / "policy.yaml"), "--pools", str(DEMO / "pools.yaml")]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_simulation(folder / "log.jsonl.gz", folder / "truth.jsonl", customers=40, days=4, seed=5)
    return folder / "log.jsonl.gz"


def backtest(log: Path, *words: str) -> tuple[int, str]:
    return kairos("backtest", "--events", str(log), *BOOKS, *words)


def test_a_backtest_is_told_and_every_decision_is_written(log: Path, tmp_path: Path) -> None:
    code, told = backtest(log, "--out", str(tmp_path / "out.jsonl"))

    assert code == 0
    assert told.lstrip().startswith("Backtest: 40 simulated customers, 4 days: ")
    rows = [json.loads(row) for row in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    offered = [r for r in rows if r["headers"]["ce_type"] == "kairos.decision.v1" and '"offered"' in r["value"]]
    assert f"messages {len(offered)}  " in told
    assert len(offered) > 5


def test_the_quick_way_writes_and_tells_the_same_and_again_from_what_it_kept(log: Path, tmp_path: Path) -> None:
    moved = ["--ends", "2027-03-01", "--out"]
    straight = backtest(log, *moved, str(tmp_path / "straight.jsonl"))[1]
    told = [backtest(log, "--quick", *moved, str(tmp_path / f"{number}.jsonl"))[1] for number in (1, 2)]

    written = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(written) == 1
    assert len(written.pop()) > 1_000
    assert {one.replace("1.jsonl", "-").replace("2.jsonl", "-") for one in told} == {
        straight.replace("straight.jsonl", "-")
    }
    assert log.with_name(f"{log.name}.backtest.npz").exists()


def test_the_page_is_there_though_nobody_reads_the_report_to_its_end(log: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = ["backtest", "--events", str(log), *BOOKS, "--html", str(tmp_path / "page.html")]

    ended = subprocess.run([sys.executable, "-m", "console.cli", *words], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)

    assert ended.returncode != 0
    assert "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_two_folders_are_compared_in_chinese(log: Path) -> None:
    code, told = backtest(log, "--against", str(DEMO / "rules" / "activation.yaml"), "--language", "zh")

    assert code == 0
    assert "会有什么变化" in told
    assert f"变更前：{DEMO / 'rules'}" in told


def test_a_log_moved_by_weeks_ends_on_the_day_that_was_asked_for_or_within_the_week_before(log: Path) -> None:
    code, told = backtest(log, "--ends", "2030-01-31")

    assert code == 0
    assert " to 2030-01-" in told.lstrip().splitlines()[0]


def test_a_broken_line_is_told_with_its_place_and_leaves_no_half_a_file(log: Path, tmp_path: Path) -> None:
    lines = gzip.decompress(log.read_bytes()).splitlines()
    (tmp_path / "log.jsonl").write_bytes(b"\n".join([*lines[:40], b"{not json", *lines[40:]]))

    code, told = backtest(tmp_path / "log.jsonl", "--out", str(tmp_path / "out" / "o.jsonl"))

    assert code == 1
    assert f"{tmp_path / 'log.jsonl'}:41: " in told
    assert list((tmp_path / "out").iterdir()) == []


def test_rules_with_a_mistake_are_refused_before_anything_runs(log: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("format: 1\nrules: none\n", encoding="utf-8")

    code, told = backtest(log, "--against", str(tmp_path / "bad.yaml"))

    assert code == 1
    assert f"{tmp_path / 'bad.yaml'}:2:" in told


def test_priorities_are_told_among_what_decided_and_a_mistake_in_them_has_its_place(log: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("format: 1\nlevers: none\n", encoding="utf-8")

    code, told = backtest(log, "--priorities", "examples/priorities.yaml")
    refused, why = backtest(log, "--priorities", str(tmp_path / "bad.yaml"))

    assert code == 0
    assert "priorities" in told
    assert refused == 1
    assert f"{tmp_path / 'bad.yaml'}:" in why


def test_an_interrupted_backtest_ends_without_a_trace(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("console.backtest_tally.Tally.take", interrupted)

    code, told = backtest(log, "--out", str(tmp_path / "out.jsonl"))

    assert code == 130
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []
