"""The interpreter: what Python does beside our work, and how little of it a batch should notice."""

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collect_rarely", "give_way", "leave_alone", "short_turns"]

_TURN = 0.001
_REST = 0.03


def collect_rarely() -> None:
    """Look for cycles rarely, in the whole process.

    A batch makes some hundred thousand objects that die with it. Python's default looks for cycles after every 700 and
    goes through the batch again and again, in vain: a quarter of the time.
    """
    gc.set_threshold(200_000, 10, 10)


def leave_alone() -> None:
    """Never look for cycles in what there is now: a full look at a book of 10,000 rules stops everything for a second.

    What dies is given back all the same, but for cycles that were there already.
    """
    gc.freeze()


@contextmanager
def short_turns() -> Iterator[None]:
    """Let a busy thread give way after one millisecond instead of five; a batch asks for its turn many times."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def give_way() -> None:
    """Rest, in a thread that works beside the batches, so that a batch meets a step of that work and not the whole."""
    time.sleep(_REST)
