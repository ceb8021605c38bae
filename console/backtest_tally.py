"""Tallying: the records that a backtest's stages wrote become its figures, one record after the other."""

from array import array
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from console.backtest_figures import WON, ArmFigures, Figures, Pair, PoolFigures, RuleFigures, Sent, pairs
from console.backtest_rows import DecisionRow, VerdictRow, command, decision, feedback, offer
from kairos.decisions import MADE, SHARED, Reason
from kairos.instants import Millis, from_rfc3339
from kairos.offers import CouponPool
from kairos.ports import Output, Record
from kairos.wire import AHEAD
from rules.findings import clock
from streams.abreast import time_of
from streams.backtest_log import REFUSED, TOPICS, Arrays
from streams.topics import DEAD_LETTERS, DECISIONS, FEEDBACK, LEDGER_COMMANDS, OFFERS
from streams.withdrawals import WITHDRAWN

__all__ = ["Tally"]

_OFFERS = frozenset(OFFERS.values())


class Tally:
    """Counts while a backtest runs.

    Parameters
    ----------
    zone
        In which days and hours are told: the policy's.
    pools
        As the backtest has them.

    """

    def __init__(self, zone: str, pools: Iterable[CouponPool]) -> None:
        self.figures = Figures(zone)
        self._answers: Counter[str] = Counter()
        self._offers: set[str] = set()
        self._decided_at = array("q")
        self._taken: dict[str, tuple[str, int]] = {}
        for pool in pools:
            self.figures.pools[pool.pool] = PoolFigures(
                pool.count, pool.budget, pool.value, pool.currency, pool.merchant, pool.programme
            )

    def hear(self, record: Record) -> Record:
        """Count a record of the log."""
        figures = self.figures
        figures.records += 1
        figures.events[record.topic] += 1
        told = time_of(record.headers) or 0
        # The replay's clock does not believe a time long after the event's arrival, either.
        if told <= record.at + AHEAD:
            figures.first, figures.last = figures.first or told, max(figures.last, told)
        return self.answered(record)

    def told(self, arrays: Arrays) -> None:
        """Count the records of a log that was put into arrays, where not all of them are read."""
        figures, clock = self.figures, arrays["log/clock"]
        figures.records = len(clock)
        if len(clock):
            figures.first, figures.last = int(clock[clock > 0][:1].sum()), int(clock[-1])
        counts = np.bincount(arrays["log/topic"], minlength=len(TOPICS)).tolist()
        figures.events.update({name: count for name, count in zip(TOPICS, counts, strict=True) if count})
        figures.dead = int((arrays["log/at"] == REFUSED).sum())

    def answered(self, record: Record) -> Record:
        """Note what a record answers, if it is feedback."""
        if record.topic == FEEDBACK:
            self._answers[_answered(record.value or b"")] += 1
        return record

    def take(self, output: Output) -> None:
        """Count a record that a stage wrote."""
        if output.topic == DECISIONS:
            if MADE in output.headers:
                self._decided(decision(output.value or b""))
        elif output.topic in _OFFERS and dict(output.headers).get("ce_type") != WITHDRAWN.encode():
            self._offered(output.value or b"")
        elif output.topic == LEDGER_COMMANDS:
            self._commanded(output.value or b"")
        elif output.topic == DEAD_LETTERS:
            self.figures.dead += 1

    def finish(self) -> Figures:
        """Give the figures, once all is counted."""
        figures = self.figures
        figures.answered = sum(count for name, count in self._answers.items() if name in self._offers)
        figures.later = sum(at > figures.last for at in self._decided_at)
        return figures

    def _decided(self, row: DecisionRow) -> None:
        figures, at = self.figures, from_rfc3339(row.decided_at)
        for verdict in row.verdicts:
            self._refused(verdict, at)
        if row.test:
            figures.testers += 1
            return
        figures.states[row.state] += 1
        figures.waited += row.deferred_at is not None
        self._decided_at.append(at)
        for verdict in row.verdicts:
            self._judged(row.customer, verdict)
        for names, first in pairs(row.verdicts) if len(row.verdicts) > 1 else ():
            pair = figures.pairs.setdefault(names, Pair())
            pair.first, pair.second = pair.first + (first == 0), pair.second + (first == 1)
            pair.neither += first == -1
        if row.state != "suppressed":
            self._sent(row, at)

    def _judged(self, customer: str, verdict: VerdictRow) -> None:
        rule = self.figures.rules.setdefault(verdict.rule, RuleFigures())
        rule.fates[verdict.verdict] += 1
        rule.customers.add(customer)
        arm = rule.arms.setdefault((verdict.arm, verdict.treatment or ""), ArmFigures())
        arm.fates[verdict.verdict] += 1
        arm.customers.add(customer)
        if verdict.verdict == WON:
            rule.reached.add(customer)

    def _sent(self, row: DecisionRow, at: Millis) -> None:
        figures, is_control = self.figures, row.state == "withheld"
        won = next(v.rule for v in row.verdicts if v.verdict == (Reason.CONTROL.value if is_control else WON))
        figures.sent[row.customer, row.cause] = Sent(won, row.channel or "", is_control)
        if not is_control:
            figures.reached[row.customer] += 1
            local = _clock(at, figures.zone)
            figures.volume[local[:10], int(local[11:13]), row.channel or ""] += 1

    def _refused(self, verdict: VerdictRow, at: Millis) -> None:
        pool = self.figures.pools.get(verdict.pool or "")
        if pool is not None and verdict.verdict in SHARED:
            pool.refused += 1
            pool.first_refused = at if pool.first_refused is None else pool.first_refused

    def _offered(self, value: bytes) -> None:
        row = offer(value)
        self._offers.add(row.decision)
        if row.coupon is None:
            return
        pool = self.figures.pools[row.coupon.pool]
        self._taken[row.decision] = row.coupon.pool, row.coupon.value
        self._hold(pool, 1, row.coupon.value, from_rfc3339(row.decided_at))
        if not row.test:
            self.figures.rules.setdefault(row.rule, RuleFigures()).minor[pool.currency] += row.coupon.value

    def _commanded(self, value: bytes) -> None:
        row = command(value)
        if row.kind == "release" and (taken := self._taken.pop(row.id, None)) is not None:
            self._hold(self.figures.pools[taken[0]], -1, -taken[1], from_rfc3339(row.at))

    def _hold(self, pool: PoolFigures, count: int, minor: int, at: Millis) -> None:
        pool.held += count
        pool.minor += minor
        pool.days[_clock(at, self.figures.zone)[:10]] = pool.held, pool.minor


def _answered(value: bytes) -> str:
    found = feedback(value)
    return "" if found is None else found.decision or ""


@lru_cache(maxsize=4_096)
def _clock(at: Millis, zone: str) -> str:
    return clock(at, zone)
