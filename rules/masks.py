"""Masks: how a bucket of many rules finds the few that can match, without asking each of them.

A set of rules is one whole number, a bit for each rule. What several rules ask of the event and the past is asked
once, and a no takes all of them out of the set; so do the words that attributes must be, and the rarest tag that each
rule wants. Only the rules that are left are asked the rest, by a function for each, made when it is first needed.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from rules.clauses import Clauses, Part
from rules.generated import made
from rules.source import ALWAYS, Readings, all_of, constant

__all__ = ["masked"]

SHARED = 12
"""How many rules must ask of one kind, so that it is asked once for all instead of for each that is left."""

Shared = Mapping[str, Sequence[tuple[int | float, str, int]]]
"""By family: rank, source, and the mask of the rules that ask this or more, in the order of ranks."""


@dataclass(slots=True)
class Asked:
    """What is still to be asked of a rule that is left."""

    rule: str
    tags: frozenset[str] | None
    barred: frozenset[str] | None
    source: str
    names: tuple[str, ...]
    holds: Callable[..., bool] | None = None


def masked(bucket: Sequence[Clauses], begin: Sequence[str]) -> Any:
    """Make the function of a bucket.

    Parameters
    ----------
    bucket
        The rules, as clauses.
    begin
        The statements that give the event's fields their names.

    """
    everyone = (1 << len(bucket)) - 1
    event, past, person = (
        _shared([getattr(clauses, name) for clauses in bucket]) for name in ("trigger", "past", "person")
    )
    words, rare = _words(bucket, everyone), _rarest(bucket)
    asks = _mask(place for place, clauses in enumerate(bucket) if clauses.asks)
    asked = [*_asked(event, everyone), " if not m:", "  return []", *_asked(past, everyone)]
    lines = [*asked, " tags = attrs = None", f" if m & {asks:#x}:", "  profile = standing().profile"]
    lines += ["  attrs = profile.attrs; tags = profile.tags"]
    lines += [f"  m &= words_{n}.get(attrs.get({constant(name)}), others_{n})" for n, (name, *_) in enumerate(words)]
    lines += [f" {line}" for line in _asked(person, everyone)]
    lines += _by_tag(rare)
    lines += [" return left(m, event, customer, past, at, since, attrs, tags) if m else []"]
    by_tag = _masks((tag, place) for place, tag in enumerate(rare) if tag is not None)
    names: dict[str, object] = {"by_tag": by_tag, "wanted": frozenset(by_tag)}
    for number, (_, by_word, others) in enumerate(words):
        names |= {f"words_{number}": by_word, f"others_{number}": others}
    shared = event.keys() | past.keys() | person.keys()
    names["left"] = _left([_rest(clauses, shared, tag) for clauses, tag in zip(bucket, rare, strict=True)], begin)
    head = ["def found(event, customer, standing, since):", " past = customer.remembered", " at = event.at // 1000"]
    read = _read((name for clauses in bucket for name in clauses.names), "".join(lines))
    return made([*head, read, *begin, f" m = {everyone:#x}", *lines], names)


def _mask(places: Iterable[int]) -> int:
    return reduce(or_, (1 << place for place in places), 0)


def _masks(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for said, place in pairs:
        found[said] = found.get(said, 0) | 1 << place
    return found


def _read(names: Iterable[str], source: str) -> str:
    return f" {Readings(name for name in names if name in source).begin()}"


def _shared(asked: Sequence[Sequence[Part]]) -> Shared:
    """Find what several rules ask."""
    families: dict[str, dict[int | float, tuple[str, int]]] = defaultdict(dict)
    for place, parts in enumerate(asked):
        for part in parts:
            ranks = families[part.family]
            ranks[part.rank] = part.source, ranks.get(part.rank, ("", 0))[1] | 1 << place
    found = {}
    for family, ranks in families.items():
        if reduce(or_, (mask for _, mask in ranks.values())).bit_count() < SHARED:
            continue
        steps, more = [], 0
        for rank in sorted(ranks, reverse=True):
            source, mask = ranks[rank]
            more |= mask
            steps.append((rank, source, more))
        found[family] = steps[::-1]
    return found


def _asked(shared: Shared, everyone: int) -> list[str]:
    lines = []
    for steps in shared.values():
        for number, (_, source, mask) in enumerate(steps):
            lines += [f" {'elif' if number else 'if'} not {source}:", f"  m &= {everyone & ~mask:#x}"]
    return lines


def _words(bucket: Sequence[Clauses], everyone: int) -> list[tuple[str, dict[str, int], int]]:
    """Give, for each attribute, who is left for each of its words, and who is left for any other."""
    wanted: dict[str, dict[int, frozenset[str]]] = {}
    for place, clauses in enumerate(bucket):
        for asked in clauses.words:
            among = wanted.setdefault(asked.attribute, {})
            among[place] = among.get(place, frozenset(asked.words)) & frozenset(asked.words)
    found = []
    for name, among in wanted.items():
        others = everyone & ~_mask(among)
        left = _masks((word, place) for place, words in among.items() for word in words)
        found.append((name, {word: mask | others for word, mask in left.items()}, others))
    return found


def _rarest(bucket: Sequence[Clauses]) -> list[str | None]:
    """Give the tag by which each rule is found, if it wants one: what few rules want, few customers have."""
    often = Counter(tag for clauses in bucket for tag in clauses.tags)
    return [min(clauses.tags, key=lambda tag: (often[tag], tag), default=None) for clauses in bucket]


def _by_tag(rare: Sequence[str | None]) -> list[str]:
    if not any(rare):
        return []
    lines = [f"  s = {_mask(place for place, tag in enumerate(rare) if tag is None):#x}"]
    return [*lines, "  for tag in wanted & tags:", "   s |= by_tag[tag]", "  m &= s"]


def _rest(clauses: Clauses, shared: set[str], rare: str | None) -> Asked:
    tags = clauses.tags - {rare}
    parts = (*clauses.trigger, *clauses.past, *clauses.person)
    source = all_of(part.source for part in parts if part.family not in shared)
    return Asked(clauses.id, tags or None, clauses.barred or None, source, clauses.names)


def _left(rest: Sequence[Asked], begin: Sequence[str]) -> Callable[..., list[str]]:
    """Give the function that asks the rules that are left."""

    def left(m: int, event: Any, customer: Any, past: Any, at: Any, since: Any, attrs: Any, tags: Any) -> list[str]:
        found = []
        while m:
            low = m & -m
            m ^= low
            one = rest[low.bit_length() - 1]
            if one.tags is not None and not one.tags <= tags:
                continue
            if one.barred is not None and not one.barred.isdisjoint(tags):
                continue
            if one.source == ALWAYS or (one.holds or _asking(one, begin))(
                event, customer, past, at, since, attrs, tags
            ):
                found.append(one.rule)
        return found

    return left


def _asking(one: Asked, begin: Sequence[str]) -> Callable[..., bool]:
    fields = [line for line in begin if line.split(" = ")[0].strip() in one.source]
    one.holds = _function(_read(one.names, one.source), *fields, f" return {one.source}")
    return one.holds


@lru_cache(maxsize=20_000)
def _function(*lines: str) -> Callable[..., bool]:
    # Kept by what it says: when one rule of a bucket has changed, the functions of all others are there already.
    holds: Callable[..., bool] = made(["def found(event, customer, past, at, since, attrs, tags):", *lines], {})
    return holds
