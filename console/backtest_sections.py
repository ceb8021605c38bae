"""The parts of a backtest's report on rules: the funnel with every reason, the rules, and where they meet."""

from collections.abc import Mapping

from console.backtest_figures import WON, Figures, RuleFigures
from console.backtest_report import Cell, Section, Table, cut, money, share
from console.backtest_words import SAID, fate
from kairos.decisions import Reason
from rules.saying import Language

__all__ = ["funnel", "in_order", "overlap", "rules"]

_ORDER = [*Reason]
_MOST = 100


def in_order(fates: Mapping[str, int]) -> list[str]:
    """Give what became of matches in the order of the gates, what was sent last.

    Examples
    --------
    >>> in_order({"won": 2, "gap": 1, "stale": 4})
    ['stale', 'gap', 'won']

    """
    return sorted(fates, key=lambda name: len(_ORDER) if name == WON else _ORDER.index(Reason(name)))


def funnel(figures: Figures, language: Language) -> Section:
    """Tell from how many matches how many messages were left, and why the others were not."""
    words, fates = SAID[language], figures.fates
    matched = fates.total()
    named = [(fate(name, language), fates[name]) for name in in_order(fates)]
    said = words["funnel said" if matched else "funnel nothing"].format(
        customers=f"{len({c for rule in figures.rules.values() for c in rule.customers}):,}",
        matched=f"{matched:,}",
        offered=f"{figures.offered:,}",
        reached=f"{len(figures.reached):,}",
    )
    rows = tuple((name, count, share(count, matched)) for name, count in named)
    table = Table((words["became"], words["matches"], words["share"]), rows, bar=1)
    return Section("funnel", words["funnel"], (said,), (), (table,))


def rules(figures: Figures, names: Mapping[str, str], language: Language) -> Section:
    """Tell what became of each rule; one that never matched is listed, too."""
    words = SAID[language]
    found = {name: figures.rules.get(name, RuleFigures()) for name in names} | figures.rules
    ordered = sorted(found.items(), key=lambda pair: (-pair[1].fates[WON], -pair[1].matched, pair[0]))
    rows, note = cut([_rule(*one, names, language) for one in ordered], _MOST, words["left out"])
    columns = ("rule", "name", "matches", "customers", "messages", "reached", "control", "face", "why not")
    fates, more = cut(
        [(rule, fate(name, language), one.fates[name]) for rule, one in ordered for name in in_order(one.fates)],
        10 * _MOST,
        words["left out"],
    )
    reasons = Table((words["rule"], words["became"], words["matches"]), fates, more, folded=words["every reason"])
    return Section("rules", words["rules"], (), (), (Table(tuple(words[c] for c in columns), rows, note), reasons))


def _rule(rule: str, found: RuleFigures, names: Mapping[str, str], language: Language) -> tuple[Cell, ...]:
    against = {name: count for name, count in found.fates.items() if name not in (WON, Reason.CONTROL.value)}
    most = max(against, key=lambda name: (against[name], name), default="")
    return (
        rule,
        names.get(rule, ""),
        found.matched,
        len(found.customers),
        found.fates[WON],
        len(found.reached),
        found.fates[Reason.CONTROL.value],
        ", ".join(money(minor, currency) for currency, minor in sorted(found.minor.items())) or "\N{EN DASH}",
        f"{fate(most, language)} ({against[most]:,})" if most else "\N{EN DASH}",
    )


def overlap(figures: Figures, language: Language) -> Section:
    """Tell which rules matched together, and which of them went first."""
    words = SAID[language]
    ordered = sorted(figures.pairs.items(), key=lambda pair: (-pair[1].together, pair[0]))
    found: list[tuple[Cell, ...]] = [(*ids, p.together, p.first, p.second, p.neither) for ids, p in ordered]
    rows, note = cut(found, _MOST, words["left out"])
    if not rows:
        return Section("overlap", words["overlap"], (words["no overlap"],))
    columns = ("first rule", "second rule", "together", "a first", "b first", "gate")
    table = Table(tuple(words[column] for column in columns), rows, note)
    return Section("overlap", words["overlap"], (words["overlap said"],), (), (table,))
