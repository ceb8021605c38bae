"""Files that are written whole: each is there once all of it is written, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole"]


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give where to write a file, in a folder that is there; it gets its name when that has come to its end.

    Its suffix stays, for what writes it may ask it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole(Path(folder) / "found" / "all.jsonl") as part:
    ...         _ = part.write_text("{}")
    ...         part.name, [path.name for path in part.parent.iterdir()]
    ...     [path.name for path in part.parent.iterdir()]
    ('all.part.jsonl', ['all.part.jsonl'])
    ['all.jsonl']

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
