"""Blame: a mistake that happened while a timer was at work names the timer, not the record that came in beside it."""

from types import TracebackType

__all__ = ["Blamed", "blame"]

_MARK = "kairos: "


class Blamed:
    """Notes on an error that passes through what was at work.

    Examples
    --------
    >>> try:
    ...     with Blamed("timer end of decision 0a0a"):
    ...         1 / 0
    ... except ZeroDivisionError as error:
    ...     blame(error)
    'timer end of decision 0a0a'

    """

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> None:
        """Note it, if there was an error, and let it pass."""
        if error is not None:
            error.add_note(f"{_MARK}{self._what}")


def blame(error: BaseException) -> str | None:
    """Give what was at work when the error was raised, or None: a record."""
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith(_MARK)]
    return notes[0].removeprefix(_MARK) if notes else None
