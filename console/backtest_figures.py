"""The figures of a backtest: what is counted, in whole numbers and minor units; nothing here rounds or estimates."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from console.backtest_rows import VerdictRow
from kairos.decisions import Reason
from kairos.instants import Millis

__all__ = ["WON", "ArmFigures", "Figures", "Pair", "PoolFigures", "RuleFigures", "Sent", "pairs"]

WON = "won"
"""The verdict of a candidate whose message would have gone out."""


@dataclass(slots=True)
class ArmFigures:
    """What became of one rule in one arm and form.

    Parameters
    ----------
    fates
        Its matches by what became of them.
    customers
        For whom it matched.

    """

    fates: Counter[str] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)

    @property
    def through(self) -> int:
        """How often every gate but the arm was passed: only this compares between the arms."""
        return self.fates[WON] + self.fates[Reason.CONTROL.value]


@dataclass(slots=True)
class RuleFigures:
    """What became of one rule.

    Parameters
    ----------
    fates
        Its matches by what became of them: `won`, or a reason.
    customers, reached
        For whom it matched, and to whom a message of it would have gone.
    minor
        The face value of its coupons, in minor units, by currency.
    arms
        By arm, and by the form of the offer (a treatment), `""` where the rule has one form.

    """

    fates: Counter[str] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    minor: Counter[str] = field(default_factory=Counter)
    arms: dict[tuple[str, str], ArmFigures] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        """How often it matched."""
        return self.fates.total()


@dataclass(slots=True)
class Pair:
    """Two rules that matched for the same customer at the same event: which of them went first.

    `neither` counts what arbitration did not have to decide: one of them was refused at a gate.
    """

    first: int = 0
    second: int = 0
    neither: int = 0

    @property
    def together(self) -> int:
        """How often both matched."""
        return self.first + self.second + self.neither


@dataclass(slots=True)
class PoolFigures:
    """How a pool burned down.

    Parameters
    ----------
    limit, budget, value, currency
        What may be given out at most: coupons, and their face value; what one is worth; in which currency.
    merchant, programme
        Who pays, and whose budget it is.
    days
        What was held at the end of each day on which something changed: coupons and money.
    refused
        How many wishes it could not fulfil, and when the first of them was.

    """

    limit: int
    budget: int | None
    value: int
    currency: str
    merchant: str
    programme: str
    held: int = 0
    minor: int = 0
    days: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: int = 0
    first_refused: Millis | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one decision that compares: which rule won by which channel, and whether for the control group."""

    rule: str
    channel: str
    is_control: bool


@dataclass(slots=True)
class Figures:
    """All that is counted. Customers who test are counted in `testers` alone; their coupons are gone all the same.

    Parameters
    ----------
    records, events
        How many records the log has, and how many by their topic.
    first, last
        The period of the log.
    zone
        In which `volume` and the pools' days are told.
    states
        Decisions by their state.
    reached
        The customers to whom a message would have gone, each with how many.
    volume
        Messages by day, hour and channel.
    rules, pools, pairs
        By rule, by pool, and by two rules of one event in the order of their ids.
    waited, later
        Decisions that waited for the end of quiet hours; those that were made after the log's last event.
    answered
        Receipts and reactions in the log that belong to offers of this run.
    dead
        Records that the door refused.
    sent
        By customer and cause: what would have gone out.

    """

    zone: str
    records: int = 0
    events: Counter[str] = field(default_factory=Counter)
    first: Millis = 0
    last: Millis = 0
    states: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    volume: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    rules: dict[str, RuleFigures] = field(default_factory=dict)
    pools: dict[str, PoolFigures] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    waited: int = 0
    later: int = 0
    answered: int = 0
    dead: int = 0
    testers: int = 0
    sent: dict[tuple[str, str], Sent] = field(default_factory=dict)

    @property
    def fates(self) -> Counter[str]:
        """All matches by what became of them."""
        return sum((rule.fates for rule in self.rules.values()), Counter[str]())

    @property
    def offered(self) -> int:
        """How many messages would have gone out."""
        return self.states["offered"]


_OPEN = frozenset({WON, Reason.CONTROL.value})
_LAST = 1_000_000
"""Behind every place that is told."""


def pairs(verdicts: Iterable[VerdictRow]) -> Iterator[tuple[tuple[str, str], int]]:
    """Give each two rules of a decision by their ids, and which of them went first: 0, 1, or -1 for neither.

    Examples
    --------
    >>> won, after = VerdictRow("b", "won", rank=1), VerdictRow("a", "outranked", rank=2)
    >>> list(pairs([won, after, VerdictRow("c", "cooldown")]))
    [(('a', 'b'), 1), (('a', 'c'), -1), (('b', 'c'), -1)]

    """
    for one, two in combinations(sorted(verdicts, key=lambda verdict: verdict.rule), 2):
        places = _place(one), _place(two)
        lost = places[0] is None or places[1] is None or places[0] == places[1]
        yield (one.rule, two.rule), -1 if lost else int((places[1] or 0) < (places[0] or 0))


def _place(verdict: VerdictRow) -> int | None:
    """Give how far in front a candidate came; None where a gate refused it."""
    if verdict.verdict in _OPEN:
        return 0
    if verdict.rank is not None:
        return verdict.rank
    # It came through the gates, and another programme won.
    return _LAST if verdict.verdict == Reason.OUTRANKED else None
