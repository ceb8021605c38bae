"""Timers of the customers' stage: sorted by the time they are due, in the same store and commit as everything else."""

import struct
from typing import Literal, NamedTuple

from kairos.instants import Millis
from kairos.ports import Store
from streams.work import TIMER

__all__ = ["Timer", "cancel", "due", "set_timer", "timer_of"]

What = Literal["wait", "end", "forget", "defer", "ignored"]
_CODES: dict[What, bytes] = {"wait": b"w", "end": b"x", "forget": b"f", "defer": b"d", "ignored": b"i"}
_WHATS: dict[bytes, What] = {code: what for what, code in _CODES.items()}
_DUE = struct.Struct(">Q")


class Timer(NamedTuple):
    """What is to be done for one decision of one customer, and when.

    `wait`: the wait for a reaction is over. `end`: the decision ends if nothing ended it. `forget`: nothing that
    comes back for it counts any more. `defer`: quiet hours are over. `ignored`: who has not
    reacted by now has ignored the message.
    """

    due: Millis
    what: What
    decision: str
    customer: str


def set_timer(store: Store, timer: Timer) -> None:
    """Set a timer."""
    store.put(b"", TIMER, _name(timer), timer.customer.encode())


def cancel(store: Store, timer: Timer) -> None:
    """Remove a timer; one that is not there is no error."""
    store.delete(b"", TIMER, _name(timer))


def due(store: Store, now: Millis, most: int = 5_000) -> list[Timer]:
    """Take what is due at `now` out of the store, the earliest first, so many at the most.

    Examples
    --------
    >>> from streams.memory_store import MemoryStore
    >>> store = MemoryStore()
    >>> set_timer(store, Timer(2_000, "end", "0a" * 16, "c7"))
    >>> due(store, 1_999)
    []
    >>> due(store, 2_000)
    [Timer(due=2000, what='end', decision='0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', customer='c7')]

    """
    found: list[tuple[bytes, Timer]] = []
    for name, customer in store.scan(b"", TIMER):
        timer = timer_of(name, customer)
        if timer.due > now or len(found) == most:
            break
        found.append((name, timer))
    for name, _ in found:
        store.delete(b"", TIMER, name)
    return [timer for _, timer in found]


def timer_of(id_: bytes, value: bytes) -> Timer:
    """Read a timer as it lies in the store."""
    (due,) = _DUE.unpack_from(id_)
    return Timer(due, _WHATS[id_[8:9]], id_[9:].hex(), value.decode())


def _name(timer: Timer) -> bytes:
    return _DUE.pack(timer.due) + _CODES[timer.what] + bytes.fromhex(timer.decision)
