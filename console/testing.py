"""Testing: a test inside a rule that did not come out, as people read it."""

from collections.abc import Iterator, Mapping
from typing import Final

from console.rule_files import Place
from kairos.instants import Millis
from rules.cases import Failure
from rules.explain import lines
from rules.findings import clock
from rules.saying import Language

__all__ = ["failure_lines"]


_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "fires": "fires and should not",
        "nothing": "should fire, but no event of the test happens at this time",
        "silent": "should fire and does not",
        "because": "should be silent because of",
        "but": "but the first in the way is",
    },
    "zh": {
        "fires": "不应触发却触发了",
        "nothing": "应当触发，但测试中此时没有事件",
        "silent": "应当触发却没有触发",
        "because": "不触发的原因应为",
        "but": "实际最先不满足的是",
    },
}


def failure_lines(failure: Failure, place: Place, language: Language) -> list[str]:
    """Write a failed test: its place, the firing times expected and got, and what was in the way at each difference.

    `=` stands before a time at which the rule fires as it should, `-` where it should fire and does not, `+` where it
    fires and should not, `?` where it is silent for another reason than the test says. Times are in the file's zone.
    """
    told = [f"{place.file}:{place.tests[failure.number]}: {failure.rule}: {failure.case}"]
    for at in sorted({*failure.expected, *failure.got, *failure.other_reasons}):
        told += _moment(failure, at, place.zone, language)
    return told


def _moment(failure: Failure, at: Millis, zone: str, language: Language) -> Iterator[str]:
    local = clock(at, zone)
    if at in failure.expected and at in failure.got:
        yield f"  = {local}"
        return
    found, words = failure.explained.get(at), _WORDS[language]
    reason = f": {found.reason.kind}" if found is not None and found.reason else ""
    if at in failure.got:
        yield f"  + {local}  {words['fires']}"
    elif at in failure.expected and found is None:
        yield f"  - {local}  {words['nothing']}"
    elif at in failure.expected:
        yield f"  - {local}  {words['silent']}{reason}"
    else:
        wanted, got = failure.other_reasons[at]
        yield f"  ? {local}  {words['because']} {wanted}, {words['but']} {got}"
    yield from (f"      {line}" for line in (lines(found, language) if found else ()))
