"""Reasons in words: why a rule that matched led to no message, as marketing and compliance read it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kairos.decisions import Reason
from rules.saying import Language

__all__ = ["REASONS"]

REASONS: Final[Mapping[Language, Mapping[Reason, str]]] = MappingProxyType(
    {
        "zh": {
            Reason.HELD: "目录不可读，全部暂缓",
            Reason.STOPPED: "被人工叫停",
            Reason.RULE_PAUSED: "规则已暂停",
            Reason.NOT_VALID: "不在规则有效期内",
            Reason.STALE: "事件已过时效",
            Reason.DO_NOT_CONTACT: "客户要求免打扰",
            Reason.NO_CONSENT: "客户未同意该用途或渠道",
            Reason.NO_PERSONALISATION: "客户不同意个性化营销",
            Reason.BLACKOUT: "节假日或静默日",
            Reason.QUIET_HOURS: "非触达时段",
            Reason.COOLDOWN: "规则冷却期内",
            Reason.CUSTOMER_LIMIT: "该客户已达规则次数上限",
            Reason.GAP: "距上次触达间隔过短",
            Reason.OVERALL_CAP: "已达全渠道频控上限",
            Reason.PURPOSE_CAP: "已达该用途频控上限",
            Reason.IGNORED: "连续未读，渠道休息中",
            Reason.CONTACT_CAP: "已达渠道频控上限",
            Reason.TOO_MANY_PENDING: "等待中的规则过多",
            Reason.SCORE_TOO_LOW: "模型评分不足",
            Reason.OUTRANKED: "排序落后于其他规则",
            Reason.NO_ANSWER: "账本未及时答复",
            Reason.OUT_OF_STOCK: "券已发完",
            Reason.OVER_BUDGET: "预算已用完",
            Reason.DAY_LIMIT: "当日额度已用完",
            Reason.MONTH_LIMIT: "当月额度已用完",
            Reason.COUPON_LIMIT: "该客户领券已达上限",
            Reason.PROGRAMME_LIMIT: "活动额度已用完",
            Reason.OVER_SLICE: "活动在共享预算中的份额已用完",
            Reason.POOL_NOT_VALID: "券池不在有效期内",
            Reason.UNKNOWN_POOL: "券池不存在",
            Reason.NO_LONGER_MATCHES: "等待结束时已不满足条件",
            Reason.CONTROL: "对照组，故意不发送",
            Reason.NO_PERMISSION: "发送时没有触达许可记录",
            Reason.EXPIRED: "发送前已过期",
            Reason.GATEWAY_REFUSED: "网关拒收",
            Reason.ANSWER_LOST: "网关答复丢失，结果未知",
            Reason.INTERRUPTED: "发送中断，结果未知",
        },
        "en": {
            Reason.HELD: "the catalogue could not be read, so everything was held",
            Reason.STOPPED: "stopped by hand",
            Reason.RULE_PAUSED: "the rule is paused",
            Reason.NOT_VALID: "outside the days for which the rule is valid",
            Reason.STALE: "the event was too old",
            Reason.DO_NOT_CONTACT: "the customer wants to be left alone",
            Reason.NO_CONSENT: "no consent for this purpose and channel",
            Reason.NO_PERSONALISATION: "no consent to personalised offers",
            Reason.BLACKOUT: "a holiday or a blackout",
            Reason.QUIET_HOURS: "quiet hours",
            Reason.COOLDOWN: "the rule rests for this customer (cooldown)",
            Reason.CUSTOMER_LIMIT: "the rule had its turns with this customer",
            Reason.GAP: "too soon after the last message",
            Reason.OVERALL_CAP: "enough messages over all channels",
            Reason.PURPOSE_CAP: "enough messages for this purpose",
            Reason.IGNORED: "the channel rests, its messages were ignored",
            Reason.CONTACT_CAP: "enough messages by this channel",
            Reason.TOO_MANY_PENDING: "too many rules wait for this customer",
            Reason.SCORE_TOO_LOW: "the model's score was too low",
            Reason.OUTRANKED: "another rule went first",
            Reason.NO_ANSWER: "the ledger did not answer in time",
            Reason.OUT_OF_STOCK: "no coupon was left",
            Reason.OVER_BUDGET: "the budget was spent",
            Reason.DAY_LIMIT: "the day's coupons or money were given out",
            Reason.MONTH_LIMIT: "the month's money was given out",
            Reason.COUPON_LIMIT: "the customer had as many coupons as one may have",
            Reason.PROGRAMME_LIMIT: "the programme's coupons or budget were given out",
            Reason.OVER_SLICE: "the programme's slice of a shared budget was spent",
            Reason.POOL_NOT_VALID: "outside the days for which the coupons are valid",
            Reason.UNKNOWN_POOL: "there is no such coupon pool",
            Reason.NO_LONGER_MATCHES: "the rule no longer matched when its wait was over",
            Reason.CONTROL: "control group, left alone on purpose",
            Reason.NO_PERMISSION: "no permission was on record when it was to be sent",
            Reason.EXPIRED: "it expired before it could be sent",
            Reason.GATEWAY_REFUSED: "the gateway refused it for good, see its dead letter",
            Reason.ANSWER_LOST: "the gateway's answer was lost, nobody knows whether it arrived",
            Reason.INTERRUPTED: "delivery died while it was sent, nobody knows whether it arrived",
        },
    }
)
"""Each reason in a few words, in both languages."""
