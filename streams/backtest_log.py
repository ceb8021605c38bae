"""A log in arrays for a backtest: when each record came, whose it is, whether the door takes it, who may be left out.

`streams.backtest_log_made` makes them in one pass; afterwards a backtest looks only at the records of customers whom a
rule may meet.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kairos.instants import Millis
from rules.book import Book
from rules.columns import Columns
from rules.estimate import may_match
from rules.met import Flags, Met
from streams.carried import CARRIES

__all__ = ["FORGOTTEN", "REFUSED", "TOPICS", "Arrays", "met_by", "moved"]

Arrays = Mapping[str, NDArray[Any]]
TOPICS: Final = tuple(sorted(CARRIES))
"""The topics by their numbers."""
REFUSED: Final = -1
"""In the place of the time at which an event happened: the door refuses it."""
FORGOTTEN: Final = -2
"""The same where a customer is forgotten, which has no time."""


def moved(arrays: Arrays, shift: Millis) -> dict[str, NDArray[Any]]:
    """Give the arrays of the log as it is with all its times moved."""
    found = dict(arrays)
    if shift:
        found["log/clock"] = arrays["log/clock"] + shift
        found["log/at"] = np.where(arrays["log/at"] >= 0, arrays["log/at"] + shift, arrays["log/at"])
        for name in arrays:
            if name.endswith("/at") and name != "log/at":
                found[name] = arrays[name] + shift
    return found


def met_by(book: Book, arrays: Arrays) -> Flags:
    """Tell which customers a rule may meet, and who else cannot be left out; by the customers' numbers in the log.

    Not left out are those of whom the columns do not tell all: who was forgotten, or whose clock ran ahead. The
    customer of the very first event stays, for with it all memories begin.
    """
    columns, known = Columns(arrays), Met(Columns(arrays))
    numbers, found = arrays["log/numbers"], arrays["log/odd"].copy()
    steady, ordered = arrays["log/steady"][numbers], arrays["log/ordered"][numbers]
    for rule in book.rules.values():
        found[numbers[may_match(rule, columns, known, steady, ordered)]] = True
    return found
