"""Ranges: what lies between two places of a column, for millions of such ranges at once.

A range is given by its first place and the place behind its last one. The ranges come from windows: they are mostly
short, and where one is long it is asked for few.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["different", "least", "previous", "totals"]

Numbers = NDArray[np.int64]


def totals(values: Numbers, first: Numbers, behind: Numbers) -> Numbers:
    """Add up the values of each range.

    Examples
    --------
    >>> totals(np.array([3, 5, 7]), np.array([0, 1, 2]), np.array([2, 3, 2])).tolist()
    [8, 12, 0]

    """
    running = np.concatenate(([0], np.cumsum(values)))
    found: Numbers = running[behind] - running[first]
    return found


def least(values: Numbers, first: Numbers, behind: Numbers) -> Numbers:
    """Give the smallest value of each range; what is given for an empty one means nothing.

    Examples
    --------
    >>> least(np.array([3, 5, 2, 7]), np.array([0, 1, 3]), np.array([2, 4, 4])).tolist()
    [3, 2, 7]

    """
    length = np.maximum(behind - first, 0)
    found = np.zeros(len(first), np.int64)
    # A range is covered by two of the runs of 1, 2, 4, ... values whose smallest ones are known.
    level, run = values, 1
    while len(level) and run <= length.max(initial=0):
        asked = np.flatnonzero((length >= run) & (length < 2 * run))
        found[asked] = np.minimum(level[first[asked]], level[behind[asked] - run])
        level, run = np.minimum(level[:-run], level[run:]) if len(level) > run else level[:0], 2 * run
    return found


def previous(owner: Numbers, codes: Numbers) -> Numbers:
    """Give for each place the last one before it with the same owner and code, or -1.

    Examples
    --------
    >>> previous(np.array([1, 1, 1, 2]), np.array([5, 6, 5, 5])).tolist()
    [-1, -1, 0, -1]

    """
    order = np.lexsort((codes, owner))
    same = (owner[order][1:] == owner[order][:-1]) & (codes[order][1:] == codes[order][:-1])
    found = np.full(len(codes), -1, np.int64)
    found[order[1:][same]] = order[:-1][same]
    return found


def different(before: Numbers, first: Numbers, behind: Numbers, enough: int) -> Numbers:
    """Count the different codes of each range, up to `enough`.

    Parameters
    ----------
    before
        What `previous` gave: a code is counted where it stands in its range for the first time.
    first, behind
        The ranges.
    enough
        Where to stop: whoever asks whether there are three need not know of more.

    Examples
    --------
    >>> before = previous(np.array([1, 1, 1, 1]), np.array([5, 6, 5, 7]))
    >>> different(before, np.array([0, 1, 0]), np.array([4, 3, 4]), 3).tolist()
    [3, 2, 3]
    >>> different(before, np.array([0]), np.array([4]), 2).tolist()
    [2]

    """
    found = np.zeros(len(first), np.int64)
    # From the first on, all ranges side by side; those that are through or have enough are left out of the next step.
    open_ = np.flatnonzero(first < behind)
    place = first[open_]
    while len(open_):
        found[open_] += before[place] < first[open_]
        place = place + 1
        left = (place < behind[open_]) & (found[open_] < enough)
        open_, place = open_[left], place[left]
    return found
