"""What `kairos explain` and `kairos why` say beside the explanation: how a replay came out, and what went wrong."""

from collections.abc import Iterator, Mapping
from typing import Final

from console.recomputing import Recomputed
from rules.saying import Language
from streams.journal import BUILD

__all__ = ["replayed_lines", "word"]

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "equal": "replay    equal, byte for byte: {0} of {0} records, after {1}",
        "differs": "replay    differs, after {}:",
        "after": "{:,} commits and {:,} records of partition {}",
        "missing": "the journal was played to its end, and {} of the decision's records did not come",
        "build": "it was decided by build {}, and this is {}",
        "cut": "it cannot be made again: {}",
        "no id": "{!r} is no id of a decision; it is written in 0-9 and a-f, as `kairos why CUSTOMER` shows it",
        "rules gone": "the rules that decided are no longer in the catalogue, so clauses are told by their names",
        "no rule": "there is no rule {!r} in force{}",
        "not there": "there is no rule {!r}{}",
        "days": "{} (the last {} days were read: --days)",
        "no key": "name the customer by the key that the bank's events have",
    },
    "zh": {
        "equal": "回放      逐字节一致：{0}条记录中{0}条一致，共回放{1}",
        "differs": "回放      不一致，共回放{}：",
        "after": "{2}号分区的{0:,}次提交、{1:,}条记录",
        "missing": "日志已回放到末尾，该决策有{}条记录没有再次出现",
        "build": "当时由版本{}决策，现在是{}",
        "cut": "无法重新得出：{}",
        "no id": "{!r}不是决策编号；编号由0-9和a-f组成，可用`kairos why 客户号`查看",
        "rules gone": "目录中已没有当时决策所用的规则，因此条件以其名称显示",
        "no rule": "生效的规则中没有{!r}{}",
        "not there": "没有规则{!r}{}",
        "days": "{}（已查看最近{}天：--days）",
        "no key": "请给出客户号，与银行事件中的一致",
    },
}


def word(name: str, language: Language, *values: object) -> str:
    """Say one of the sentences.

    Examples
    --------
    >>> word("cut", "en", "the journal is gone")
    'it cannot be made again: the journal is gone'

    """
    return _WORDS[language][name].format(*values)


def replayed_lines(again: Recomputed, language: Language) -> Iterator[str]:
    """Say how a decision came out that was made again; fields that differ are named without their values.

    Examples
    --------
    >>> list(replayed_lines(Recomputed(3, commits=4, records=1381, equal=1), "zh"))
    ['回放      逐字节一致：1条记录中1条一致，共回放3号分区的4次提交、1,381条记录']

    """
    after = word("after", language, again.commits, again.records, again.partition)
    if again.is_equal:
        yield word("equal", language, again.equal, after)
        return
    yield word("differs", language, after)
    yield from (f"          {place}" for place in again.differs)
    if again.missing:
        yield f"          {word('missing', language, again.missing)}"
    if again.is_other_build:
        yield f"          {word('build', language, ', '.join(sorted(again.builds)), BUILD)}"
