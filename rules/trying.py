"""Trying: whom a rule would have met in a recorded log, by columns where they can tell and by a replay where not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kairos.instants import DAY, Millis
from rules.absences import Pending, arm, came, name_of, over, pending
from rules.book import Book
from rules.columns import Columns
from rules.estimate import NotInColumns, estimate
from rules.findings import clock
from rules.firings import fired
from rules.judged import Seen
from rules.lives import Forgotten, Happening, lived
from rules.schema import Rule, Status

__all__ = ["Tried", "by_period", "tried"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a rule.

    Parameters
    ----------
    triggers
        How many events were of its kind.
    matched
        How many of them met every clause.
    fired
        Customer and time of each match that the cooldown leaves.
    replayed
        The kind of condition for which columns were not enough; empty where they were.

    """

    triggers: int
    matched: int
    fired: tuple[tuple[str, Millis], ...]
    replayed: str = ""

    @property
    def customers(self) -> frozenset[str]:
        """Everybody for whom it fired."""
        return frozenset(customer for customer, _ in self.fired)


def tried(rule: Rule, columns: Columns, again: Callable[[], Iterable[Happening]]) -> Tried:
    """Try a rule as if it were active and valid all the time; no gate is asked but its cooldown.

    Parameters
    ----------
    rule
        The rule.
    columns
        The log.
    again
        Reads the same log from its beginning; called only where the columns cannot tell.

    """
    try:
        found = estimate(rule, columns)
    except NotInColumns as missing:
        return _replayed(rule, again(), str(missing))
    keys = columns.keys(found.customers.tolist())
    return Tried(found.triggers, found.matched, tuple(zip(keys, found.at.tolist(), strict=True)))


def _replayed(rule: Rule, happenings: Iterable[Happening], missing: str) -> Tried:
    trying = _Trying(rule.model_copy(update={"status": Status.ACTIVE}))
    for seen in lived(trying.book, trying.told(happenings)):
        trying.hear(seen)
    trying.end()
    return Tried(trying.triggers, trying.matched, tuple(trying.fired), missing)


class _Trying:
    """A rule under way through a log, with its cooldown and with what it waits for."""

    def __init__(self, rule: Rule) -> None:
        self.book, self._rule, self._selector = Book.of((rule,)), rule, rule.on.selector
        self.triggers = self.matched = 0
        self.fired: list[tuple[str, Millis]] = []
        self._rests: dict[str, tuple[Millis, int]] = {}
        self._waiting: dict[str, Seen] = {}
        self._last: Millis = 0

    def told(self, happenings: Iterable[Happening]) -> Iterator[Happening]:
        """Pass on what is told; who is forgotten waits for nothing more, and comes back as somebody new."""
        for happening in happenings:
            if isinstance(happening, Forgotten):
                if (seen := self._waiting.pop(happening.customer, None)) is not None:
                    self._wait(seen, self._last)
                self._rests.pop(happening.customer, None)
            yield happening

    def hear(self, seen: Seen) -> None:
        """Let something happen, and before it what was due before it."""
        event, absent = seen.event, self._rule.absent
        self._last = max(self._last, event.at)
        self.triggers += self._selector.meets(event)
        if absent is None:
            if self.book.match(event, seen.customer, seen.standing):
                self._fire(seen, event.at)
            return
        self._wait(seen, event.at - 1)
        for name, values in self.book.ends(event):
            came(seen.customer, name_of(name, values), event.at)
        if self.book.match(event, seen.customer, seen.standing) and (found := absent.values(event)) is not None:
            wanted = Pending(name_of(self._rule.id, found), event.at, absent.deadline(event.at))
            arm(seen.customer, wanted, restart=absent.rearm == "restart")
        if seen.customer.pending:
            self._waiting[event.customer] = seen

    def end(self) -> None:
        """Let time pass to the log's last event; what is due later stays open."""
        for seen in self._waiting.values():
            self._wait(seen, self._last)

    def _wait(self, seen: Seen, until: Millis) -> None:
        for one in sorted(pending(seen.customer), key=lambda one: one.due):
            if one.due <= until:
                over(seen.customer, one)
                # Who the customer is counts when the time is over, not when it began.
                if self._rule.who.judged(seen, self._rule.scope()).holds is True:
                    self._fire(seen, one.due)

    def _fire(self, seen: Seen, at: Millis) -> None:
        self.matched += 1
        name, limits = seen.event.customer, self._rule.limits
        until, times = self._rests.get(name, (at, 0))
        if at < until or (limits.per_customer is not None and times >= limits.per_customer):
            return
        self._rests[name] = at + limits.cooldown, times + 1
        if self._rule.consume:
            fired(seen.customer, self._rule.id, at, at)
        self.fired.append((name, at))


def by_period(
    fired: Iterable[tuple[str, Millis]], first: Millis, last: Millis, zone: str
) -> list[tuple[str, int, int]]:
    """Count firings and customers for each day, or for each month where the log is longer than one.

    Examples
    --------
    >>> noon = 1796097600000
    >>> by_period([("a", noon), ("a", noon + 9000), ("b", noon + DAY)], noon, noon + 2 * DAY, "UTC")
    [('2026-12-01', 2, 1), ('2026-12-02', 1, 1)]

    """
    letters = 10 if last - first <= 31 * DAY else 7
    firings: Counter[str] = Counter()
    customers: dict[str, set[str]] = {}
    for customer, at in fired:
        period = clock(at, zone)[:letters]
        firings[period] += 1
        customers.setdefault(period, set()).add(customer)
    return [(period, firings[period], len(customers[period])) for period in sorted(firings)]
