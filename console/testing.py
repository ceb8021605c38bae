"""Testing: a test inside a rule that did not come out, as people read it."""

from collections.abc import Iterator

from console.rule_files import Place
from kairos.instants import Millis
from rules.cases import Failure
from rules.explain import lines
from rules.findings import clock
from rules.saying import Language

__all__ = ["failure_lines"]


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
    found = failure.explained.get(at)
    if at in failure.got:
        yield f"  + {local}  fires and should not"
    elif at in failure.expected:
        if found is None:
            yield f"  - {local}  should fire, but no event of the test happens at this time"
            return
        yield f"  - {local}  should fire and does not" + (f": {found.reason.kind}" if found.reason else "")
    else:
        wanted, got = failure.other_reasons[at]
        yield f"  ? {local}  should be silent because of {wanted}, but the first in the way is {got}"
    yield from (f"      {line}" for line in (lines(found, language) if found else ()))
