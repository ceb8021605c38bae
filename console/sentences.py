"""Sentences: why a customer got an offer, in Chinese and in English. Customers' keys are masked."""

from typing import Literal

from console.counting_figures import Story

__all__ = ["masked", "sentence"]

_CHANNELS = {"sms": ("短信", "SMS"), "push": ("推送", "push"), "list": ("名单", "list")}
_EVENTS = {
    "app_usage": ("使用了{what}类App", "used an app of the class {what}"),
    "transaction": ("有一笔{what}消费", "paid for {what}"),
    "page_view": ("浏览了页面{what}", "looked at the page {what}"),
    "login": ("登录了手机银行", "logged in to the mobile bank"),
}
_CHINESE = {
    "food_delivery": "外卖",
    "shopping": "购物",
    "coupons": "优惠券",
    "travel": "旅游",
    "ride_hailing": "打车",
    "groceries": "买菜",
    "maps": "地图",
    "finance": "金融",
    "payments": "支付",
    "grocery": "超市",
    "pharmacy": "药店",
    "drugstore": "药妆",
    "fuel": "加油",
    "dining": "餐饮",
    "meat": "肉类",
    "deli": "熟食",
    "beauty": "美妆",
    "pets": "宠物用品",
    "baby": "母婴",
    "health_food": "健康食品",
    "alcohol": "酒类",
    "home_garden": "家居园艺",
    "utilities": "水电",
    "telecom": "通信",
    "fashion": "服饰",
    "education": "教育",
    "leisure": "休闲",
    "other": "其他",
}


def masked(customer: str) -> str:
    """Hide who a customer is.

    Examples
    --------
    >>> masked("C000123")
    'C0***'

    """
    return f"{customer[:2]}***"


def sentence(story: Story, language: Literal["zh", "en"]) -> str:
    """Say who got what, by which rule, because of which event, and how likely a reaction was held to be.

    Examples
    --------
    >>> from console.counting_records import decision, offer
    >>> made = decision(
    ...     '{"id":"d1","customer":"C000123","event":{"type":"app_usage","topic":"t","partition":0,"offset":7},'
    ...     '"state":"offered","channel":"sms","facts":{"event.category":"food_delivery"},'
    ...     '"verdicts":[{"rule":"noon","verdict":"won","score":0.125}]}'
    ... )
    >>> sent = offer(
    ...     '{"id":"o1","decision":"d1","rule":"noon","channel":"sms","text":{"zh":"券","en":"A coupon"}}'
    ... )
    >>> print(sentence(Story(made, sent, "午餐"), "en"))
    C0*** used an app of the class food_delivery: rule noon, by SMS: "A coupon" (chance of a reaction 12.5 %)
    >>> print(sentence(Story(made, sent, "午餐"), "zh"))
    C0***使用了外卖类App，命中规则“午餐”，短信：“券”（预计响应率12.5%）

    """
    made, sent = story.decision, story.offer
    place = 0 if language == "zh" else 1
    category = made.facts.category or ("其他" if language == "zh" else "something else")
    what = _CHINESE.get(category, category) if language == "zh" else category
    event = _EVENTS.get(made.event.type, (made.event.type, made.event.type))[place].format(what=what)
    channel = _CHANNELS.get(sent.channel, (sent.channel, sent.channel))[place]
    score = next((verdict.score for verdict in made.verdicts if verdict.verdict == "won"), None)
    who = masked(made.customer)
    if language == "zh":
        chance = "" if score is None else f"（预计响应率{score:.1%}）"
        return f"{who}{event}，命中规则“{story.rule_name or sent.rule}”，{channel}：“{sent.text.zh}”{chance}"
    chance = "" if score is None else f" (chance of a reaction {score * 100:.1f} %)"
    return f'{who} {event}: rule {sent.rule}, by {channel}: "{sent.text.en}"{chance}'
