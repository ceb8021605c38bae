"""Difference: what changes for customers when one book takes the place of another, in sentences."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rules.binding import bindings_said
from rules.book import Book
from rules.cold import cold
from rules.conditions.past import said_events
from rules.conditions.when import Place
from rules.experiment_saying import experiment_of
from rules.explain_gates import valid_days
from rules.findings import Bilingual, bilingual, both
from rules.logic import Tree
from rules.priorities_saying import priority_of
from rules.saying import WORDS, Language, length, listed
from rules.schema import Rule
from rules.sentence import limits_of

__all__ = ["Change", "difference"]

_ASPECTS: Final[Mapping[str, Bilingual]] = {
    "name": bilingual("名称", "name"),
    "scenario": bilingual("场景", "scenario"),
    "programme": bilingual("活动", "programme"),
    "status": bilingual("状态", "status"),
    "valid": bilingual("有效期", "valid"),
    "purpose": bilingual("用途", "purpose"),
    "event": bilingual("触发", "event"),
    "who": bilingual("客户条件", "who"),
    "when": bilingual("行为条件", "when"),
    "warm": bilingual("记忆不足时", "warm"),
    "offer": bilingual("权益", "offer"),
    "channels": bilingual("渠道顺序", "channels"),
    "template": bilingual("模板", "template"),
    "text": bilingual("文案", "text"),
    "expires": bilingual("有效时长", "expires"),
    "reaction": bilingual("响应", "reaction"),
    "cooldown": bilingual("间隔", "cooldown"),
    "limits": bilingual("其他限制", "other limits"),
    "fresh": bilingual("时效", "fresh"),
    "in_quiet_hours": bilingual("免打扰时段", "in quiet hours"),
    "control": bilingual("对照与形式", "control group and forms"),
    "priority": bilingual("优先级", "priority"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One rule that is added, removed or changed.

    Parameters
    ----------
    rule
        The rule's id.
    before, after
        The rule in the one book and in the other; None where it is not there.
    lines
        What changed in it, by aspect and clause.
    cold
        What the rule looks back on that nobody has remembered so far: it counts from the change on.
    filled
        What nobody has remembered so far, either, and is filled from the events that are still kept.

    """

    rule: str
    before: Rule | None
    after: Rule | None
    lines: tuple[Bilingual, ...] = ()
    cold: tuple[Bilingual, ...] = ()
    filled: tuple[Bilingual, ...] = ()


def difference(before: Book, after: Book, zone: str) -> tuple[Change, ...]:
    """Compare two books rule by rule; rules that say the same are left out.

    Parameters
    ----------
    before, after
        The books.
    zone
        In which days are told.

    """
    found: list[Change] = []
    starting: dict[tuple[str, bool], list[Place]] = {}
    for one in cold(after, before):
        starting.setdefault((one.rule, bool(one.events)), []).append(one.place)
    for name in sorted(before.rules.keys() | after.rules.keys()):
        old, new = before.rules.get(name), after.rules.get(name)
        lines = () if old is None or new is None else tuple(_lines(old, new, zone))
        if old is None or new is None or lines:
            begins = (starting.get((name, is_filled), ()) for is_filled in (False, True))
            cold_, filled = [() if new is None else tuple(_said(new, places)) for places in begins]
            found.append(Change(name, old, new, lines, cold_, filled))
    return tuple(found)


def _lines(old: Rule, new: Rule, zone: str) -> Iterator[Bilingual]:
    first, second = dict(_aspects(old, zone)), dict(_aspects(new, zone))
    for aspect, name in _ASPECTS.items():
        if aspect in ("who", "when"):
            yield from _clauses(name, getattr(old, aspect), getattr(new, aspect))
        elif first[aspect] != second[aspect]:
            yield _from_to(name, first[aspect], second[aspect])


