"""The lines of `kairos uplift`: each rule by arm and form, what they differ by, and whether the shares can be right."""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Final

from console.uplift import Cell, RuleUplift, Uplift
from kairos.decisions import Arm
from models.uplift import Difference
from rules.saying import Language

__all__ = ["DOUBTFUL", "uplift_lines"]

DOUBTFUL: Final = 0.001
"""Below this chance the shares are said to be wrong: a report has many rules, and is looked at often."""
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "nothing": "no rule with a control group or several forms has decided anything",
        "head": "{:<30} {:>9} {:>9} {:>15} {:>15}",
        "columns": "arm, form|customers|through|reacted|converted",
        "treatment": "treatment",
        "control": "control",
        "first": "as the rule has it",
        "comma": ", ",
        "against control": "{}: {} points of conversion against its control group, {}",
        "against first": "{}: {} points of reaction against the offer as the rule has it, {}",
        "clear": "95% interval {} to {}",
        "unclear": "95% interval {} to {}, so it may be nothing",
        "untold": "nobody of the control group is told to have converted: where the bank tells of offers alone, this "
        "says nothing",
        "right": "shares: nothing speaks against them",
        "wrong": "shares: THEY ARE NOT WHAT THE SALT GIVES (chance {:.2g} at most): {}. Records of one arm are lost or "
        "doubled on the way; believe no difference of this rule until that is found",
        "share": "{} has {:,} of {:,} customers, {:,.0f} were to be expected",
        "unknown": "shares: not known for {:,} customers, for what decided is no longer in the catalogue",
        "simulated": "{:,} of these reactions are simulated: no uplift can be read from them",
    },
    "zh": {
        "nothing": "没有带对照组或多种方案的规则作出过决策",
        "head": "{:<30} {:>9} {:>9} {:>15} {:>15}",
        "columns": "组，方案|客户|通过|反应|转化",
        "treatment": "实验组",
        "control": "对照组",
        "first": "规则原方案",
        "comma": "，",
        "against control": "{}：转化率比同方案对照组高{}个百分点，{}",
        "against first": "{}：反应率比规则原方案高{}个百分点，{}",
        "clear": "95%区间{}至{}",
        "unclear": "95%区间{}至{}，可能没有差别",
        "untold": "对照组没有任何转化记录：如果银行只回传已发送优惠的转化，此差别没有意义",
        "right": "分组比例：没有异常",
        "wrong": "分组比例：与盐值应有的比例不符（概率至多{:.2g}）：{}。"
        "某一组的记录在途中丢失或重复；查明之前，不要相信该规则的任何差别",
        "share": "{}有{:,}人，共{:,}人，应约{:,.0f}人",
        "unknown": "分组比例：有{:,}位客户未知，因为当时生效的内容已不在目录中",
        "simulated": "其中{:,}次反应是模拟的：不能据此得出任何提升",
    },
}


def uplift_lines(found: Uplift, language: Language, only: str | None = None) -> Iterator[str]:
    """Write the report, or of one rule; rules with one arm and one form alone have nothing to be compared."""
    words = _WORDS[language]
    told = {n: rule for n, rule in sorted(found.rules.items()) if len(rule.groups) > 1 and only in (None, n)}
    if not told:
        yield words["nothing"]
    for name, rule in told.items():
        yield name
        yield from (f"  {line}" for line in _rule(rule, language))
    if found.simulated:
        yield words["simulated"].format(found.simulated)


def _rule(rule: RuleUplift, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    yield words["head"].format(*words["columns"].split("|"))
    cells = sorted(rule.groups, key=lambda cell: (cell[0] == Arm.CONTROL, cell[1]))
    for cell in cells:
        group = rule.groups[cell]
        matched, through = len(group.matched), len(group.through)
        reacted, converted = (_of(len(some), through) for some in (group.reacted, group.converted))
        yield words["head"].format(_named(cell, language), f"{matched:,}", f"{through:,}", reacted, converted)
    for form in sorted({form for arm, form in cells if arm == Arm.TREATMENT}):
        yield from _differences(rule, form, language)
    yield from _shares(rule, language)


def _of(count: int, whole: int) -> str:
    return f"{count:,} {count / whole:.1%}" if whole else f"{count:,}"


def _named(cell: Cell, language: Language) -> str:
    words = _WORDS[language]
    return f"{words[cell[0]]}{words['comma']}{cell[1] or words['first']}"


def _differences(rule: RuleUplift, form: str, language: Language) -> Iterator[str]:
    words, name = _WORDS[language], form or _WORDS[language]["first"]
    if (found := rule.against_control(form)) is not None:
        yield words["against control"].format(name, *_said(found, language))
        if not rule.groups[Arm.CONTROL, form].converted and rule.groups[Arm.TREATMENT, form].converted:
            yield words["untold"]
    if (found := rule.against_first(form)) is not None:
        yield words["against first"].format(name, *_said(found, language))


def _said(found: Difference, language: Language) -> tuple[str, str]:
    value, low, high = (f"{100 * one:+.2f}" for one in found)
    return value, _WORDS[language]["clear" if found.is_clear else "unclear"].format(low, high)


def _shares(rule: RuleUplift, language: Language) -> Iterator[str]:
    words, ratio = _WORDS[language], rule.ratio
    if rule.unknown:
        yield words["unknown"].format(rule.unknown)
    if ratio.chance >= DOUBTFUL:
        if ratio.seen:
            yield words["right"]
        return
    whole = sum(ratio.seen.values())
    # The furthest from what was expected, by the measure of how far chance would bring it.
    names = sorted(
        {*ratio.seen, *ratio.expected}, key=lambda name: -_far(ratio.seen.get(name, 0), ratio.expected.get(name, 0.0))
    )
    arm, _, form = names[0].partition("/")
    seen, expected = ratio.seen.get(names[0], 0), ratio.expected.get(names[0], 0.0)
    yield words["wrong"].format(
        ratio.chance, words["share"].format(_named((arm, form), language), seen, whole, expected)
    )


def _far(seen: int, expected: float) -> float:
    return abs(seen - expected) / sqrt(max(expected, 1e-9))
