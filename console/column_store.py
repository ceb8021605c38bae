"""The store of columns: made of a log once, kept beside it, and made again when log or program are others."""

import hashlib
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
import pydantic

import console
import kairos
import rules
import streams
from console.output import errors
from console.written import whole
from rules.columns import Arrays, Columns
from rules.columns_made import columns_of
from rules.lives import Happening

__all__ = ["arrays_beside", "columns_beside", "store_of"]

_PACKAGES: Final = tuple(Path(path) for package in (console, kairos, rules, streams) for path in package.__path__)
Reading = Callable[[], AbstractContextManager[Iterator[Happening]]]
"""Opens the log to be read from its beginning."""


def store_of(log: Path, what: Literal["columns", "backtest"] = "columns") -> Path:
    """Give where the columns of a log lie, or the arrays of its backtests.

    Examples
    --------
    >>> store_of(Path("data/demo.jsonl.gz")).name, store_of(Path("data/demo.jsonl"), "backtest").name
    ('demo.jsonl.gz.columns.npz', 'demo.jsonl.backtest.npz')

    """
    return log.with_name(f"{log.name}.{what}.npz")


def columns_beside(log: Path, apps: bytes, reading: Reading) -> Columns:
    """Give the columns of a log: the stored ones where they were made of this log and these apps, else new ones.

    Parameters
    ----------
    log
        The log.
    apps
        The catalogue of apps, which says of what class an app is.
    reading
        How the log is read where that is needed.

    """

    def made() -> Arrays:
        with reading() as happenings:
            return columns_of(happenings)

    return Columns(arrays_beside(log, store_of(log), apps, made))


def arrays_beside(log: Path, store: Path, apps: bytes, made: Callable[[], Arrays]) -> Arrays:
    """Give what was made of a log: the stored arrays where the same program made them of the same, else new ones.

    Parameters
    ----------
    log, apps
        What the arrays are made of.
    store
        Where they are kept; the last two endings of its name say which arrays they are.
    made
        Makes them.

    """
    began, name = _touched(log), _name(log, apps, store)
    found = _stored(store, name)
    if found is None:
        found = {**made(), "name": np.frombuffer(name, np.uint8)}
        # Of a log that somebody goes on writing nobody knows how much of it is in the arrays.
        if _touched(log) == began:
            _keep(store, found)
    return found


def _touched(log: Path) -> tuple[int, int]:
    told = log.stat()
    return told.st_size, told.st_mtime_ns


def _name(log: Path, apps: bytes, store: Path) -> bytes:
    with log.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
    kind = "".join(store.suffixes[-2:]).encode()
    parts = (digest, kind, _program(), apps)
    return hashlib.blake2b(b"".join(len(part).to_bytes(8) + part for part in parts), digest_size=16).digest()


@cache
def _program() -> bytes:
    """Give a digest of the program's own text: what the door takes and how arrays lie follows from all of it."""
    found = hashlib.blake2b(f"{sys.version} {pydantic.VERSION} {msgspec.__version__}".encode(), digest_size=16)
    for root in _PACKAGES:
        for path in sorted(root.rglob("*.py")):
            found.update(f"{path.relative_to(root.parent).as_posix()}:{path.stat().st_size}:".encode())
            found.update(path.read_bytes())
    return found.digest()


def _stored(store: Path, name: bytes) -> Arrays | None:
    # NumPy leaves a file open that is no archive.
    if not zipfile.is_zipfile(store):
        return None
    try:
        found = np.load(store, allow_pickle=False)
        if not isinstance(found, np.lib.npyio.NpzFile) or found["name"].tobytes() != name:
            return None
        # Arrays are read when somebody asks for them; a disk that damaged one is found out before.
        return None if found.zip is None or found.zip.testzip() else found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(store: Path, arrays: Arrays) -> None:
    try:
        with whole(store) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(arrays))
    except OSError as error:
        errors.print(f"{store} cannot be written ({error}); the log is read again next time", markup=False)
