"""The kept book: what was compiled of the rules in force, in a file beside the state, so that a start takes a second.

The file is no state: without it, or with one that this version of the rules did not write whole, every rule is read
again, and nobody notices but by the time. What it holds is data, see `rules.kept`; nothing in it is run as it stands.
"""

import os
import sys
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec
import pydantic
import structlog

import kairos
import rules
from rules.book import Book
from rules.kept import Kept, packed

__all__ = ["KeptBook", "written_by"]

log = structlog.get_logger(__name__)

_NAME = "rules.kept"
_HASH = 32


class KeptBook:
    """The file.

    Parameters
    ----------
    folder
        Where the workers' state lies.

    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def read(self) -> Kept | None:
        """Give what was kept; None where there is nothing, or nothing that can be believed."""
        try:
            whole = self._path.read_bytes()
        except OSError:
            return None
        version, hash_, written = whole[:_HASH], whole[_HASH : 2 * _HASH], whole[2 * _HASH :]
        if version != written_by() or hash_ != _hash(written):
            return None
        try:
            return Kept(written)
        except ValueError:
            log.warning("the kept book is not used", file=str(self._path))
            return None

    def write(self, book: Book) -> None:
        """Keep a book; where it cannot be written, the next start takes longer."""
        written = packed(book.apart)
        # Processes of one worker share the folder: each writes a file of its own, and the last one stays.
        beside = self._path.with_name(f"{_NAME}.{os.getpid()}")
        try:
            beside.write_bytes(written_by() + _hash(written) + written)
            beside.replace(self._path)
        except OSError as error:
            log.warning("the book is not kept", file=str(self._path), error=type(error).__name__)
            with suppress(OSError):
                beside.unlink()


@cache
def written_by() -> bytes:
    """Name the version that reads rules here: this Python, what it reads with, and every line of ours it reads by."""
    said = blake2b(digest_size=_HASH)
    said.update(f"{sys.version} {pydantic.VERSION} {msgspec.__version__}".encode())
    for package in (kairos, rules):
        folder = Path(package.__path__[0])
        for file in sorted(folder.rglob("*.py")):
            source = file.read_bytes()
            said.update(f"{package.__name__} {file.relative_to(folder)} {len(source)} ".encode() + source)
    return said.digest()


def _hash(written: bytes) -> bytes:
    return blake2b(written, digest_size=_HASH).digest()
