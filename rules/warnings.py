"""Warnings: rules that are well written and still do nothing, or nothing of their own.

Each is sure of what it says. What depends on customers, on scores or on what is remembered already is not said.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kairos.instants import Millis
from kairos.money import Money
from rules.asked import Asked, Compared, Numbers, Words
from rules.conditions.aggregate import Aggregate
from rules.conditions.count import Count
from rules.conditions.distinct import Distinct
from rules.conditions.first import First
from rules.conditions.last_seen import LastSeen
from rules.conditions.past import Past
from rules.conditions.when import When
from rules.fields import options
from rules.persons import Who
from rules.policy import Policy
from rules.schema import Rule, Status
from rules.selectors import Selector
from rules.undelivered import undelivered
from rules.words import length

__all__ = ["Warned", "warned"]

Path = tuple[str | int, ...]
T = TypeVar("T", Who, When)
_MOST_COMPARED = 300
"""How many rules with the same trigger and programme are compared with one another."""
_LOWER, _UPPER = (("at_least", "above"), ("at_most", "below"))


@dataclass(frozen=True, slots=True)
class Warned:
    """What is odd about a rule: its id, where in it, and why."""

    rule: str
    path: Path
    what: str


def warned(rules: Iterable[Rule], policy: Policy, now: Millis | None = None) -> tuple[Warned, ...]:
    """Look for rules that can never fire, never be delivered, or never be the only one.

    Parameters
    ----------
    rules
        The rules of a book.
    policy
        Hours and caps.
    now
        The time they are judged at; without it nothing is said of days that are over.

    """
    found: list[Warned] = []
    ordered = sorted(rules, key=lambda rule: rule.id)
    for rule in ordered:
        parts = (*_contradictions(rule), *undelivered(rule, policy), *(_over(rule, now) if now is not None else ()))
        found += (Warned(rule.id, path, what) for path, what in parts)
    return (*found, *_shadowed(ordered))


Odd = Iterator[tuple[Path, str]]


def _contradictions(rule: Rule) -> Odd:
    for name, test in rule.on.where.items():
        if never := _never([test]):
            yield ("on", "where", name), f"no {rule.on.event} meets this: {never}"
    yield from _persons(rule.who, ("who",))
    yield from _pasts(rule.when, ("when",), rule.on.selector)
    if rule.warm == "replay" and not any(rule.when.features(rule.on.selector)):
        yield ("warm",), "the rule looks back on nothing that could be filled from the past"


def _persons(who: Who, at: Path) -> Odd:
    tags: dict[str, bool] = {}
    asked: dict[str, list[Asked]] = defaultdict(list)
    for path, clause in _conjuncts(who, at):
        # One that never holds beside others is of no use, even where the rule may fire by those.
        for number, part in enumerate(clause.any or ()):
            yield from _persons(part, (*path, "any", number))
        denied = clause.none if clause.none is not None and clause.none.tag is not None else None
        tag = clause.tag if denied is None else denied.tag
        if tag is not None and tags.setdefault(tag, denied is None) != (denied is None):
            yield path, f"the tag {tag!r} is asked for and ruled out; no customer meets both"
        for attribute, test in (clause.attr or {}).items():
            asked[attribute].append(test)
            if never := _never(asked[attribute]):
                yield (*path, "attr", attribute), f"no customer meets this: {never}"


def _conjuncts(tree: T, path: Path) -> Iterator[tuple[Path, T]]:
    """Give the conditions that must all hold, with their places."""
    if tree.all is None:
        yield path, tree
    for number, part in enumerate(tree.all or ()):
        yield from _conjuncts(part, (*path, "all", number))


def _never(tests: Iterable[Asked]) -> str:
    """Say why no value meets all of some tests, or nothing."""
    allowed: set[object] | None = None
    refused: set[object] = set()
    bounds: dict[str, list[tuple[object, bool]]] = {"low": [], "high": []}
    for test in tests:
        if not isinstance(test, Compared) or test.exists is not None:
            continue
        if test.any_of is not None:
            allowed = set(test.any_of) if allowed is None else allowed & set(test.any_of)
        refused |= set(test.none_of or ())
        for names, side in ((_LOWER, "low"), (_UPPER, "high")):
            values = ((getattr(test, name, None), name == names[1]) for name in names)
            bounds[side] += [bound for bound in values if bound[0] is not None]
    if allowed is not None and not allowed:
        return "the lists have nothing in common"
    if allowed is not None and not any(value not in refused and _inside(value, bounds) for value in allowed):
        return "none of the values fits the rest"
    for low, strictly in bounds["low"]:
        for high, below in bounds["high"]:
            if not _comparable(low, high):
                continue
            if low > high or (low == high and (strictly or below)):  # type: ignore[operator]  # numbers or money, of one kind
                begin, end = "above" if strictly else "at least", "below" if below else "at most"
                return f"nothing is {begin} {low} and {end} {high}"
    return ""


def _comparable(one: object, other: object) -> bool:
    return getattr(one, "currency", None) == getattr(other, "currency", None)


def _inside(value: object, bounds: Mapping[str, list[tuple[object, bool]]]) -> bool:
    return all(
        value > bound if strictly else value >= bound  # type: ignore[operator]  # as above
        for bound, strictly in bounds["low"]
        if _comparable(value, bound)
    ) and all(
        value < bound if strictly else value <= bound  # type: ignore[operator]  # as above
        for bound, strictly in bounds["high"]
        if _comparable(value, bound)
    )


def _pasts(when: When, at: Path, on: Selector) -> Odd:
    least: dict[str, list[tuple[Path, Count]]] = defaultdict(list)
    for path, clause in _conjuncts(when, at):
        for number, part in enumerate(clause.any or ()):
            yield from _pasts(part, (*path, "any", number), on)
        if clause.parts is None and (never := _unreachable(clause.leaf, on)):
            yield (*path, clause.kind), never
        if clause.count is not None and clause.count.within is not None:
            least[clause.count.watched(on).key].append(((*path, "count"), clause.count))
    for counts in least.values():
        for _, many in counts:
            for path, few in counts:
                wider = (few.within or 0) >= (many.within or 0)
                if wider and many.at_least and few.at_most is not None and few.at_most < many.at_least:
                    what = f"at most {few.at_most} in {length(few.within or 0)} cannot hold beside at least"
                    yield path, f"{what} {many.at_least} of the same in {length(many.within or 0)}"
    yield from _lasts(when, at, on)
    yield from _amounts(when, at, on)


def _amounts(when: When, at: Path, on: Selector) -> Odd:
    """Look for bounds of one sum, written in two places, that exclude one another."""
    asked: dict[tuple[object, ...], list[Asked]] = defaultdict(list)
    for path, clause in _conjuncts(when, at):
        leaf = None if clause.parts is not None else clause.leaf
        if isinstance(leaf, Aggregate) and not _unreachable(leaf, on):
            same = asked[clause.kind, leaf.watched(on).key, leaf.field, leaf.within, leaf.days, leaf.zone]
            same.append(_bounds(leaf))
            if never := _never(same):
                yield (*path, clause.kind), f"beside the others of the same it never comes to this: {never}"


def _bounds(leaf: Aggregate) -> Asked:
    return Numbers.model_construct(**{name: getattr(leaf, name) for name in (*_LOWER, *_UPPER)})


def _lasts(when: When, at: Path, on: Selector) -> Odd:
    seen: dict[str, list[tuple[Path, LastSeen | First]]] = defaultdict(list)
    for path, clause in _conjuncts(when, at):
        leaf = clause.last_seen or clause.first
        if leaf is not None:
            seen[leaf.watched(on).key].append(((*path, clause.kind), leaf))
    for both in seen.values():
        for _, recent in both:
            for path, old in both:
                if isinstance(recent, LastSeen) and recent.within and (silence := _silence(old, recent.within)):
                    yield path, f"{silence} within {length(recent.within)}"


def _silence(old: LastSeen | First, recent: Millis) -> str:
    """Say that the last event was longer ago than it may be, or nothing."""
    if isinstance(old, First):
        never = old.in_ is None or old.in_ >= recent
        return f"there cannot be none {'ever' if old.in_ is None else 'in ' + length(old.in_)} and one" if never else ""
    never = old.at_least is not None and old.at_least >= recent
    return f"the last one cannot be at least {length(old.at_least or 0)} ago and" if never else ""


def _unreachable(leaf: Past, on: Selector) -> str:
    """Say why a condition alone can never hold, or nothing."""
    if isinstance(leaf, Aggregate):
        if leaf.below in (0, Money(0, getattr(leaf.below, "currency", ""))):
            return "it is never below 0: no amount and no number of seconds is"
        never = _never([_bounds(leaf)])
        return f"it never comes to this: {never}" if never else ""
    if isinstance(leaf, Distinct) and leaf.at_least is not None:
        selector = leaf.watched(on)
        asked = selector.where.get(leaf.field)
        known = (asked.any_of if isinstance(asked, Words) else None) or options(selector.event, leaf.field)
        if 0 < len(known) < leaf.at_least:
            return f"there are no {leaf.at_least} different values: {leaf.field} is one of {', '.join(known)}"
    return ""


def _over(rule: Rule, now: Millis) -> Odd:
    until = rule.valid.until
    if until is None:
        return
    if until <= now:
        yield ("valid", "until"), "the rule has ended; it never fires again"
        return
    if rule.absent is not None and now + rule.absent.for_ >= until:
        yield ("valid", "until"), f"what is waited for now ends in {length(rule.absent.for_)}, after the rule has ended"
    for path, clause in _conjuncts(rule.when, ("when",)):
        wait = clause.last_seen.at_least if clause.last_seen is not None else None
        if wait is not None and rule.warm == "wait" and now + wait >= until:
            what = f"where the events were not remembered before, this is not known for {length(wait)}"
            yield (*path, "last_seen"), f"{what}, and then the rule has ended; warm: accept takes the unknown as never"


def _shadowed(rules: Iterable[Rule]) -> Iterator[Warned]:
    groups: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.status is Status.ACTIVE:
            groups[rule.programme, rule.on.selector.key].append(rule)
    for group in groups.values():
        if 1 < len(group) <= _MOST_COMPARED:
            asked = {rule.id: _asked(rule) for rule in group}
            for rule in group:
                other = next((o for o in group if _covers(o, rule) and _is_wider(asked, o, rule)), None)
                if other is not None:
                    what = f"whenever it matches, {other.id!r} matches too, with the same offer and no longer a rest"
                    yield Warned(rule.id, ("id",), what)


def _is_wider(asked: Mapping[str, frozenset[str]], other: Rule, rule: Rule) -> bool:
    # Of two that ask the same, one is enough: the first is not said to be in the way of itself.
    return asked[other.id] < asked[rule.id] or (asked[other.id] == asked[rule.id] and other.id < rule.id)


def _covers(other: Rule, rule: Rule) -> bool:
    """Whether the other rule may fire and be delivered whenever this one may, and gives the same."""
    return (
        other.then == rule.then
        and other.limits.cooldown <= rule.limits.cooldown
        and other.fresh >= rule.fresh
        and (other.purpose, other.salt, other.experiment) == (rule.purpose, rule.salt, rule.experiment)
        # What one rule has filled from the past, the other one sees, too.
        and (other.warm == "accept" or rule.warm != "accept")
        and (other.valid.from_ or 0) <= (rule.valid.from_ or 0)
        and (other.valid.until is None or (rule.valid.until is not None and other.valid.until >= rule.valid.until))
    )


def _asked(rule: Rule) -> frozenset[str]:
    """Give all conditions that must hold, each in its normal form."""
    whos = (clause.model_dump_json(exclude_none=True) for _, clause in _conjuncts(rule.who, ()))
    whens = (clause.model_dump_json(exclude_none=True) for _, clause in _conjuncts(rule.when, ()))
    return frozenset((*whos, *whens))
