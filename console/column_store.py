"""The store of columns: made of a log once, kept beside it, and made again when the log is another one."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from console.output import errors
from console.written import whole
from rules.columns import FORMAT, Arrays, Columns
from rules.columns_made import columns_of
from rules.lives import Happening

__all__ = ["arrays_beside", "columns_beside", "store_of"]

Reading = Callable[[], AbstractContextManager[Iterator[Happening]]]
"""Opens the log to be read from its beginning."""


def store_of(log: Path) -> Path:
    """Give where the columns of a log lie.

    Examples
    --------
    >>> store_of(Path("data/demo.jsonl.gz")).name
    'demo.jsonl.gz.columns.npz'

    """
    return log.with_name(f"{log.name}.columns.npz")


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
    """Give what was made of a log: the stored arrays where they were made of this log and these apps, else new ones.

    Parameters
    ----------
    log, apps
        What the arrays are made of.
    store
        Where they are kept.
    made
        Makes them.

    """
    name = _name(log, apps)
    found = _stored(store, name)
    if found is None:
        found = {**made(), "name": np.frombuffer(name, np.uint8)}
        _keep(store, found)
    return found


def _name(log: Path, apps: bytes) -> bytes:
    with log.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
    return hashlib.blake2b(digest + apps + bytes([FORMAT]), digest_size=16).digest()


def _stored(store: Path, name: bytes) -> Arrays | None:
    try:
        found = np.load(store, allow_pickle=False)
        return found if isinstance(found, np.lib.npyio.NpzFile) and found["name"].tobytes() == name else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(store: Path, arrays: Arrays) -> None:
    try:
        with whole(store) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(arrays))
    except OSError as error:
        errors.print(f"{store} cannot be written ({error}); the log is read again next time", markup=False)
