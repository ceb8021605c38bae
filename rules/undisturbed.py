"""Undisturbed: no search for cycles while thousands of rules are read.

A book of 10,000 rules is millions of objects that stay. Python looks for cycles after every 700 new ones and, again and
again, goes through all that is there already, in vain: more than half of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["at_once", "undisturbed"]


def at_once() -> None:
    """Go on without a pause: what is done between two steps of a long work where nobody waits beside it."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let nobody look for cycles meanwhile, in the whole process; what dies is given back all the same.

    Examples
    --------
    >>> with undisturbed():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True

    """
    # Where it is off already it stays so: somebody's choice, or another book that is read beside this one.
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
