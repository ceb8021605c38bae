"""Steady time: what a partition calls now never goes back, whatever the machine's clock does; and that is said."""

from collections.abc import Callable

import structlog

from kairos.instants import MINUTE, SECOND, Millis

__all__ = ["Steady"]

log = structlog.get_logger(__name__)

_WORTH_A_WORD: Millis = 1 * MINUTE


class Steady:
    """A clock for one partition.

    Parameters
    ----------
    clock
        The machine's.
    stage, partition
        Whose time it is, for the log.

    Examples
    --------
    >>> steady = Steady(lambda: 1_000, "customers", 0)
    >>> steady.now(900), steady.now(1_500)
    (1000, 1500)

    """

    def __init__(self, clock: Callable[[], Millis], stage: str, partition: int) -> None:
        self._clock, self._stage, self._partition = clock, stage, partition
        self._stands = False

    def now(self, reached: Millis) -> Millis:
        """Give the time, but not before what the partition's state has reached."""
        clock = self._clock()
        if reached - clock < _WORTH_A_WORD:
            self._stands = False
        elif not self._stands:
            self._stands = True
            log.warning(
                "clock is behind the state, time stands still",
                stage=self._stage,
                partition=self._partition,
                seconds=(reached - clock) // SECOND,
            )
        return max(clock, reached)
