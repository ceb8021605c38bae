"""The part of a backtest's report that compares: what another folder of rules would change, customer by customer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from console.backtest_figures import WON, Figures, RuleFigures, Sent
from console.backtest_report import Cell, Section, Table
from console.backtest_sections import in_order
from console.backtest_words import SAID, fate
from rules.saying import Language

__all__ = ["Difference", "compared", "difference"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes between two runs over one log.

    Parameters
    ----------
    same, other, gained, lost
        Messages: the same one, another rule or channel at the same event, only after, only before.
    reached, left
        Customers who get messages only after, and only before.

    """

    same: int
    other: int
    gained: int
    lost: int
    reached: int
    left: int

    @property
    def is_nothing(self) -> bool:
        """Whether every message is the same."""
        return not (self.other or self.gained or self.lost)


def difference(before: Figures, after: Figures) -> Difference:
    """Compare what would have gone out, by customer and event; the control group gets no message in either run."""
    old, new = _messages(before), _messages(after)
    both = old.keys() & new.keys()
    same = sum(old[key] == new[key] for key in both)
    gone, come = before.reached.keys(), after.reached.keys()
    return Difference(
        same=same,
        other=len(both) - same,
        gained=len(new) - len(both),
        lost=len(old) - len(both),
        reached=len(come - gone),
        left=len(gone - come),
    )


def _messages(figures: Figures) -> Mapping[tuple[str, str], Sent]:
    return {key: sent for key, sent in figures.sent.items() if not sent.is_control}


def compared(before: Figures, after: Figures, folders: tuple[str, str], language: Language) -> Section:
    """Tell what changes."""
    words, found = SAID[language], difference(before, after)
    said = [words["compare said"].format(before=folders[0], after=folders[1])]
    said += [words["same folders"]] if found.is_nothing else []
    counts = {
        "same": found.same,
        "other": found.other,
        "gained": found.gained,
        "lost": found.lost,
        "customers gained": found.reached,
        "customers lost": found.left,
    }
    changes = Table((words["what"], words["change"]), tuple((words[name], count) for name, count in counts.items()))
    return Section("compare", words["compare"], tuple(said), (), (changes, *_both(before, after, language)))


def _both(before: Figures, after: Figures, language: Language) -> tuple[Table, ...]:
    words = SAID[language]
    heads = tuple(words[name] for name in ("before", "after", "change"))
    fates = before.fates, after.fates
    reasons = [_row(fate(name, language), fates[0][name], fates[1][name]) for name in in_order(fates[0] | fates[1])]
    nothing = RuleFigures()
    names = sorted(before.rules.keys() | after.rules.keys())
    rules = [_row(name, *(one.rules.get(name, nothing).fates[WON] for one in (before, after))) for name in names]
    held = [Counter({name: pool.held for name, pool in one.pools.items()}) for one in (before, after)]
    pools = [_row(name, held[0][name], held[1][name]) for name in sorted(held[0].keys() | held[1].keys())]
    return (
        Table((words["became"], *heads), tuple(reasons)),
        Table((f"{words['rule']}: {words['messages']}", *heads), tuple(rules)),
        Table((f"{words['pool']}: {words['given']}", *heads), tuple(pools)),
    )


def _row(name: str, before: int, after: int) -> tuple[Cell, ...]:
    return name, before, after, f"{after - before:+,}" if after != before else "0"
