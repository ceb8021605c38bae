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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_file_and_the_report_are_the_same_where_all_are_lived_through_and_from_what_was_kept(
    log: Path, tmp_path: Path, language: str
) -> None:
    store, live = log.with_name(f"{log.name}.backtest.npz"), tmp_path / "live.jsonl"
    store.unlink(missing_ok=True)
    moved = ["--ends", "2027-03-01", "--language", language]
    few = ["--rules", str(DEMO / "rules" / "activation.yaml"), "--out", str(live)]
    backtest(log, *moved, *few, "--every-record")
    assert not store.exists()

    told = []
    for number, way in enumerate(["--every-record", "--quick", "--quick"]):
        files = {name: tmp_path / str(number) / name for name in ("out", "differences", "html")}
        named = [word for name, path in files.items() for word in (f"--{name}", str(path))]
        text = backtest(log, way, *moved, "--against", str(DEMO / "rules"), "--live", str(live), *named)[1]
        told.append([text.replace(str(tmp_path / str(number)), "-"), *(path.read_bytes() for path in files.values())])

    assert told[1:] == told[:1] * 2
    assert all(len(found) > 1_000 for found in told[0])
    assert store.exists()


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
