"""The words for a backtest beside a live run, in Chinese and English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.saying import Language

__all__ = ["SAID", "part"]

SAID: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            "live": "Beside what happened live",
            "said": "Each rule at each event for which it matched, live or here: {all} in all, and {same} are the same "
            "in every field but when it was decided and where the event lay in Kafka.",
            "equal": "Nothing differs.",
            "differ": "{number} differ, for {customers} customers.",
            "evidence": "A cause is what is known to have differed before the decision, the likeliest first; it is "
            "evidence and no proof. `kairos explain DECISION --replay` makes a live decision again.",
            "no order": "What live left here are decisions without journal and events, so that the order of events is "
            "known only of those on which something was decided, and feedback not at all.",
            "what": "what",
            "pairs": "rules at events",
            "share": "share",
            "same": "the same in every field",
            "moment": "- of these decided at the very same moment",
            "read": "the same outcome, and something else was read or weighed",
            "other": "another outcome",
            "only_live": "a match live alone",
            "only_back": "a match here alone",
            "cause": "why",
            "customers": "customers",
            "besides": "and a further cause of",
            "more": "{} more are left out here; `--differences FILE` writes all of them.",
            "when": "event of",
            "decision": "decision",
            "rule": "rule",
            "live end": "live",
            "back end": "here",
            "then": "; ",
            "and": ", ",
            "differs": "what differs",
            "no match": "no match",
            "this event": "this event",
            "an event": "event",
            "why events": "one of the two did not have an event",
            "why versions": "other rules, policy, pools or stops were in force",
            "why order": "events were taken in another order",
            "why feedback": "feedback came back that the other did not have",
            "why models": "models had learnt something else",
            "why earlier": "it follows an earlier difference of the same customer",
            "why shared": "a limit that all customers share stood otherwise",
            "why clock": "the clock said something else",
            "why unknown": "nothing is known to have differed before",
            "told events log": "not in the log: {}",
            "told events live": "not taken live: {}",
            "told versions": "others in force live: {}",
            "told order": "live took {} before {}",
            "told feedback": "{}, {} in all",
            "told earlier": "after the difference at event {}",
            "told shared": "a shared limit",
            "told clock": "live at {}, here at {}",
            "told unknown": "not known",
            "part verdict": "verdict",
            "part arm": "arm",
            "part channel": "channel",
            "part pool": "pool",
            "part treatment": "form",
            "part control": "control group",
            "part score": "score",
            "part rank": "rank",
            "part passed": "gates passed",
            "part terms": "priority",
            "part chance": "chance",
            "part read": "values read by clauses",
            "part parameter": "parameter",
            "part facts": "facts",
            "part programme": "programme",
            "part deferred": "waiting for quiet hours",
            "part ledger": "the ledger's word",
            "part losers": "sampling of losers",
        },
        "zh": {
            "live": "与线上实际对照",
            "said": "线上或回测中每个触发了规则的事件，逐条规则对照：共{all}对，其中{same}对除决策时刻"
            "与事件在Kafka中的位置外完全一致。",
            "equal": "没有差异。",
            "differ": "有{number}对不同，涉及{customers}位客户。",
            "evidence": "原因指决策之前已知的不同之处，最可能的在前；这是线索而非证明。"
            "用 `kairos explain 决策号 --replay` 可重算线上决策。",
            "no order": "线上只留下决策，没有日志（journal）与事件，因此只知道有决策的事件的先后，也不知道有哪些反馈。",
            "what": "项目",
            "pairs": "规则与事件（对）",
            "share": "占比",
            "same": "各字段完全一致",
            "moment": "- 其中决策时刻也相同",
            "read": "结果相同，但读到或权衡的值不同",
            "other": "结果不同",
            "only_live": "仅线上触发",
            "only_back": "仅回测触发",
            "cause": "原因",
            "customers": "客户数",
            "besides": "作为次要原因",
            "more": "另有{}行未列出；用 `--differences 文件` 写出全部。",
            "when": "事件时间",
            "decision": "决策",
            "rule": "规则",
            "live end": "线上",
            "back end": "回测",
            "then": "；",
            "and": "、",
            "differs": "不同之处",
            "no match": "未触发",
            "this event": "本事件",
            "an event": "事件",
            "why events": "其中一方没有某个事件",
            "why versions": "当时生效的规则、政策、券池或叫停不同",
            "why order": "事件的处理顺序不同",
            "why feedback": "一方收到了另一方没有的反馈",
            "why models": "模型学到的不同",
            "why earlier": "由同一客户更早的差异引起",
            "why shared": "全体客户共用的限额状态不同",
            "why clock": "时钟不同",
            "why unknown": "此前没有已知的不同",
            "told events log": "日志中没有：{}",
            "told events live": "线上未处理：{}",
            "told versions": "线上生效的不同：{}",
            "told order": "线上先处理{}，后处理{}",
            "told feedback": "{}，共{}条",
            "told earlier": "在事件{}的差异之后",
            "told shared": "共用限额",
            "told clock": "线上{}，回测{}",
            "told unknown": "未知",
            "part verdict": "结果",
            "part arm": "分组",
            "part channel": "渠道",
            "part pool": "券池",
            "part treatment": "形式",
            "part control": "对照组",
            "part score": "评分",
            "part rank": "名次",
            "part passed": "放行的关卡",
            "part terms": "优先级",
            "part chance": "抽中概率",
            "part read": "条件读到的值",
            "part parameter": "参数",
            "part facts": "事实",
            "part programme": "活动",
            "part deferred": "等待静默时段结束",
            "part ledger": "账本答复",
            "part losers": "落选者抽样",
        },
    }
)
"""Sentences and headings by their names."""


def part(name: str, language: Language) -> str:
    """Say a part of a decision.

    Examples
    --------
    >>> part("pool", "en"), part("score", "zh")
    ('pool', '评分')

    """
    return SAID[language][f"part {name}"]
