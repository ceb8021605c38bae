"""How far it is: a bar on the error stream while something lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.output import errors

__all__ = ["Told", "bar"]


class Told(Protocol):
    """Is told how much is done, and how much there is, where that is known no sooner."""

    def __call__(self, done: int, all_: int | None = None, /) -> None:
        """Show it."""
        ...


@contextmanager
def bar(doing: str, all_: int | None = None, *, stays: bool = False) -> Iterator[Told]:
    """Show a bar, and give what moves it.

    Parameters
    ----------
    doing
        What is done.
    all_
        How much there is; 0 where nobody knows. None where it is told on the way: nothing is shown off a terminal.
    stays
        Whether the bar is left to be seen when it is over.

    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_hidden = all_ is None and not errors.is_terminal
    with Progress(*columns, console=errors, transient=not stays, disable=is_hidden) as progress:
        task = progress.add_task(doing, total=all_ or None)
        yield lambda done, all_=None: progress.update(task, completed=done, total=all_)
