"""Chains: how far a customer has come in a sequence of steps, packed.

For each beginning of the sequence (its first step, its first two, ...) the start of the latest one is kept, with its
end, and the latest one that ended before that: what the newest event changed must not hide what was there before it.
Starts and ends are seconds; each step comes in a later second than the one before it, so that no event is two steps.

This is the one memory that depends on the order of arrival: a first step that comes after the second one, too late,
completes nothing, not even when it happened before. What comes in order is exact; what does not can be missed and is
never invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from kairos.events import Event
from kairos.ids import memory_id
from rules.selectors import Selector

__all__ = ["Chain", "advanced", "both", "ends", "none_started", "started"]

Run = tuple[int, int]
"""One run through the steps so far: the second in which it started, and the second of its last step."""
_KEPT = 2
_FORMS = tuple(Struct(f">{2 * _KEPT * steps}I") for steps in range(6))


def ends(packed: bytes, steps: int) -> tuple[Run, ...]:
    """Give the latest runs through so many steps, the latest last; at most two are kept.

    Examples
    --------
    >>> ends(advanced(advanced(b"", [True, False], 10), [False, True], 15), 2)
    ((10, 15),)

    """
    if not packed:
        return ()
    found = _FORMS[len(packed) // _FORMS[1].size].unpack(packed)[2 * _KEPT * (steps - 1) : 2 * _KEPT * steps]
    return tuple((found[place], found[place + 1]) for place in range(0, 2 * _KEPT, 2) if found[place])


def started(runs: Sequence[Run], last: int) -> int:
    """Give the start of the latest run that ended no later than the second `last`, or -1."""
    return max((start for start, end in runs if end <= last), default=-1)


def none_started(runs: Sequence[Run], last: int, begin: int) -> bool:
    """Whether surely no run that ended no later than `last` started after `begin`.

    Runs that ended later may have taken the place of one that did not.
    """
    known = [start for start, end in runs if end <= last]
    return max(known) <= begin if known else len(runs) < _KEPT or runs[0][0] <= begin


def advanced(packed: bytes, met: Sequence[bool], at: int) -> bytes:
    """Move on by an event in the second `at`.

    Parameters
    ----------
    packed
        What is known.
    met
        Which of the steps the event is.
    at
        Its second.

    """
    known = [ends(packed, steps) for steps in range(1, len(met) + 1)]
    for place, is_step in enumerate(met):
        if is_step:
            before = ((at, -1),) if place == 0 else ends(packed, place)
            started = max((start for start, end in before if end < at), default=None)
            if started is not None:
                known[place] = _latest((*known[place], (started, at)))
    return _packed(known)


def both(packed: bytes, other: bytes, steps: int) -> bytes:
    """Join what two memories know of the same steps.

    Examples
    --------
    >>> early, late = (advanced(b"", [True], at) for at in (10, 20))
    >>> ends(both(early, late, 1), 1)
    ((10, 10), (20, 20))

    """
    return _packed([_latest((*ends(packed, step), *ends(other, step))) for step in range(1, steps + 1)])


def _packed(known: Sequence[tuple[Run, ...]]) -> bytes:
    flat = [number for runs in known for number in (*sum(runs, ()), *([0] * (2 * (_KEPT - len(runs)))))]
    return _FORMS[len(known)].pack(*flat) if any(flat) else b""


def _latest(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Keep the latest starts, each with its earliest end; one that ends later and started no later is of no use."""
    useful: list[Run] = []
    for start, end in sorted(runs, key=lambda run: (run[1], -run[0])):
        if not useful or start > useful[-1][0]:
            useful.append((start, end))
    return tuple(useful[-_KEPT:])


@dataclass(frozen=True, slots=True)
class Chain:
    """How far a customer has come in some steps; how long they may take is asked when a rule looks."""

    selectors: tuple[Selector, ...]

    @property
    def key(self) -> str:
        """The name of the steps in their order."""
        return memory_id(" ".join(("steps", *(step.key for step in self.selectors))))

    @property
    def capacity(self) -> int:
        """One: there is no more or less of it."""
        return 1

    @property
    def most_bytes(self) -> int:
        """Sixteen bytes a step."""
        return _FORMS[len(self.selectors)].size

    def fold(self, packed: bytes, event: Event) -> bytes:
        """Take the event as whichever of the steps it is."""
        return advanced(packed, [step.meets(event) for step in self.selectors], event.at // 1000)

    def merged(self, packed: bytes, other: bytes) -> bytes:
        """Keep the latest runs of both: each of them happened."""
        return both(packed, other, len(self.selectors))

    def joined(self, other: "Chain") -> "Chain":
        """Give either: they are the same."""
        return self
