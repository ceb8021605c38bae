"""Selectors: which events a rule speaks of, and the name under which a customer remembers them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kairos.ids import content_hash
from rules.asked import Test, Words, written
from rules.fields import CATEGORY, EventName
from rules.rings import KEPT
from rules.schema import Rule, Watched

__all__ = ["Selector", "capacities", "looked_back_on", "trigger", "watched"]


@dataclass(frozen=True, slots=True)
class Selector:
    """Events of one type that meet all conditions.

    `key` names what a customer remembers of them. It follows from the content alone, so rules that count the
    same events share it, and it outlives a change of threshold.
    """

    event: EventName
    where: Mapping[str, Test] = field(hash=False)
    key: str

    @property
    def categories(self) -> tuple[str, ...] | None:
        """The categories it asks for, if it names them: what it is indexed by."""
        test = self.where.get(CATEGORY.get(self.event, ""))
        return test.any_of if isinstance(test, Words) else None


def _selector(event: EventName, where: Mapping[str, Test]) -> Selector:
    said = {name: written(test) for name, test in where.items()}
    text = json.dumps([event, said], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Selector(event, where, content_hash(text.encode())[:12])


def trigger(rule: Rule) -> Selector:
    """Give the events that make a rule look at a customer."""
    return _selector(rule.on.event, rule.on.where)


def watched(rule: Rule, clause: Watched) -> Selector:
    """Give the events that a condition of the rule looks back on."""
    return trigger(rule) if clause.event is None else _selector(clause.event, clause.where)


def looked_back_on(rule: Rule) -> Iterator[tuple[Selector, int]]:
    """Give the selectors a rule needs remembered, and how many of the newest instants at least."""
    for clause in rule.when.all:
        if clause.count is not None:
            yield watched(rule, clause.count), clause.count.at_least
        if clause.last_seen is not None:
            yield watched(rule, clause.last_seen), 1


def capacities(rules: Iterable[Rule]) -> dict[str, tuple[Selector, int]]:
    """Give every selector to be remembered once, by its key, with the number of instants kept for it.

    A draft's selectors are among them: its windows fill, so that it starts warm.
    """
    kept: dict[str, tuple[Selector, int]] = {}
    for rule in rules:
        for selector, needed in looked_back_on(rule):
            _, so_far = kept.get(selector.key, (selector, KEPT))
            kept[selector.key] = selector, max(so_far, needed)
    return kept
