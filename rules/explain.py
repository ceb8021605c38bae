"""Explaining: what became of every clause and gate of one rule, for one event of one customer, with what was read.

The engine stops at the first clause that speaks against a rule. Here nothing is cut short: whoever asks why a
customer got nothing wants to see all that was missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kairos.instants import Millis
from rules.asked import Asked
from rules.conditions.absent import Absent
from rules.explain_gates import gate_findings, stop_findings
from rules.fields import value_of
from rules.findings import Bilingual, Finding, bilingual, blamed, both, clock, read_of
from rules.judged import Seen, all_hold, opposite, some_hold
from rules.logic import Tree
from rules.persons import Attributes, Score, Tag
from rules.policy import Policy
from rules.saying import WORDS, Language
from rules.schema import Rule
from rules.scope import Scope
from rules.stops import NOTHING, Stops

__all__ = ["Explanation", "explain", "lines", "waiting"]

_HEADS: dict[str, Bilingual] = {
    "on": {"zh": "触发", "en": "event"},
    "who": {"zh": "客户", "en": "who"},
    "when": {"zh": "行为", "en": "when"},
    "gates": {"zh": "关口", "en": "gates"},
}
_JOINED: dict[str, Bilingual] = {
    "all": {"zh": "以下全部", "en": "all of"},
    "any": {"zh": "以下任一", "en": "any of"},
    "not": {"zh": "并非", "en": "not"},
}
_LATER = bilingual("时限届满时判断", "asked when the time is over")
_MARKS: Mapping[bool | None, str] = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of a rule.

    Parameters
    ----------
    rule
        The rule's id.
    on, who, when
        The trigger and the clauses, each group as one finding.
    gates
        The gates in their order; all were asked, also behind one that refused.

    """

    rule: str
    on: Finding
    who: Finding
    when: Finding
    gates: tuple[Finding, ...] = field(default=())

    @property
    def fires(self) -> bool:
        """Whether every clause holds and no gate refuses."""
        return all(part.holds is True for part in self._parts())

    @property
    def matches(self) -> bool:
        """Whether every clause holds, whatever the gates say."""
        return all(part.holds is True for part in (self.on, self.who, self.when))

    @property
    def reason(self) -> Finding | None:
        """The first clause or gate in the way: the trigger, who, when, then the gates; None if the rule fires."""
        return next((blamed(part) for part in self._parts() if part.holds is not True), None)

    @property
    def waits(self) -> bool:
        """Whether the rule fires later, when the time is over in which something must not happen."""
        return any(part.kind == "absent" for part in self.when.below)

    @property
    def misses(self) -> int:
        """How many clauses and gates are in the way: the nearer to firing, the fewer."""
        return sum(part.holds is not True for group in self._parts() for part in group.below or (group,))

    def _parts(self) -> Iterator[Finding]:
        yield from (self.on, self.who, self.when, *self.gates)


def explain(
    rule: Rule,
    seen: Seen,
    policy: Policy,
    now: Millis,
    scores: Mapping[str, float | None],
    stops: Stops = NOTHING,
) -> Explanation:
    """Judge everything that a rule asks.

    Parameters
    ----------
    rule
        The rule.
    seen
        The event, the customer's record in which it is remembered already, and the profile.
    policy
        Hours and caps.
    now
        Processing time.
    scores
        What each model gives the customer; one that is not named says nothing.
    stops
        What people have stopped.

    """
    scope = rule.scope()
    return Explanation(
        rule.id,
        _trigger(rule, seen),
        _group(rule.who, seen, scope),
        _group(rule.when, seen, scope),
        (*stop_findings(rule, stops), *gate_findings(rule, seen, policy, now, scores, stops)),
    )


def waiting(found: Explanation, came: Millis | None, zone: str) -> Explanation:
    """Say of a rule that waits what became of its wait; everything else must hold, or there was none.

    Parameters
    ----------
    found
        What became of everything else.
    came
        When that came which must not; None while nobody knows whether it will.
    zone
        In which its time is told.

    """
    if not (found.waits and found.matches):
        return found
    holds = None if came is None else False
    when = "" if came is None else clock(came, zone)
    read = _LATER if came is None else bilingual(f"{when}发生了", f"it came at {when}")
    below = tuple(replace(part, holds=holds, read=read) if part.kind == "absent" else part for part in found.when.below)
    return replace(found, when=replace(found.when, holds=holds, below=below))


