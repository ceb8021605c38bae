"""RocksDB as the stages use it: its options, how a folder is opened, and how many sorted rows are taken in at once."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    IngestExternalFileOptions,
    Options,
    Rdict,
    SstFileWriter,
)

__all__ = ["FEW_FILES", "LOADED_FILES", "StoreUnavailable", "opened", "refusal", "refusing", "take_in"]

FEW_FILES = 2
"""A read asks every file of the newest level; merged early, there are few, and a read takes half the time."""
LOADED_FILES = 8
"""While much is taken in, nobody reads."""
_CACHE = Cache(64 << 20)


class StoreUnavailable(OSError):
    """The folder cannot be used now: another worker has it, or the disk is full, read-only or broken."""


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Say in one word that the disk refused, whatever RocksDB was doing.

    Raises
    ------
    StoreUnavailable
        What was done to the database failed.

    """
    try:
        yield
    except Exception as error:  # rocksdict knows no other
        raise refusal(path, error) from error


def refusal(path: Path, error: Exception) -> StoreUnavailable:
    """Say what the disk refused, in which folder, and how much room it has left.

    Examples
    --------
    >>> str(refusal(Path("/no/such/folder"), OSError("Read-only file system")))
    '/no/such/folder (... MB free): Read-only file system'

    """
    there = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
    try:
        room = f"{shutil.disk_usage(there).free / 1_000_000:,.1f} MB free"
    except OSError as unknown:
        room = f"nobody knows how much is free: {unknown.strerror}"
    return StoreUnavailable(f"{path} ({room}): {error}")


def opened(path: Path) -> Rdict:
    """Open the database in a folder, or make it.

    Raises
    ------
    StoreUnavailable
        Another process has it, or the disk refuses.

    """
    with refusing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return Rdict(str(path), _options())


def take_in(db: Rdict, file: Path, rows: Mapping[bytes, bytes | None]) -> None:
    """Write rows into one sorted file and give it to the database as its newest, all of it or nothing.

    Parameters
    ----------
    db
        The database.
    file
        Where to write it, on the same disk; RocksDB moves it to its own.
    rows
        What to write by key; None removes.

    Raises
    ------
    StoreUnavailable
        The disk refuses.

    """
    # A file left behind may still be one of the database's own, by its other name: it is never written over.
    file.unlink(missing_ok=True)
    with refusing(file):
        _write(file, rows)
        moving = IngestExternalFileOptions()
        moving.set_move_files(True)
        db.ingest_external_file([str(file)], moving)


def _write(file: Path, rows: Mapping[bytes, bytes | None]) -> None:
    written = SstFileWriter(_options())
    written.open(str(file))
    for name in sorted(rows):
        value = rows[name]
        if value is None:
            del written[name]
        else:
            written[name] = value
    written.finish()


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(16 << 20)
    # Most reads ask for customers that are not there yet: the filters answer without touching a block.
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.02)
    options.set_compression_type(DBCompressionType.none())
    options.set_level_zero_file_num_compaction_trigger(FEW_FILES)
    table = BlockBasedOptions()
    table.set_bloom_filter(10, block_based=False)
    table.set_block_cache(_CACHE)
    options.set_block_based_table_factory(table)
    return options
