"""Off-policy estimate: what reactions the tried rules would have had, by a live run that explored and logged chances.

It is an estimate and no count. It rests on decisions of which the live run logged with which chance each offer could
have come first, where every offer that the tried rules would make could have been made live; all else is unknown.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from console.backtest_offpolicy_words import SAID
from console.backtest_report import Cell, Section, Table, share
from console.backtest_rows import DecisionRow, VerdictRow, feedback
from kairos.decisions import Arm
from models.offpolicy import Estimate, Logged, ips, snips
from rules.saying import Language

__all__ = ["LEAST", "Draw", "Draws", "Judged", "Reactions", "draw_of", "judged", "section"]

Action = tuple[str | None, ...]
"""Rule, form, channel and pool: what makes an offer the same."""
_KINDS: Final = ("opened", "clicked", "redeemed", "converted")
LEAST: Final = 50
"""With fewer decisions' worth of weight an interval says nothing."""
_FEWEST: Final = 5
"""With fewer reactions that count, too."""


class Draw(NamedTuple):
    """Which offer was put first at one event, and with which chance each could have been; none where none was drawn."""

    decision: str
    first: Action
    chances: Mapping[Action, float]

    @property
    def wanted(self) -> Mapping[Action, float]:
        """Give the chances of a way of choosing that may not draw at all."""
        return self.chances or {self.first: 1.0}


def draw_of(decision: DecisionRow) -> Draw | None:
    """Give what a decision put first; None where nothing was open, for testers, and where an arm decides.

    Where one of the offers that could come first would have been withheld, the whole decision is left out, whichever
    was drawn: left out by what was drawn, the others would count for too much.

    Examples
    --------
    >>> from console.backtest_rows import EventRow
    >>> cafe = VerdictRow("cafe", "won", "sms", rank=1, chance=0.8)
    >>> tea = VerdictRow("tea", "outranked", rank=2, chance=0.2)
    >>> event = EventRow("e1", "login", "2026-12-01T12:00:00Z")
    >>> draw_of(DecisionRow("d1", "c1", event, event.at, "offered", [cafe, tea])).chances
    {('cafe', None, 'sms', None): 0.8, ('tea', None, None, None): 0.2}
    >>> cafe.arm = "control"
    >>> draw_of(DecisionRow("d1", "c1", event, event.at, "withheld", [cafe])) is None
    True

    """
    first = next((one for one in decision.verdicts if one.rank == 1), None)
    chances = {_action(one): one.chance for one in decision.verdicts if one.chance is not None}
    arms = (one.arm for one in decision.verdicts if one is first or one.chance is not None)
    if first is None or decision.test or Arm.CONTROL in arms:
        return None
    return Draw(decision.id, _action(first), chances)


def _action(verdict: VerdictRow) -> Action:
    return verdict.rule, verdict.treatment, verdict.channel, verdict.pool


