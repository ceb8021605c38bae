"""The part of a backtest's report on experiments: each rule by arm and by form of its offer."""

from collections.abc import Iterator

from console.backtest_figures import WON, Figures, RuleFigures
from console.backtest_report import Cell, Section, Table, cut
from console.backtest_words import SAID
from kairos.decisions import Arm
from rules.saying import Language

__all__ = ["arms"]

_MOST = 300


def arms(figures: Figures, language: Language) -> Section:
    """Tell, of each rule with a control group or several forms, what became of each arm and form."""
    words = SAID[language]
    tested = {name: rule for name, rule in sorted(figures.rules.items()) if rule.arms.keys() - {(Arm.TREATMENT, "")}}
    if not tested:
        return Section("arms", words["arms"], (words["no arms"],))
    found = [row for name, rule in tested.items() for row in _rows(name, rule, language)]
    rows, note = cut(found, _MOST, words["left out"])
    columns = ("rule", "arm", "form", "matches", "customers", "through", "messages")
    table = Table(tuple(words[column] for column in columns), rows, note)
    return Section("arms", words["arms"], (words["arms said"],), (), (table,))


def _rows(name: str, rule: RuleFigures, language: Language) -> Iterator[tuple[Cell, ...]]:
    words = SAID[language]
    for (arm, form), one in sorted(rule.arms.items(), key=lambda pair: (pair[0][0] == Arm.CONTROL, pair[0][1])):
        said = words["control arm" if arm == Arm.CONTROL else "treatment"]
        dash = "\N{EN DASH}"
        yield name, said, form or dash, one.fates.total(), len(one.customers), one.through, one.fates[WON]
