"""State files: the folders of stopped workers, as backups made of them and as what can be read in them.

A backup is RocksDB's own checkpoint of each partition: a folder that is complete in itself, made in a moment, of the
same files where it lies on the same disk. What the changelog has told since is read when a worker starts on it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.rocks import StoreUnavailable
from streams.store import Meta, RocksStore

__all__ = ["Folder", "StateFilesError", "back_up", "bring_back", "folders", "opened_store"]

Tell = Callable[[str], None]


class StateFilesError(OSError):
    """There is no state where it was looked for, somebody works on it, or something is in its way."""


@dataclass(frozen=True, slots=True, order=True)
class Folder:
    """The database of one partition."""

    stage: str
    number: int
    path: Path

    @property
    def name(self) -> str:
        """Stage and partition."""
        return f"{self.stage}/{self.number}"


def folders(data: Path, stage: str | None = None) -> list[Folder]:
    """Find the databases below a data folder or a backup, by stage and number.

    Raises
    ------
    StateFilesError
        There is none.

    """
    found = [
        Folder(path.parent.parent.name, int(path.parent.name), path.parent)
        for path in data.glob(f"{stage or '*'}/*/CURRENT")
        if path.parent.name.isdigit()
    ]
    if not found:
        raise StateFilesError(f"no state lies in {data}: expected are folders {stage or '<stage>'}/<partition>")
    return sorted(found)


@contextmanager
def opened_store(folder: Folder) -> Iterator[RocksStore]:
    """Open a partition's store to read it.

    Raises
    ------
    StateFilesError
        A worker has it.

    """
    try:
        store = RocksStore(folder.path)
    except StoreUnavailable as error:
        raise StateFilesError(_why(folder, error)) from error
    try:
        yield store
    finally:
        store.close()


def back_up(data: Path, target: Path, tell: Tell) -> list[tuple[Folder, Meta]]:
    """Make a checkpoint of every partition below a data folder.

    Parameters
    ----------
    data
        The folder of a stopped worker.
    target
        Where to; it must not be there yet.
    tell
        Is told what was done.

    Raises
    ------
    StateFilesError
        There is nothing to back up, a worker has it, or the target is there already.

    """
    found = folders(data)
    if target.exists():
        raise StateFilesError(f"{target} is there already; a backup goes into a new folder")
    done = []
    # A backup is there whole or not at all: it gets its name when it is complete.
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for number, folder in enumerate(found, 1):
        path = partial / folder.stage / str(folder.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened_store(folder) as store:
            store.checkpoint(path)
            done.append((folder, store.meta))
        tell(f"{number}/{len(found)} {folder.name}")
    partial.rename(target)
    return done


def bring_back(backup: Path, data: Path, tell: Tell) -> list[Folder]:
    """Copy a backup's partitions into a data folder, from which a worker then goes on by the changelog.

    Raises
    ------
    StateFilesError
        There is no backup, or a partition is there already.

    """
    found = folders(backup)
    there = [folder.name for folder in found if (data / folder.name).exists()]
    if there:
        raise StateFilesError(f"{', '.join(there)} in {data} would be overwritten; move it away first")
    for number, folder in enumerate(found, 1):
        partial = data / folder.stage / f"{folder.number}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        # Copied and not linked: a worker goes on writing some of these files.
        shutil.copytree(folder.path, partial)
        partial.rename(data / folder.name)
        tell(f"{number}/{len(found)} {folder.name}")
    return found


def _why(folder: Folder, error: StoreUnavailable) -> str:
    if "lock" in str(error).lower():
        return f"a worker has {folder.path}; stop it first, or look at a backup"
    return str(error)