class Draws:
    """What one run put first, by customer and cause; of what is decided twice the first is meant."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Draw] = {}

    def take(self, decision: DecisionRow) -> None:
        """Hear a decision."""
        if (draw := draw_of(decision)) is not None:
            self.of.setdefault((decision.customer, decision.cause), draw)


class Reactions:
    """The reactions that were recorded: which decisions had one, by its kind; and which of them a program made up."""

    def __init__(self) -> None:
        self.of = defaultdict[str, set[str]](set)
        self.made_up = set[tuple[str, str]]()

    def take(self, value: bytes | None) -> None:
        """Hear a record of feedback."""
        found = feedback(value)
        if found is not None and found.decision is not None and found.what in _KINDS:
            self.of[found.what].add(found.decision)
            if found.simulated:
                self.made_up.add((found.what, found.decision))

    def add(self, others: "Reactions") -> None:
        """Take over others: one that is in both is one."""
        for kind, decisions in others.of.items():
            self.of[kind] |= decisions
        self.made_up |= others.made_up


@dataclass(slots=True)
class Judged:
    """What the estimate rests on.

    Parameters
    ----------
    decisions
        Live decisions that put an offer first, whichever arm was not in the way.
    silent
        Of these: the tried rules would put none first.
    unlogged
        No chance was logged, for nothing was drawn.
    unsupported
        The tried rules would make an offer that live could not have made.
    rows
        The others: the decision, the chance of what was put first, and its chance by the tried rules.

    """

    decisions: int = 0
    silent: int = 0
    unlogged: int = 0
    unsupported: int = 0
    rows: list[tuple[str, float, float]] = field(default_factory=list)


def judged(live: Mapping[tuple[str, str], Draw], tried: Mapping[tuple[str, str], Draw]) -> Judged:
    """Hold what the tried rules put first beside what live drew, by customer and cause."""
    found = Judged()
    for key, draw in live.items():
        found.decisions += 1
        new, chance = tried.get(key), draw.chances.get(draw.first)
        if new is None:
            found.silent += 1
        elif chance is None:
            found.unlogged += 1
        elif any(action not in draw.chances for action, wanted in new.wanted.items() if wanted):
            found.unsupported += 1
        else:
            found.rows.append((draw.decision, chance, new.wanted.get(draw.first, 0.0)))
    return found


def section(found: Judged, reactions: Reactions, language: Language) -> Section:
    """Tell the estimates, or why there are none."""
    words = SAID[language]
    counts = {name: len(getattr(found, name)) if name == "rows" else getattr(found, name) for name in _COUNTS}
    rows = tuple((words[name], count, share(count, found.decisions)) for name, count in counts.items())
    tables = [Table((words["what"], words["live decisions"], words["share"]), rows)]
    said = [words["said"]]
    if not found.rows:
        said.append(words["no overlap" if found.unsupported else "no chances" if found.unlogged else "no offers"])
    elif not any(reactions.of.values()):
        said.append(words["no reactions"])
    else:
        estimates = [
            row for kind in _KINDS if reactions.of[kind] for row in _estimates(kind, found, reactions, language)
        ]
        columns = ("reaction", "method", "estimate", "interval", "effective", "live rate")
        tables.append(Table(tuple(words[name] for name in columns), tuple(estimates)))
        said.append(words["how"])
    if reactions.made_up:
        said.append(words["simulated"].format(count=f"{len(reactions.made_up):,}"))
    return Section("offpolicy", words["title"], tuple(said), (), tuple(tables))


_COUNTS = ("decisions", "silent", "unlogged", "unsupported", "rows")


def _estimates(kind: str, found: Judged, reactions: Reactions, language: Language) -> Iterator[tuple[Cell, ...]]:
    words, had = SAID[language], reactions.of[kind]
    logged = [Logged(float(name in had), chance, wanted) for name, chance, wanted in found.rows]
    rate = sum(row.reward for row in logged) / len(logged)
    counted = sum(1 for row in logged if row.reward and row.wanted)
    for name, method in (("ips", ips), ("snips", snips)):
        estimate = method(logged) if any(row.wanted for row in logged) else None
        effective = 0.0 if estimate is None else estimate.effective
        live = f"{rate:.2%}"
        if estimate is None or effective < LEAST:
            yield words[kind], words[name], words["unknown thin"], "\N{EN DASH}", f"{effective:,.0f}", live
        elif counted < _FEWEST:
            yield words[kind], words[name], words["unknown few"], "\N{EN DASH}", f"{effective:,.0f}", live
        else:
            yield words[kind], words[name], f"{estimate.value:.2%}", _interval(estimate), f"{effective:,.0f}", live


def _interval(estimate: Estimate) -> str:
    # A share lies between nothing and all, whatever a normal distribution says.
    return f"{max(0.0, estimate.low):.2%} \N{EN DASH} {min(1.0, estimate.high):.2%}"
