"""Pause hooks: a test may hold a worker at a named point and kill it there. In production nothing waits."""

import asyncio
from pathlib import Path
from typing import Literal

__all__ = ["Hooks", "Point"]

Point = Literal["fenced", "restoring", "reread", "sent", "offsets", "committed"]


class Hooks:
    """Holds the worker at a point while a file of the point's name lies in the folder.

    Parameters
    ----------
    folder
        Where the files lie; None, the default, holds nowhere. A worker that is held writes `<point>.reached`, and into
        it the number of the partition, where it is said.

    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    async def at(self, point: Point, number: int | None = None) -> None:
        """Pass this point, or wait there."""
        if self._folder is None:
            return
        asked = self._folder / point
        if asked.exists():
            (self._folder / f"{point}.reached").write_text("" if number is None else str(number))
        while asked.exists():
            await asyncio.sleep(0.05)
