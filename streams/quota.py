"""How many records to take at a time: so many as can be computed in time, and written in memory, that there is."""

from kairos.instants import Millis

__all__ = ["Quota"]

_FIRST = 10
"""Records for each millisecond that they may compute, before anybody knows what one costs."""
_LEAST = 20


class Quota:
    """The largest number of records to take of a topic next, by what the last ones cost.

    It begins small and at most doubles, so that no batch computes much longer than it should before anybody knows what
    a record costs. Where a backlog waits nobody waits for the single event, and fewer, greater commits bring it to its
    end sooner. What a batch writes lies in memory until it is committed, several times over; records of state that grow
    do not make it grow.

    Parameters
    ----------
    most
        The largest that it may become.
    usual, behind
        How long records may compute; and how long where more than the largest portion waits behind them.
    heaviest
        How many bytes of state they may write.

    Examples
    --------
    >>> quota = Quota(4_000, usual=100, behind=300, heaviest=1_000_000)
    >>> quota.learn(took=20.0, count=1_000)
    >>> quota.most
    2000
    >>> quota.learn(took=200.0, count=2_000)
    >>> quota.most
    1000
    >>> quota.learn(took=100.0, count=1_000, left=9_000)
    >>> quota.most
    2000
    >>> quota.learn(took=100.0, count=2_000, written=4_000_000)
    >>> quota.most
    500

    """

    def __init__(self, most: int, usual: Millis, behind: Millis, heaviest: int) -> None:
        self._limit, self._usual, self._behind, self._heaviest = most, usual, behind, heaviest
        self.most = min(usual * _FIRST, most)

    def learn(self, took: float, count: int, left: int = 0, written: int = 0) -> None:
        """Size the next portion by what the last one cost.

        Parameters
        ----------
        took
            How long it computed, in milliseconds.
        count
            How many records of a topic were in it. A handful tells nothing.
        left
            How many wait behind it.
        written
            How many bytes of state it wrote.

        """
        if count >= _LEAST:
            allowed = self._behind if left > self._limit else self._usual
            in_time, in_memory = int(allowed * count / max(took, 0.001)), self._heaviest * count // max(written, 1)
            self.most = max(_LEAST, min(self._limit, self.most * 2, in_time, in_memory))