def _from_to(name: Bilingual, old: Bilingual, new: Bilingual) -> Bilingual:
    nothing = bilingual("无", "nothing")
    return bilingual(
        f"{name['zh']}：由“{old['zh'] or nothing['zh']}”改为“{new['zh'] or nothing['zh']}”",
        f"{name['en']}: from {old['en'] or nothing['en']} to {new['en'] or nothing['en']}",
    )


def _clauses(name: Bilingual, old: Tree, new: Tree) -> Iterator[Bilingual]:
    """Tell which clauses went and came; one that went and one of its kind that came are one that changed."""
    gone = [part for part in _parts(old) if part not in _parts(new)]
    come = [part for part in _parts(new) if part not in _parts(old)]
    for part in list(gone):
        other = next((one for one in come if _kind(one) == _kind(part)), None)
        if other is not None:
            gone.remove(part)
            come.remove(other)
            yield _from_to(name, both(part.said), both(other.said))
    for part in gone:
        yield bilingual(f"{name['zh']}：删去“{part.said('zh')}”", f"{name['en']}: no longer {part.said('en')}")
    for part in come:
        yield bilingual(f"{name['zh']}：新增“{part.said('zh')}”", f"{name['en']}: now also {part.said('en')}")


def _parts(tree: Tree) -> tuple[Tree, ...]:
    return (tree,) if tree.all is None else tree.all


def _kind(tree: Tree) -> object:
    """Give what a clause is about, however much it asks: its keys, and the attributes or the tag it names."""
    if tree.none is not None:
        return "not", _kind(tree.none)
    said = tree.model_dump(mode="json", by_alias=True, exclude_none=True)
    (key, asked), *_ = said.items()
    if key == "attr":
        return key, tuple(sorted(asked))
    if key in ("all", "any"):
        return key
    watched = (
        {part: asked[part] for part in ("event", "same_as", "field", "model") if part in asked}
        if key != "tag"
        else asked
    )
    return key, str(watched)


def _aspects(rule: Rule, zone: str) -> Iterator[tuple[str, Bilingual]]:
    then = rule.then
    for name in ("name", "scenario", "programme", "status", "purpose", "warm", "in_quiet_hours"):
        yield name, bilingual(str(getattr(rule, name)), str(getattr(rule, name)))
    is_bounded = rule.valid.from_ is not None or rule.valid.until is not None
    yield "valid", valid_days(rule, zone) if is_bounded else bilingual("不限", "always")
    yield "event", both(lambda language: said_events(rule.on.event, rule.on.where, language))
    yield "offer", both(lambda _: " + ".join(name for name in (then.offer.product, then.offer.pool) if name))
    yield "channels", both(lambda said: ", ".join(WORDS[said][channel.value] for channel in then.channels))
    yield "template", both(lambda _: then.template)
    if (text := then.text) is not None:
        yield "text", bilingual(f"{text.zh} / {text.en}", f'"{text.zh}" / "{text.en}"')
    else:
        yield "text", both(lambda language: bindings_said(then.with_ or {}, language))
    yield "expires", both(lambda language: length(then.expires, language))
    yield "reaction", both(lambda said: _reaction(rule, said))
    yield "cooldown", both(lambda said: length(rule.limits.cooldown, said) if rule.limits.cooldown else "")
    yield "limits", both(lambda language: ("；" if language == "zh" else "; ").join(limits_of(rule, language)))
    yield "fresh", both(lambda language: length(rule.fresh, language))
    yield "control", both(lambda language: ("；" if language == "zh" else "; ").join(experiment_of(rule, language)))
    yield "priority", both(lambda language: ("；" if language == "zh" else "; ").join(priority_of(rule, language)))


def _reaction(rule: Rule, language: Language) -> str:
    then = rule.then
    return f"{listed(then.reactions, language)}, {length(then.wait, language)}, {then.objective}"


def _said(rule: Rule, places: Iterable[Place]) -> Iterator[Bilingual]:
    leaves = dict(rule.when.placed())
    told: set[str] = set()
    for leaf in map(leaves.__getitem__, places):
        if leaf.said("en") not in told:
            told.add(leaf.said("en"))
            yield both(leaf.said)
