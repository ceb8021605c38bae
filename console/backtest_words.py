"""The words of a backtest's report, in Chinese and English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from console.backtest_figures import WON
from kairos.decisions import Reason
from rules.reasons import REASONS
from rules.saying import WORDS, Language

__all__ = ["SAID", "channel", "fate"]

SAID: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            "title": "Backtest",
            "subtitle": "{log}: {first} to {last} ({zone})",
            "events": "records of the log",
            "matches": "matches",
            "messages": "messages",
            "reached": "customers reached",
            "control": "left alone (control)",
            "coupons": "coupons",
            "face": "face value",
            "funnel": "From match to message",
            "funnel said": "{customers} customers met a rule, {matched} times in all. {offered} messages would "
            "have gone out to {reached} customers; every other match stands below with its reason, in the order of "
            "the gates.",
            "funnel nothing": "No customer met a rule.",
            "became": "what became of it",
            "share": "share",
            "sent": "a message would have gone out",
            "volume": "When",
            "volume said": "Messages that would have gone out, by the clock of {zone}.",
            "volume nothing": "No message would have gone out.",
            "by hour": "Messages by hour of the day",
            "by day": "Messages by day",
            "by week": "Messages by week (its Monday)",
            "by month": "Messages by month",
            "hour": "hour",
            "period": "from",
            "all": "all",
            "pools": "Coupons and budgets",
            "pools said": "What was given out stays reserved: whether a coupon was used is not known.",
            "sampled": "The log holds one in {sample} of the customers, so each pool was made as much smaller.",
            "imported": "Codes that a merchant sends as a file were taken to be in stock: {pools}.",
            "left chart": "Left of each pool over time, in per cent",
            "pool": "pool",
            "merchant": "merchant",
            "programme": "programme",
            "limit": "limit",
            "budget": "budget",
            "given": "given out",
            "left": "left",
            "not served": "wishes not served",
            "empty": "first turned away",
            "rules": "Rules",
            "rule": "rule",
            "name": "name",
            "customers": "customers",
            "why not": "most frequent reason against",
            "every reason": "Every reason, by rule",
            "arms": "Arms and forms of the offer",
            "arms said": "Each rule with a control group or several forms, by what was drawn for its customers at the "
            "match, whatever came after. What compares is who came through every gate but the arm. What a form "
            "brought is not known: a backtest has no reactions.",
            "no arms": "No rule that matched has a control group or a second form.",
            "arm": "arm",
            "form": "form",
            "through": "through all gates",
            "treatment": "treatment",
            "control arm": "control",
            "overlap": "Where rules meet",
            "overlap said": "Two rules that matched for one customer at the same event. Only one message goes out.",
            "no overlap": "No two rules matched at the same event.",
            "first rule": "rule A",
            "second rule": "rule B",
            "together": "together",
            "a first": "A went first",
            "b first": "B went first",
            "gate": "a gate decided",
            "compare": "What would change",
            "compare said": "Before: {before}. After: {after}. Compared by customer and event. Where nothing else is "
            "said, everything in this report is of the rules before.",
            "whose": "{title} ({when}: {folder})",
            "before": "before",
            "after": "after",
            "same": "the same message to the same customer at the same event",
            "other": "another rule or channel speaks at the same event",
            "gained": "a message that was none before",
            "lost": "no message any more",
            "customers gained": "customers reached who were not before",
            "customers lost": "customers no longer reached",
            "change": "change",
            "same folders": "Nothing changes: every message is the same.",
            "limits": "What this does not tell",
            "left out": "{} more are left out here",
            "l clock": "The clock is that of the newest event; caps, cooldowns, hours and budgets count by it. Live, "
            "events of several topics may be taken in another order, and a decision may fall a moment later.",
            "l reactions": "Reactions are not invented: opens, redemptions and conversions are unknown. An offer "
            "counts as an attempt and its coupon stays reserved, as if the gateway never answered; no channel rests "
            "because its messages were ignored.",
            "l feedback": "{answered} receipts or reactions of the log belong to offers of this run and were taken "
            "into account.",
            "l models": "No model has learnt anything: a rule that asks for a score lets nobody through.",
            "l later": "{later} decisions were made after the log's last event, because they had to wait. What would "
            "have happened until then is not in the log.",
            "l testers": "{testers} decisions for customers who test are in no figure but the pools'.",
            "l dead": "{dead} records were refused at the door, as they would be live.",
            "l waited": "{waited} decisions waited for the end of quiet hours; they are told at the hour at which they "
            "were made.",
            "l stops": "Nothing was stopped by hand, and rules, policy and pools stayed the same all the time.",
            "inputs": "What it ran on",
            "what": "what",
            "which": "which",
            "content": "content hash",
            "log": "log",
            "origin": "origin",
            "real": "recorded",
            "simulated": "made up by a program",
            "policy": "policy",
            "none": "none",
        },
        "zh": {
            "title": "回测报告",
            "subtitle": "{log}：{first} 至 {last}（{zone}）",
            "events": "日志记录数",
            "matches": "触发次数",
            "messages": "触达条数",
            "reached": "触达客户数",
            "control": "对照组留空",
            "coupons": "发券张数",
            "face": "券面金额",
            "funnel": "从触发到触达",
            "funnel said": "共有{customers}位客户满足过规则，合计{matched}次。会发出{offered}条消息，"
            "触达{reached}位客户；其余各次均按关卡顺序在下方列明原因。",
            "funnel nothing": "没有客户满足任何规则。",
            "became": "结果",
            "share": "占比",
            "sent": "会发出消息",
            "volume": "何时发出",
            "volume said": "会发出的消息，按{zone}当地时间统计。",
            "volume nothing": "不会发出任何消息。",
            "by hour": "按一天中的小时",
            "by day": "按日",
            "by week": "按周（以周一表示）",
            "by month": "按月",
            "hour": "小时",
            "period": "起始",
            "all": "合计",
            "pools": "券与预算",
            "pools said": "发出的券一直计为占用：是否核销无从得知。",
            "sampled": "日志只含每{sample}位客户中的1位，因此各券池按同样比例缩小。",
            "imported": "由商户提供券码的券池按库存充足计算：{pools}。",
            "left chart": "各期末券池剩余（百分比）",
            "pool": "券池",
            "merchant": "商户",
            "programme": "活动",
            "limit": "总量",
            "budget": "预算",
            "given": "已发",
            "left": "剩余",
            "not served": "未能满足",
            "empty": "首次发不出",
            "rules": "各规则",
            "rule": "规则",
            "name": "名称",
            "customers": "客户数",
            "why not": "最常见的未发原因",
            "every reason": "各规则的全部原因",
            "arms": "分组与权益形式",
            "arms said": "有对照组或多种形式的规则，按触发时抽签所得的组统计，与之后的结果无关。"
            "可比的是通过除分组以外全部关卡的次数。各形式带来多少反应无从得知：回测没有客户反应。",
            "no arms": "满足过的规则都没有对照组，也没有多种形式。",
            "arm": "分组",
            "form": "形式",
            "through": "通过全部关卡",
            "treatment": "实验组",
            "control arm": "对照组",
            "overlap": "规则重叠",
            "overlap said": "同一客户、同一事件同时满足的两条规则；最终只发一条消息。",
            "no overlap": "没有两条规则在同一事件上同时满足。",
            "first rule": "规则A",
            "second rule": "规则B",
            "together": "同时满足",
            "a first": "A优先",
            "b first": "B优先",
            "gate": "由关卡决定",
            "compare": "会有什么变化",
            "compare said": "变更前：{before}。变更后：{after}。按客户与事件逐一比较。"
            "除另有说明外，本报告其余内容均为变更前的结果。",
            "whose": "{title}（{when}：{folder}）",
            "before": "变更前",
            "after": "变更后",
            "same": "同一客户、同一事件收到相同消息",
            "other": "同一事件改由其他规则或渠道触达",
            "gained": "新增的消息",
            "lost": "不再发出的消息",
            "customers gained": "新触达的客户",
            "customers lost": "不再触达的客户",
            "change": "变化",
            "same folders": "没有变化：每条消息都相同。",
            "limits": "本报告不能说明的事",
            "left out": "另有{}行未列出",
            "l clock": "时钟取最新事件的时间，频控、冷却、时段与预算均以此计算。"
            "线上多个主题的事件可能以另一种顺序处理，决策也可能稍晚片刻。",
            "l reactions": "不虚构客户反应：打开、核销、转化均为未知。每条消息计为一次触达，"
            "其券一直占用，如同渠道从未回执；也不会因连续未读而暂停渠道。",
            "l feedback": "日志中有{answered}条回执或反应属于本次回测的消息，已计入。",
            "l models": "模型未经学习：要求评分的规则不会放行任何客户。",
            "l later": "有{later}个决策因需等待而在日志最后一个事件之后作出；其间会发生什么，日志中没有。",
            "l testers": "测试客户的{testers}个决策只计入券池，不计入其他数字。",
            "l dead": "有{dead}条记录在入口被拒收，与线上一致。",
            "l waited": "有{waited}个决策等到静默时段结束才作出，按作出决策的时刻统计。",
            "l stops": "期间没有人工叫停，规则、政策与券池始终不变。",
            "inputs": "所用材料",
            "what": "项目",
            "which": "文件",
            "content": "内容哈希",
            "log": "日志",
            "origin": "来源",
            "real": "真实记录",
            "simulated": "程序虚构",
            "policy": "触达政策",
            "none": "无",
        },
    }
)
"""Sentences and headings by their names."""


def fate(verdict: str, language: Language) -> str:
    """Say what became of a match.

    Examples
    --------
    >>> fate("won", "en"), fate("gap", "zh")
    ('a message would have gone out', '距上次触达间隔过短')

    """
    return SAID[language]["sent"] if verdict == WON else REASONS[language][Reason(verdict)]


def channel(name: str, language: Language) -> str:
    """Say a channel.

    Examples
    --------
    >>> channel("sms", "zh")
    '短信'

    """
    return WORDS[language].get(name, name)
