"""Progress of a restore: how much is read and left, how fast it goes, and when it will be done."""

import time
from typing import Any, Final

import structlog

__all__ = ["Progress"]

log = structlog.get_logger(__name__)

_EVERY: Final = 2.0
"""Seconds between two lines of the log: on a terminal one sees it move, and a file stays short."""


class Progress:
    """How far one partition's restore has come, for the log, `/ready` and the metrics.

    Parameters
    ----------
    stage, partition
        Whose restore it is.

    Examples
    --------
    >>> progress = Progress("customers", 0)
    >>> progress.tell(0, 600, at=10.0)
    >>> progress.tell(400, 200, at=11.0)
    >>> progress.records, progress.left, progress.rate, progress.seconds_left
    (400, 200, 400, 0.5)

    """

    def __init__(self, stage: str, partition: int) -> None:
        self.stage, self.partition = stage, partition
        self.records = self.left = self._all = 0
        self.seconds = 0.0
        self._began: float | None = None
        self._said = 0.0

    @property
    def rate(self) -> int:
        """How many records a second were read since the beginning."""
        return round(self.records / self.seconds) if self.seconds else 0

    @property
    def seconds_left(self) -> float:
        """When it will be done if it goes on like this, in seconds; nothing before it is known how fast it goes."""
        # Compaction leaves gaps: what is left are places, and it is by places that the end comes nearer.
        done = self._all - self.left
        return round(self.left * self.seconds / done, 1) if done else 0.0

    def tell(self, read: int, left: int, at: float | None = None) -> None:
        """Take how many records were read, and how many places are left; `at` is in seconds of any clock."""
        at = time.perf_counter() if at is None else at
        if self._began is None:
            self._began, self._said, self._all = at, at, left
        self.records, self.left, self.seconds = read, left, at - self._began
        if left and at - self._said >= _EVERY:
            self._said = at
            log.info("restoring", **self.figures())

    def figures(self) -> dict[str, Any]:
        """Give everything by name."""
        return {
            "stage": self.stage,
            "partition": self.partition,
            "records": self.records,
            "left": self.left,
            "records_per_second": self.rate,
            "seconds_left": self.seconds_left,
        }
