"""The arrays that are kept beside a log: believed where they were made of the very same, and never otherwise."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from console import column_store
from console.column_store import arrays_beside
from rules.columns import Arrays

APPS = b'{"classes":[]}'


def made_anew(log: Path, store: Path, apps: bytes = APPS) -> bool:
    made: list[bytes] = []

    def make() -> Arrays:
        made.append(log.read_bytes())
        return {"said": np.frombuffer(made[0], np.uint8)}

    found = arrays_beside(log, store, apps, make)["said"].tobytes()

    assert found == log.read_bytes()
    return bool(made)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log.jsonl").write_bytes(b"one event")
    return tmp_path / "log.jsonl"


@pytest.fixture
def store(log: Path) -> Path:
    return log.with_name("log.jsonl.backtest.npz")


def test_arrays_are_made_once_of_the_same_log(log: Path, store: Path) -> None:
    assert [made_anew(log, store) for _ in range(3)] == [True, False, False]


def test_a_log_of_the_same_length_and_date_is_another_one(log: Path, store: Path) -> None:
    made_anew(log, store)
    was = log.stat()
    log.write_bytes(b"two event")
    os.utime(log, ns=(was.st_atime_ns, was.st_mtime_ns))

    assert made_anew(log, store)


def test_another_catalogue_of_apps_makes_other_arrays(log: Path, store: Path) -> None:
    made_anew(log, store)

    assert made_anew(log, store, APPS + b" ")


def test_what_another_program_made_is_not_believed(log: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_anew(log, store)
    monkeypatch.setattr(column_store, "_program", lambda: b"a later release")

    assert made_anew(log, store)


def test_one_letter_of_the_program_makes_it_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    monkeypatch.setattr(column_store, "_PACKAGES", (tmp_path / "rules",))
    told = []
    for text in (b"at >= 0", b"at >= 1", b"at >= 0"):
        (tmp_path / "rules" / "door.py").write_bytes(text)
        told.append(column_store._program.__wrapped__())

    assert told[0] == told[2] != told[1]


def test_columns_for_estimates_are_no_arrays_of_a_backtest(log: Path, store: Path) -> None:
    made_anew(log, log.with_name("log.jsonl.columns.npz"))
    log.with_name("log.jsonl.columns.npz").rename(store)

    assert made_anew(log, store)


@pytest.mark.parametrize(
    "spoil",
    [lambda held: held[:-50], lambda held: held[:100], lambda _: b"", lambda held: held.replace(b"one ", b"two ")],
)
def test_half_a_file_is_none_and_neither_is_one_that_a_disk_damaged(
    log: Path, store: Path, spoil: Callable[[bytes], bytes]
) -> None:
    made_anew(log, store)
    store.write_bytes(spoil(store.read_bytes()))

    assert made_anew(log, store)


def test_what_is_made_while_somebody_writes_on_is_not_kept(log: Path, store: Path) -> None:
    def make() -> Arrays:
        log.write_bytes(b"one event, and one more")
        return {"said": np.zeros(1, np.uint8)}

    arrays_beside(log, store, APPS, make)

    assert not store.exists()
