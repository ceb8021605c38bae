"""Groups: which events of a log belong together, because they are one customer's and say the same."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from rules.met import Flags, Met, Numbers, Rows
from rules.selectors import Selector

__all__ = ["BITS", "are_few", "groups_of"]

BITS: Final = 40
"""How many bits a time or a row may take beside the number of a group in one sorted key."""


def groups_of(events: Sequence[tuple[Selector, Rows]], same: Iterable[str], met: Met) -> list[tuple[Numbers, Flags]]:
    """Give each event the number of its group, and whether it says all that must be the same; who does not has none.

    Parameters
    ----------
    events
        Events of several kinds.
    same
        The fields by which they belong together; the customer is one of it all.
    met
        The log.

    """
    group = np.concatenate([rows.customer for _, rows in events])
    is_said = np.ones(len(group), np.bool_)
    for name in same:
        values = {value for selector, _ in events for value in met.values(selector, name)} - {None}
        codes = {value: code for code, value in enumerate(sorted(values, key=str))}
        said = np.concatenate([met.said(selector, name, codes, rows) for selector, rows in events])
        is_said &= said >= 0
        group = group * (len(codes) + 1) + said
        # To look for those that there are takes time.
        group = group if are_few(group) else np.unique(group, return_inverse=True)[1]
    ends = np.cumsum([len(rows.row) for _, rows in events])[:-1]
    return list(zip(np.split(group, ends), np.split(is_said, ends), strict=True))


def are_few(group: Numbers) -> bool:
    """Whether the numbers are so small that `BITS` are left beside them."""
    return int(group.max(initial=0)) >> (62 - BITS) == 0
