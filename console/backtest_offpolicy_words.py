"""The words for an off-policy estimate, in Chinese and English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.saying import Language

__all__ = ["SAID"]

SAID: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            "title": "Off-policy estimate of reactions",
            "said": "An estimate and no count: nobody reacted to this backtest. It asks how often customers would have "
            "reacted, had these rules chosen which offer comes first, from a live run that explored and logged with "
            "which chance each offer could have come first. An offer is the same where rule, form, channel and pool "
            "are; whether its text is the same is not looked at.",
            "how": "Each reaction that was recorded live is weighed by how much more often these rules would have put "
            "that offer first. Intervals hold 95% where decisions are independent; the effective sample is how many "
            "decisions the weights are worth. It says nothing of what other decisions would have followed later.",
            "no chances": "Unknown: no live decision that also these rules would make has logged chances. Exploration "
            "is switched on by `explore` in the file of priorities.",
            "no overlap": "Unknown: these rules would make offers that the live run could not have made.",
            "no offers": "Unknown: where live put an offer first, these rules put none.",
            "no reactions": "Unknown: neither the log nor the live run holds a reaction.",
            "simulated": "{count} reactions were made up by a program.",
            "what": "what",
            "live decisions": "live decisions",
            "share": "share",
            "decisions": "an offer was put first live",
            "silent": "- these rules would put none first: not estimated",
            "unlogged": "- no chance was logged: unknown",
            "unsupported": "- these rules would make an offer that live could not have made: unknown",
            "rows": "- comparable: the estimate is about these",
            "reaction": "reaction",
            "method": "off-policy estimate by",
            "estimate": "reactions a decision",
            "interval": "95% interval",
            "effective": "effective sample",
            "live rate": "live, counted",
            "ips": "inverse chances (IPS)",
            "snips": "the same, self-normalised",
            "unknown thin": "unknown: too little overlap",
            "unknown few": "unknown: too few reactions",
            "opened": "opened",
            "clicked": "clicked",
            "redeemed": "redeemed",
            "converted": "converted",
        },
        "zh": {
            "title": "客户反应的离策略估计",
            "said": "这是估计而非统计：没有客户对本次回测作出反应。它依据线上探索时记录的各优惠排在首位的概率，"
            "估计若由这些规则选择首位优惠，客户会有多少反应。规则、形式、渠道与券池相同即视为同一优惠；文案是否相同不作比较。",
            "how": "线上记录的每个反应，按这些规则把该优惠排在首位的概率与线上概率之比加权。"
            "若各决策相互独立，区间有95%的把握；有效样本是权重相当于多少个决策。之后会引出哪些别的决策，估计中没有。",
            "no chances": "未知：这些规则也会作出的线上决策，都没有记录概率。在优先级文件中用 `explore` 开启探索。",
            "no overlap": "未知：这些规则会选择线上不可能选择的优惠。",
            "no offers": "未知：线上有优惠排在首位之处，这些规则都不会发出。",
            "no reactions": "未知：日志与线上记录中都没有客户反应。",
            "simulated": "其中{count}个反应由程序虚构。",
            "what": "项目",
            "live decisions": "线上决策数",
            "share": "占比",
            "decisions": "线上有优惠排在首位",
            "silent": "- 这些规则不会发出：不作估计",
            "unlogged": "- 未记录概率：未知",
            "unsupported": "- 这些规则会选线上不可能选的优惠：未知",
            "rows": "- 可比：估计仅针对这些",
            "reaction": "反应",
            "method": "离策略估计方法",
            "estimate": "每个决策的反应",
            "interval": "95%区间",
            "effective": "有效样本",
            "live rate": "线上实际",
            "ips": "逆概率加权（IPS）",
            "snips": "逆概率加权（自归一）",
            "unknown thin": "未知：重叠太少",
            "unknown few": "未知：反应太少",
            "opened": "打开",
            "clicked": "点击",
            "redeemed": "核销",
            "converted": "转化",
        },
    }
)
"""Sentences and headings by their names."""