def lines(found: Explanation, language: Language) -> list[str]:
    """Write an explanation: a head, then a line for each clause and gate, nested ones indented."""
    written: list[str] = []
    for name, parts in (("on", (found.on,)), ("who", (found.who,)), ("when", (found.when,)), ("gates", found.gates)):
        told = [line for part in parts for line in _below(part, language)]
        written += [_HEADS[name][language], *told] if told else []
    return written


def _below(group: Finding, language: Language) -> list[str]:
    """Write a group at the top without a line of its own: that all of it must hold goes without saying."""
    if group.kind == "all":
        return [line for part in group.below for line in _lines(part, language, 1)]
    return _lines(group, language, 1)


def _lines(found: Finding, language: Language, depth: int) -> list[str]:
    read = f": {found.read[language]}" if found.read[language] else ""
    own = f"{'  ' * depth}{_MARKS[found.holds]} {found.said[language]}{read}"
    return [own, *(line for part in found.below for line in _lines(part, language, depth + 1))]


def _trigger(rule: Rule, seen: Seen) -> Finding:
    event, selector = seen.event, rule.on.selector
    happened = both(lambda language: WORDS[language].get(event.type, event.type))
    asked = Finding("event", event.type == selector.event, both(lambda said: WORDS[said][selector.event]), happened)
    if not asked.holds:
        return Finding("all", holds=False, said=_JOINED["all"], below=(asked,))
    fields = tuple(_test("where", name, test, value_of(event, name, test)) for name, test in selector.where.items())
    # Unknown is no here: an event without the field is none of these.
    return Finding("all", all(part.holds is True for part in fields), _JOINED["all"], below=(asked, *fields))


def _group(tree: Tree, seen: Seen, scope: Scope) -> Finding:
    found = _tree(tree, seen, scope)
    return found if found.kind == "all" else Finding("all", found.holds, _JOINED["all"], below=(found,))


def _tree(tree: Tree, seen: Seen, scope: Scope) -> Finding:
    parts = tree.parts
    if parts is None:
        return _leaf(tree, seen, scope)
    below = tuple(_tree(part, seen, scope) for part in parts)
    if tree.none is not None:
        inner = below[0]
        if inner.below:
            return Finding("not", opposite(inner.holds), _JOINED["not"], below=below)
        return Finding(inner.kind, opposite(inner.holds), both(tree.said), inner.read)
    kind, joined = ("all", all_hold) if tree.any is None else ("any", some_hold)
    return Finding(kind, joined(part.holds for part in below), _JOINED[kind], below=below)


def _leaf(tree: Tree, seen: Seen, scope: Scope) -> Finding:
    leaf = tree.leaf
    if isinstance(leaf, Attributes):
        return _attributes(leaf, seen)
    judged = leaf.judged(seen, scope)
    if isinstance(leaf, Tag):
        return Finding(f"tag:{leaf.name}", judged.holds, both(leaf.said))
    if isinstance(leaf, Score):
        later = bilingual("在关口之后判断", "asked after the gates")
        return Finding(f"score:{leaf.model}", judged.holds, both(leaf.said), later)
    if isinstance(leaf, Absent):
        return Finding("absent", judged.holds, both(leaf.said), _LATER)
    kind = next(name for name in type(tree).model_fields if getattr(tree, name) is not None)
    return Finding(kind, judged.holds, both(leaf.said), read_of(leaf, judged.read))


def _attributes(leaf: Attributes, seen: Seen) -> Finding:
    attrs = seen.standing().profile.attrs
    below = tuple(_test("attr", name, test, attrs.get(name)) for name, test in leaf.asks.items())
    return (
        below[0] if len(below) == 1 else Finding("all", all_hold(b.holds for b in below), _JOINED["all"], below=below)
    )


def _test(kind: str, name: str, test: Asked, value: object) -> Finding:
    return Finding(f"{kind}:{name}", test.fits(value), both(lambda said: test.said(name, said)), read_of(test, value))
