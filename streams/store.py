"""The store of one partition: sorted records in RocksDB, and over them what the running step has changed.

A step reads and writes the overlay. Only `commit`, which comes after Kafka's commit, brings it to the disk, in one
WriteBatch with the offsets it belongs to. RocksDB's own log is off: what survives a crash is a prefix of the
commits, and the changelog brings the rest.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, cast

import msgspec
import structlog
from rocksdict import Checkpoint, WriteBatch, WriteOptions

from streams.keys import compose
from streams.rocks import FEW_FILES, LOADED_FILES, opened, refusal, refusing, take_in

__all__ = ["META", "Meta", "RocksStore", "encode", "restored"]

log = structlog.get_logger(__name__)

Change = tuple[bytes, bytes | None]

META = compose(b"", "m", b"")
"""Where the offsets lie, in the store and in the changelog."""
_PLACE = compose(b"", "m", b"changelog")
_MERGE = "level0_file_num_compaction_trigger"


class Meta(msgspec.Struct, array_like=True):
    """What the state is the result of, and who can read it. A field is only ever added at the end.

    Parameters
    ----------
    version
        The layout of the whole state, see `streams.spec.StageSpec.layout`.
    inputs
        The next offset of every input topic.
    now
        The newest processing time.
    partitions
        Over how many partitions the stage was spread; 0 where nobody noted it yet.
    build
        The release that wrote it.

    """

    version: int = 1
    inputs: dict[str, int] = msgspec.field(default_factory=dict)
    now: int = 0
    partitions: int = 0
    build: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Meta).decode


class RocksStore:
    """A partition's records on disk, as `kairos.ports.Store`.

    Parameters
    ----------
    path
        The folder of this partition's database.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = opened(path)
        self._write_options = WriteOptions()
        # rocksdict's stub takes the property for a method.
        self._write_options.disable_wal = True  # type: ignore[method-assign,assignment]
        self._overlay: dict[bytes, bytes | None] = {}
        # The names in the overlay with an id: a scan looks through them, and not through every hot record.
        self._many: dict[bytes, None] = {}
        self._fetched: dict[bytes, bytes | None] = {}
        self._busy = Lock()
        self._closed = False

    def get(self, key: bytes, kind: str, id_: bytes = b"") -> bytes | None:
        """Give the value, or None."""
        name = compose(key, kind, id_)
        if name in self._overlay:
            return self._overlay[name]
        if name in self._fetched:
            # A step asks once, and keeps what it makes of it: what was read would lie beside what is written.
            return self._fetched.pop(name)
        try:
            found: bytes | None = self._db.get(name)
        except Exception as error:  # the hottest line of the house: a context manager would cost more than the read
            raise refusal(self.path, error) from error
        return found

    def fetch(self, names: list[bytes]) -> None:
        """Read many committed values at once, for `get` to find, each once, until the next commit.

        It may run in a thread of its own, for RocksDB then lets others compute; nothing may be written meanwhile.
        """
        with self._busy, refusing(self.path):
            # The stub knows neither the list's answer nor a list of one type alone.
            found = cast(list[bytes | None], self._db.get(cast(list[Any], names)))
        self._fetched = dict(zip(names, found, strict=True))

    def put(self, key: bytes, kind: str, id_: bytes, value: bytes | None) -> None:
        """Write a value into the overlay; None removes."""
        name = compose(key, kind, id_)
        self._overlay[name] = value
        if id_:
            self._many[name] = None

    def delete(self, key: bytes, kind: str, id_: bytes = b"") -> None:
        """Remove a value in the overlay."""
        self.put(key, kind, id_, None)

    def scan(self, key: bytes, kind: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Give (id, value) of one kind, by id, the overlay over the disk."""
        prefix = compose(key, kind, b"")
        first = prefix + start
        overlay = self._overlay
        changed = {k: overlay[k] for k in (prefix, *self._many) if k in overlay and k >= first and k.startswith(prefix)}
        pending = sorted((k for k, v in changed.items() if v is not None), reverse=True)
        for name, value in self._stored(first, prefix):
            while pending and pending[-1] < name:
                own = pending.pop()
                yield own[len(prefix) :], changed[own] or b""
            if name not in changed:
                yield name[len(prefix) :], value
        while pending:
            own = pending.pop()
            yield own[len(prefix) :], changed[own] or b""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Give every committed record by its composite key, without the store's own."""
        own = compose(b"", "m", b"")
        for name, value in self._stored(b"", b""):
            if not name.startswith(own):
                yield name, value

    def owned(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give every committed record of one owner by its composite key."""
        beginning = compose(key, "-", b"")[:-1]
        return self._stored(beginning, beginning)

    def checkpoint(self, path: Path) -> None:
        """Make a database of its own in a new folder, of what is committed; on the same disk it shares the files."""
        Checkpoint(self._db).create_checkpoint(str(path))

    def changes(self) -> list[Change]:
        """Give what the step changed, for the changelog; None removes."""
        return list(self._overlay.items())

    @property
    def written(self) -> int:
        """How many bytes of values the step wrote."""
        return sum(map(len, filter(None, self._overlay.values())))

    def rollback(self) -> None:
        """Forget what the step changed."""
        self._overlay.clear()
        self._many.clear()

    def commit(self, meta: Meta, changelog: int) -> None:
        """Bring the overlay to the disk, in one write with the offsets it belongs to.

        Parameters
        ----------
        meta
            The inputs' offsets and the clock behind this state.
        changelog
            An offset of the changelog from which a restore may begin.

        """
        self._overlay[META] = encode(meta)
        self.apply(self._overlay.items(), changelog)
        self._overlay.clear()
        self._many.clear()
        self._fetched.clear()

    def apply(self, changes: Iterable[Change], changelog: int) -> None:
        """Write changes from the changelog, and the place it was read to."""
        batch = WriteBatch(raw_mode=True)
        for name, value in changes:
            if value is None:
                batch.delete(name)
            else:
                batch.put(name, value)
        batch.put(_PLACE, changelog.to_bytes(8))
        with refusing(self.path):
            self._db.write(batch, self._write_options)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Expect much by `load`: files are merged in greater portions meanwhile, or each would be merged many times."""
        self._db.set_options({_MERGE: str(LOADED_FILES)})
        try:
            yield
        finally:
            self._db.set_options({_MERGE: str(FEW_FILES)})

    def load(self, rows: dict[bytes, bytes | None], changelog: int) -> None:
        """Write many changes of a changelog as one sorted file, all or nothing; `rows` is not to be used afterwards.

        It may run in a thread of its own. What was loaded outlives a crash, and the changelog is read on from there.
        """
        rows[_PLACE] = changelog.to_bytes(8)
        with self._busy:
            # Whose turn comes after `close` was given up by whoever waited for it.
            if not self._closed:
                take_in(self._db, self.path.with_suffix(".loading"), rows)

    @property
    def files(self) -> int:
        """How many files a read has to ask that lie over one another."""
        return int(self._db.property_value("rocksdb.num-files-at-level0") or 0)

    @property
    def meta(self) -> Meta:
        """What the state on disk is the result of."""
        with refusing(self.path):
            return restored(self._db.get(META))

    @property
    def changelog(self) -> int:
        """Where a restore from the changelog begins."""
        with refusing(self.path):
            place: bytes | None = self._db.get(_PLACE)
        return int.from_bytes(place) if place else 0

    @property
    def size(self) -> int:
        """How many bytes the database has, in its files and in memory before it is written to them."""
        names = ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
        return sum(self._db.property_int_value(name) or 0 for name in names)

    @property
    def estimated(self) -> int:
        """How many records there are, about: what was written over counts until it is merged."""
        return self._db.property_int_value("rocksdb.estimate-num-keys") or 0

    def flush(self) -> None:
        """Write what is in memory to the disk."""
        with self._busy, refusing(self.path):
            self._db.flush()

    def close(self) -> None:
        """Write what is in memory to the disk and let go of the folder."""
        # Who gave up waiting for `fetch` or `load` may close while it is still at it.
        with self._busy:
            self._closed = True
            problems = []
            for act in (self._db.flush, self._db.close):
                try:
                    act()
                except Exception as error:  # noqa: BLE001  # rocksdict knows no other
                    problems.append(str(error)[:300])
            if problems:
                # The changelog has it, too; and a folder that was left open could never be opened again here.
                log.warning("state not written, the changelog has it", folder=str(self.path), why=problems[0])

    def wipe(self) -> None:
        """Close, and begin again with an empty folder."""
        with refusing(self.path):
            self._db.close()
            shutil.rmtree(self.path)
        self._db = opened(self.path)

    def _stored(self, first: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        # The iterator is dropped at the end of the loop: a live one would keep the folder locked after `close`.
        with refusing(self.path):
            stored = cast(Iterator[tuple[bytes, bytes]], self._db.items(from_key=first or None))
            for name, value in stored:
                if not name.startswith(prefix):
                    return
                yield name, value


def encode(meta: Meta) -> bytes:
    """Write the offsets as they lie in the changelog."""
    return _encode(meta)


def restored(packed: bytes | None) -> Meta:
    """Read the offsets; None is a state that has none yet."""
    return Meta() if packed is None else _decode(packed)
