"""Latency from the topics: the time Kafka wrote beside a decision, less the time it wrote beside the event."""

from array import array
from collections import Counter, deque

__all__ = ["Latency"]


class Latency:
    """Joins decisions with their events; whichever is read first waits.

    Parameters
    ----------
    remembered
        How many of each partition's newest events are remembered.

    Examples
    --------
    >>> latency = Latency()
    >>> latency.decided("events", 0, 1, at=1_070)
    >>> latency.happened("events", 0, 0, at=900)
    >>> latency.happened("events", 0, 1, at=1_000)
    >>> latency.settle()
    >>> latency.percentile(0.5)
    70

    """

    def __init__(self, remembered: int = 1 << 17) -> None:
        self._size = remembered
        self._times: dict[tuple[str, int], array[int]] = {}
        self._newest: dict[tuple[str, int], int] = {}
        self._waiting: deque[tuple[str, int, int, int]] = deque(maxlen=remembered)
        self._millis: Counter[int] = Counter()

    def happened(self, topic: str, partition: int, offset: int, at: int) -> None:
        """Remember when Kafka got an event."""
        place = topic, partition
        times = self._times.get(place)
        if times is None:
            times = self._times[place] = array("q", [-1]) * self._size
        times[offset % self._size] = at
        self._newest[place] = offset

    def decided(self, topic: str, partition: int, offset: int, at: int) -> None:
        """Take when Kafka got the decision for an event."""
        self._waiting.append((topic, partition, offset, at))

    def settle(self) -> None:
        """Join what waits and can be joined."""
        for _ in range(len(self._waiting)):
            topic, partition, offset, at = self._waiting.popleft()
            newest = self._newest.get((topic, partition), -1)
            if newest < offset:
                self._waiting.append((topic, partition, offset, at))
            elif newest - offset < self._size:
                self._millis[max(0, at - self._times[topic, partition][offset % self._size])] += 1

    def percentile(self, share: float) -> int:
        """Give the milliseconds within which this share of the decisions was there; 0 where there is none."""
        wanted = share * self._millis.total()
        reached = 0
        for millis in sorted(self._millis):
            reached += self._millis[millis]
            if reached >= wanted:
                return millis
        return 0
