"""The state of a stopped worker: looked into, written out, backed up and brought back, on a real RocksDB."""

import json
import shutil
from base64 import b64decode
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.cli import app
from streams.state_files import StateFilesError, back_up, bring_back, folders
from streams.store import Meta, RocksStore
from tests.recorded_state import DATA, recorded
from tests.test_upgrades import holds

FILE = DATA / "state-1.jsonl"
META = Meta(1, {"kairos.customers.v1": 3}, 1_796_097_600_250, 1, "0.1.0")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a worker that stopped."""
    for stage in ("customers", "ledger"):
        store = RocksStore(tmp_path / "data" / stage / "0")
        for row in recorded(FILE):
            if row["stage"] == stage:
                store.apply([(b64decode(row["name"]), b64decode(row["packed"]))], 7)
        store.commit(META, 9)
        store.close()
    return tmp_path / "data"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["state", *map(str, words)])


def records(data: Path, stage: str = "customers") -> dict[bytes, bytes]:
    store = RocksStore(data / stage / "0")
    try:
        return dict(store.items())
    finally:
        store.close()


def test_a_customer_is_shown_whole_and_masked(data: Path) -> None:
    shown = run("inspect", "c1", "--data", data)

    assert shown.exit_code == 0
    assert '"what": "hot record"' in shown.stdout
    assert '"what": "profile"' in shown.stdout
    assert '"what": "open decision"' in shown.stdout
    assert '"does": "end"' in shown.stdout
    # Neither what the bank knows of the customer, nor what the customer buys.
    for secret in ("mass", "has_debit_card", "dining"):
        assert secret not in shown.stdout


def test_what_is_personal_is_shown_to_who_asks_for_it_and_nobody_elses(data: Path) -> None:
    shown = run("inspect", "c1", "--data", data, "--unmask")

    assert "mass" in shown.stdout
    assert '"count": 1' in shown.stdout
    assert '"c2"' not in shown.stdout


def test_nobody_is_found_for_an_unknown_key(data: Path) -> None:
    found = run("inspect", "c12345", "--data", data)

    assert found.exit_code == 1
    assert "holds nothing of this key" in found.output
    assert "12345" not in found.output


def test_an_export_is_the_whole_state_a_record_a_line(data: Path, tmp_path: Path) -> None:
    to = tmp_path / "state.jsonl"

    done = run("export", "--data", data, "--out", to, "--packed", "--unmask")
    again = run("export", "--data", data, "--out", to)

    assert done.exit_code == 0
    rows = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    expected = {row["name"]: row for row in recorded(FILE)}
    assert {row["name"]: row["packed"] for row in rows} == {name: row["packed"] for name, row in expected.items()}
    assert [row["name"] for row in rows if not holds(row, expected[row["name"]]["shown"])] == []
    assert "15 records written" in done.output
    # A file that is there is not written over.
    assert again.exit_code == 1


def test_an_export_of_one_stage_masks_keys_and_codes(data: Path) -> None:
    done = run("export", "--data", data, "--stage", "ledger")

    (pool, reservation) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert pool["value"]["reserved"]["count"] == 1
    assert (reservation["value"]["customer"], reservation["value"]["code"]) == ("c1***", "***")


def test_a_backup_holds_what_was_there_and_not_what_came_after(data: Path, tmp_path: Path) -> None:
    before = records(data)

    done = run("backup", tmp_path / "backup", "--data", data)
    store = RocksStore(data / "customers" / "0")
    store.put(b"c1", "h", b"", b"newer")
    store.commit(META, 20)
    store.close()
    shutil.rmtree(data)
    back = run("restore", tmp_path / "backup", "--data", data)

    assert done.exit_code == back.exit_code == 0
    assert "customers/0: layout 1, last commit 2026-12-01T04:00:00.250Z" in done.output
    assert records(data) == before
    store = RocksStore(data / "customers" / "0")
    # From here the changelog tells the rest.
    assert (store.changelog, store.meta) == (9, META)
    store.close()


def test_working_on_what_was_brought_back_leaves_the_backup_alone(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "backup", print)
    kept = records(tmp_path / "backup")
    bring_back(tmp_path / "backup", tmp_path / "new", print)

    store = RocksStore(tmp_path / "new" / "customers" / "0")
    for turn in range(3):
        store.put(b"c%d" % turn, "h", b"", b"newer")
        store.commit(META, 20)
        store.close()
        store = RocksStore(tmp_path / "new" / "customers" / "0")
    store.close()

    assert records(tmp_path / "backup") == kept


def test_neither_a_backup_nor_a_state_is_written_over(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "backup", print)

    twice = run("backup", tmp_path / "backup", "--data", data)
    over = run("restore", tmp_path / "backup", "--data", data)

    assert (twice.exit_code, over.exit_code) == (1, 1)
    assert "is there already" in twice.output
    assert "customers/0, ledger/0" in over.output
    assert "move it away first" in over.output


def test_a_state_that_a_worker_has_is_not_touched(data: Path, tmp_path: Path) -> None:
    worker = RocksStore(data / "ledger" / "0")
    try:
        found = [
            run("inspect", "lunch", "--stage", "ledger", "--data", data),
            run("backup", tmp_path / "b", "--data", data),
        ]
    finally:
        worker.close()

    assert [result.exit_code for result in found] == [1, 1]
    assert all("stop it first" in result.output for result in found)
    # A backup is whole or it is not there.
    assert not (tmp_path / "b").exists()


def test_where_no_state_lies_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(StateFilesError, match="no state lies in"):
        folders(tmp_path)

    assert run("inspect", "c1", "--data", tmp_path / "nowhere").exit_code == 1
    assert not (tmp_path / "nowhere").exists()
