"""Files that people wrote, read from disk within bounds: plain files alone, and no more of each than is read of it."""

import os
import stat
from collections.abc import Collection
from itertools import islice
from pathlib import Path

from rules.problems import Problem
from rules.yaml_reader import LARGEST

__all__ = ["contents", "in_folder"]

MOST_FILES = 2_000
LARGEST_FOLDER = 32 * LARGEST
"""How many bytes the files of one folder may have together."""

# A pipe that nobody writes to would keep whoever opens it waiting.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def contents(path: Path) -> bytes | Problem:
    """Read a file, or say why it is none; of a file that is too large one byte more than is allowed."""
    try:
        descriptor = os.open(path, _OPEN)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                return file.read(LARGEST + 1)
    except IsADirectoryError:
        mode = stat.S_IFDIR
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
        return Problem(str(path), 1, 1, f"it cannot be read: {why}")
    return Problem(str(path), 1, 1, f"{'a folder' if stat.S_ISDIR(mode) else 'a pipe or a device'} is no file of rules")


def in_folder(folder: Path, *endings: str, but: Collection[str] = ()) -> tuple[dict[str, bytes], tuple[Problem, ...]]:
    """Read the files of a folder whose names have one of the endings, but some, in the order of their names."""
    found = [path for path in islice(folder.iterdir(), 100_000) if path.suffix in endings and path.name not in but]
    if len(found) > MOST_FILES:
        return {}, (Problem(str(folder), 1, 1, f"the folder has {len(found)} files, at most {MOST_FILES} are read"),)
    texts: dict[str, bytes] = {}
    problems: list[Problem] = []
    size = 0
    for path in sorted(found):
        text = contents(path)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        texts[str(path)] = text
        size += len(text)
        if size > LARGEST_FOLDER:
            said = f"with this file the folder has more than {LARGEST_FOLDER} bytes, which is all that is read"
            return {}, (*problems, Problem(str(path), 1, 1, said))
    return texts, tuple(problems)
