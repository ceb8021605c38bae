"""When a delivered offer becomes a training example: the joining of offers with what came of them.

Only a delivered offer teaches anything. How long it waits for a reaction is the objective's choice:

- A triggered offer waits for the 50 to 80 % quantile of the usual delay, and a later conversion is a correction.
- A list campaign holds everything until the window ends (`hold`): its burst would otherwise teach
  thousands of negatives before the first positive.

A long wait without `hold` is the trap: positives at once, negatives much later, so everything new looks too
good. In the simulated streams of `tests/test_ftrl.py` it ends 1.8 to 3 times as far from the truth as a short wait
with corrections.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

__all__ = ["Happening", "Label", "Labelling", "Phase", "advance"]


class Phase(IntEnum):
    """Where an offer stands; stored as one small integer, so the numbers are a contract."""

    SENT = 0  # No sign of delivery yet: it teaches nothing.
    WAITING = 1  # Delivered. The caller has set a timer for the end of the wait.
    NEGATIVE = 2  # The wait is over; a negative was given out and can still be corrected.
    POSITIVE = 3  # A positive was given out: the end.
    HELD = 4  # The customer reacted, and the positive is held until the wait is over.


class Happening(StrEnum):
    """What can happen to an offer, as far as learning is concerned."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    REDEEMED = "redeemed"
    CONVERTED = "converted"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Labelling:
    """How one objective reads what happens.

    Parameters
    ----------
    counts
        The happenings that count as reaction, among opened, clicked, redeemed and converted.
    hold
        Whether a positive, too, waits until the wait is over.

    Raises
    ------
    ValueError
        If `counts` names the delivery or the timer: a mistake in the objective's definition.

    """

    counts: frozenset[Happening] = frozenset({Happening.REDEEMED, Happening.CONVERTED})
    hold: bool = False

    def __post_init__(self) -> None:
        if not self.counts.isdisjoint((Happening.DELIVERED, Happening.DUE)):
            raise ValueError("delivery and the timer are no reactions")


@dataclass(frozen=True, slots=True)
class Label:
    """The answer to an offer, to be joined with the features kept from its decision.

    Parameters
    ----------
    positive
        Whether the customer reacted.
    corrects
        A negative for this offer was learned before: the learner takes it back (`unlearn_one`) first.
    at_ms
        When this became known, in milliseconds since 1970 UTC.

    """

    positive: bool
    corrects: bool
    at_ms: int


_USUAL = Labelling()


def advance(
    phase: Phase, happening: Happening, now_ms: int, labelling: Labelling = _USUAL
) -> tuple[Phase, Label | None]:
    """Take one happening of one offer into account.

    In whatever order things happen, and however often, an offer gives at most one negative and at most one
    positive, and a positive after the negative says that it corrects it. Whoever opens, clicks, redeems or
    converts has received the offer, so a lost or late receipt loses no example.

    When the phase goes from `SENT` to `WAITING` or `HELD`, the caller sets the timer whose end is the
    happening `DUE`. A reaction that comes before the timer has fired is in time, even if the wait should be
    over. The caller keeps the phase as long as a reaction may still be credited to the offer; forgotten,
    it must not start anew.

    Parameters
    ----------
    phase
        Where the offer stands, `Phase.SENT` at first; `Phase(2)` reads a stored number.
    happening
        What happened. The order of arrival counts, not the time at the source.
    now_ms
        Goes into the label.
    labelling
        How the objective reads it.

    Examples
    --------
    >>> phase, label = advance(Phase.SENT, Happening.DELIVERED, now_ms=0)
    >>> phase, label = advance(phase, Happening.DUE, now_ms=3_600_000)
    >>> label
    Label(positive=False, corrects=False, at_ms=3600000)
    >>> phase, label = advance(phase, Happening.REDEEMED, now_ms=7_200_000)
    >>> label
    Label(positive=True, corrects=True, at_ms=7200000)

    """
    if happening is Happening.DUE:
        return _due(phase, now_ms)
    reacted = happening in labelling.counts
    match phase:
        case Phase.NEGATIVE if reacted:
            return Phase.POSITIVE, Label(True, True, now_ms)
        case Phase.SENT | Phase.WAITING if reacted and labelling.hold:
            return Phase.HELD, None
        case Phase.SENT | Phase.WAITING if reacted:
            return Phase.POSITIVE, Label(True, False, now_ms)
        case Phase.SENT:
            # Delivered, or something that only a delivered offer can bring about.
            return Phase.WAITING, None
        case _:
            return phase, None


def _due(phase: Phase, now_ms: int) -> tuple[Phase, Label | None]:
    match phase:
        case Phase.WAITING:
            return Phase.NEGATIVE, Label(False, False, now_ms)
        case Phase.HELD:
            return Phase.POSITIVE, Label(True, False, now_ms)
        case _:
            return phase, None
