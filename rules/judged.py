"""Verdicts in three values: a condition holds, does not hold, or nobody knows; and the view they are made from."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from kairos.customer import Customer, Standing
from kairos.events import Event

__all__ = ["EVER", "Judged", "Seen", "all_hold", "opposite", "some_hold"]


class _Ever(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return -(2**62)


EVER: Mapping[str, int] = _Ever()
"""What was always remembered: the memory of a book in a test, or one whose beginning nobody asks for."""


class Seen(msgspec.Struct, frozen=True):
    """What conditions are asked about: one event, the customer it happened to, and since when things are remembered.

    Parameters
    ----------
    event
        The trigger.
    customer
        The hot record; the event is remembered in it already.
    standing
        Reads the profile.
    since
        The second since when each feature is remembered, by its key.

    """

    event: Event
    customer: Customer
    standing: Callable[[], Standing]
    since: Mapping[str, int] = msgspec.field(default_factory=lambda: EVER)

    @property
    def at(self) -> int:
        """The second of the event."""
        return self.event.at // 1000


class Judged(msgspec.Struct, frozen=True):
    """What became of a condition: whether it holds (None: unknown, which is never enough) and the value it read."""

    holds: bool | None
    read: object = None


def all_hold(verdicts: Iterable[bool | None]) -> bool | None:
    """Whether all hold: one that does not is enough for no.

    Examples
    --------
    >>> all_hold([True, None]), all_hold([None, False]), all_hold([])
    (None, False, True)

    """
    found = list(verdicts)
    return False if False in found else None if None in found else True


def some_hold(verdicts: Iterable[bool | None]) -> bool | None:
    """Whether one holds.

    Examples
    --------
    >>> some_hold([False, None]), some_hold([None, True]), some_hold([])
    (None, True, False)

    """
    found = list(verdicts)
    return True if True in found else None if None in found else False


def opposite(verdict: bool | None) -> bool | None:
    """Whether it does not hold; the opposite of unknown is unknown."""
    return None if verdict is None else not verdict
