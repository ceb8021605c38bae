"""Whether levers reach the offers of rules: asked when both are checked, and when either is published."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kairos.instants import Millis
from kairos.offers import CouponPool
from rules.arms import forms
from rules.known import Names
from rules.priorities import Lever, Priorities
from rules.schema import Rule

__all__ = ["Reached", "idle", "reached", "unfit_levers"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """What a lever can reach.

    Parameters
    ----------
    names
        The names of each kind that there are; the merchants only where the pools are known.
    offers
        Every offer that some rule makes, in some form: its rule, programme, merchant and channel.

    """

    names: Mapping[str, Names]
    offers: frozenset[tuple[tuple[str, str], ...]]

    def knows(self, lever: Lever) -> bool:
        """Whether every name of the lever is there, or of a kind that nobody listed."""
        return all(kind not in self.names or name in self.names[kind] for kind, name in lever.named)

    def by(self, lever: Lever) -> bool:
        """Whether some offer has all that the lever names; what is not known is not held against it."""
        asked = {(kind, name) for kind, name in lever.named if kind != "merchant" or kind in self.names}
        return any(asked <= set(offer) for offer in self.offers)


def reached(rules: Iterable[Rule], pools: Mapping[str, CouponPool] | None) -> Reached:
    """Give what levers can reach, with some rules and pools; None where the pools are not known."""
    offers: set[tuple[tuple[str, str], ...]] = set()
    ids, programmes = set[str](), {pool.programme for pool in (pools or {}).values()}
    for rule in rules:
        ids.add(rule.id)
        programmes.add(rule.programme)
        for form in forms(rule):
            offers.update(_offers(form, pools or {}))
    names = {"rule": Names(ids), "programme": Names(programmes)}
    if pools is not None:
        names["merchant"] = Names({pool.merchant for pool in pools.values()})
    return Reached(names, frozenset(offers))


def _offers(rule: Rule, pools: Mapping[str, CouponPool]) -> Iterator[tuple[tuple[str, str], ...]]:
    pool = pools.get(rule.then.offer.pool or "")
    merchant = "" if pool is None else pool.merchant
    for channel in rule.then.channels:
        yield ("rule", rule.id), ("programme", rule.programme), ("merchant", merchant), ("channel", channel.value)


def unfit_levers(priorities: Priorities, within: Reached) -> Iterator[tuple[Path, str]]:
    """Say which levers name something that is not there: place and sentence, with what may be meant.

    Examples
    --------
    >>> lever = {"name": "a", "times": 2, "rule": "lunhc", "owner": "Li", "because": "?", "until": "2026-12-31"}
    >>> said = Priorities.model_validate({"format": 1, "zone": "UTC", "levers": [lever]}, context={"zone": "UTC"})
    >>> list(unfit_levers(said, Reached({"rule": Names(["lunch"])}, frozenset())))
    [(('levers', 0, 'rule'), "there is no rule 'lunhc'; did you mean 'lunch'?")]

    """
    for number, lever in enumerate(priorities.levers):
        for kind, name in lever.named:
            known = within.names.get(kind)
            if known is not None and name not in known:
                yield ("levers", number, kind), f"there is no {kind} {name!r}{known.meant(name)}"


def idle(priorities: Priorities, within: Reached | None, now: Millis) -> Iterator[tuple[Path, str]]:
    """Say what is odd: what the priorities tell of themselves, and levers whose names no offer has together."""
    yield from priorities.warnings(now)
    for number, lever in enumerate(priorities.levers):
        if within and lever.until > now and within.knows(lever) and not within.by(lever):
            asked = ", ".join(f"{kind} {name!r}" for kind, name in lever.named)
            yield ("levers", number), f"the lever {lever.name!r} reaches no offer: no rule makes one with {asked}"
