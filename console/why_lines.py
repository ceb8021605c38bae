"""The lines of `kairos why`: a customer's decisions, and clause by clause what became of the rules at one event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from console.asking_live import LiveAnswer
from console.decisions_found import Found
from console.explaining import SCREEN, Telling, masked
from kairos.decisions import Decision
from rules.explain import Explanation, lines
from rules.findings import Finding, both, clock
from rules.reasons import REASONS
from rules.saying import WORDS, Language

__all__ = ["answered_lines", "decisions_lines"]

_HIDDEN: Final = "***"
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "customer": "customer  {}",
        "decisions": "decisions {} since {}, the newest {} are shown",
        "none": "decisions none since {}",
        "event": "event     {} at {} ({})",
        "then": "state     of that very moment, exact: played again from the journal, {} commits of the partition",
        "now": "state     live, of the commit at {}: what came after the event is in it, so it is not exact for then",
        "cut": "          it could not be played again: {}",
        "decided": "decided   {}: {}",
        "undecided": "decided   nothing: no rule matched",
        "fires": "fires",
        "waits": "matches, and waits for what must not happen",
        "refused": "matches, and is refused: {}",
        "silent": "does not match: {}",
        "untriggered": "no rule is triggered by it",
        "not there": "the rule {} was not in the book that was in force then",
        "more": "{} more rules",
        "explain": "a decision is explained by: kairos explain {} --customer ...",
    },
    "zh": {
        "customer": "客户      {}",
        "decisions": "决策      {}条，自{}起，显示最近{}条",
        "none": "决策      自{}起没有",
        "event": "事件      {} 发生于 {} ({})",
        "then": "状态      该时刻的状态，精确：由日志回放该分区的{}次提交得到",
        "now": "状态      当前状态（{}的提交）：包含该事件之后发生的内容，因此对当时并不精确",
        "cut": "          无法回放：{}",
        "decided": "结果      {}：{}",
        "undecided": "结果      无：没有规则满足条件",
        "fires": "触发",
        "waits": "满足条件，正在等待不应发生的事件",
        "refused": "满足条件，但被拦下：{}",
        "silent": "不满足条件：{}",
        "untriggered": "没有规则由此事件触发",
        "not there": "当时生效的规则中没有{}",
        "more": "另有{}条规则",
        "explain": "解释某个决策：kairos explain {} --customer ...",
    },
}
_SHOWN: Final = 20


def decisions_lines(customer: str, found: Sequence[Found], since: str, t: Telling) -> Iterator[str]:
    """Write a customer's decisions, the newest first."""
    words = _WORDS[t.language]
    yield words["customer"].format(customer if t.unmask else masked(customer))
    if not found:
        yield words["none"].format(since)
        return
    shown = found[: -_SHOWN - 1 : -1]
    yield words["decisions"].format(len(found), since, len(shown))
    for one in shown:
        decision, end = one.decision, one.end
        ended = "" if end is None else f" -> {t.word(end.state)}"
        at = clock(round(decision.decided_at.timestamp() * 1000), t.zone)
        yield f"  {at:<19}  {decision.id[:12]}  {_outcome(decision, t)}{ended}"
    yield words["explain"].format(shown[0].decision.id[:12])


def _outcome(decision: Decision, t: Telling) -> str:
    rules = ", ".join(verdict.rule for verdict in decision.verdicts[:2])
    more = f" +{len(decision.verdicts) - 2}" if len(decision.verdicts) > 2 else ""
    why = f"{t.word('colon')}{decision.reason}" if decision.reason else ""
    return f"{rules}{more}: {t.word(decision.state)}{why}"


def answered_lines(answer: LiveAnswer, t: Telling, only: str | None = None) -> Iterator[str]:
    """Write what became of the rules at an event, or of one of them, the nearest first, as far as a screen goes."""
    head = list(_head(answer, t))
    yield from head
    if not answer.explanations:
        yield _WORDS[t.language]["not there" if only else "untriggered"].format(only)
    room = SCREEN - len(head) - 1
    for number, found in enumerate(answer.explanations):
        left = len(answer.explanations) - number
        if room < 2 and left > 1:
            yield _WORDS[t.language]["more"].format(left)
            return
        clauses = [f"  {line}" for line in lines(found if t.unmask else hidden(found), t.language)]
        yield f"{found.rule}: {_fate(found, t)}"
        room -= 1
        # A rule that is asked for alone is told whole, however long it is.
        if number == 0 or len(clauses) + left <= room:
            yield from clauses
            room -= len(clauses)


def _head(answer: LiveAnswer, t: Telling) -> Iterator[str]:
    words, event = _WORDS[t.language], answer.event
    yield words["customer"].format(event.customer if t.unmask else masked(event.customer))
    what = WORDS[t.language].get(event.type, event.type) + (f", {event.category}" if event.category else "")
    yield words["event"].format(what, clock(event.at, t.zone), t.zone)
    if answer.commits:
        yield words["then"].format(f"{answer.commits:,}")
    else:
        yield words["now"].format(clock(answer.state_of, t.zone))
    if answer.cut:
        yield words["cut"].format(answer.cut.said(t.language))
    if answer.decision is None:
        yield words["undecided"]
    else:
        decision = answer.decision.decision
        yield words["decided"].format(decision.id[:12], _outcome(decision, t))


def _fate(found: Explanation, t: Telling) -> str:
    words, reason = _WORDS[t.language], found.reason
    if found.matches and found.waits:
        return words["waits"]
    if reason is None:
        return words["fires"]
    if found.matches:
        said = {str(one): text for one, text in REASONS[t.language].items()}
        return words["refused"].format(f"{reason.kind} ({said[reason.kind]})" if reason.kind in said else reason.kind)
    shown = reason if t.unmask else _hidden(reason)
    read = f": {shown.read[t.language]}" if shown.read[t.language] else ""
    return words["silent"].format(f"{shown.said[t.language]}{read}")


def hidden(found: Explanation) -> Explanation:
    """Hide the values of attributes; what a rule asks of them is the rule's own and is shown."""
    return replace(found, on=_hidden(found.on), who=_hidden(found.who), when=_hidden(found.when))


def _hidden(found: Finding) -> Finding:
    read = both(lambda _: _HIDDEN) if found.is_of("attr") and found.holds is not None else found.read
    return replace(found, read=read, below=tuple(_hidden(part) for part in found.below))
