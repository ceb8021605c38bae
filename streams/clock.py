"""The clock: the one place that reads it. Everybody else is told what time it is."""

import time

from kairos.instants import Millis

__all__ = ["now"]


def now() -> Millis:
    """Give processing time: milliseconds since 1970 in UTC."""
    return time.time_ns() // 1_000_000
