"""What is said of conditions that begin with a book: from when on they count, or which events fill them."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from rules.cold import Cold
from streams.carried import TOPIC_OF
from streams.topics import TOPICS

__all__ = ["beginnings"]

_KEPT: Final = {topic.name: topic.keep for topic in TOPICS}


def beginnings(starting: Iterable[Cold]) -> Iterator[str]:
    """Give a line for each condition that starts cold; one that is filled is told how far back at the least.

    Examples
    --------
    >>> list(beginnings([Cold("r", ("count",)), Cold("r", ("first",), ("login",))]))[1]
    'r: when.first is filled from the events that are still kept, 7 days of them or as many as the topics hold'

    """
    for one in starting:
        days = min((days for event in one.events if (days := _days(event)) is not None), default=None)
        yield str(one) if days is None else f"{one}, {days} days of them or as many as the topics hold"


def _days(event: str) -> int | None:
    kept = _KEPT[TOPIC_OF[event]]
    return None if kept is None else kept // timedelta(days=1)
