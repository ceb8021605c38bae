"""Skeletons: a first rule of each scenario, commented and with tests that pass, to be changed by its author."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.schema import Scenario

__all__ = ["skeleton"]

_FILE = """\
# yaml-language-server: $schema=rules.schema.json
# {about}
# Change what is marked with "<-". Then: kairos rules test THIS-FILE, and kairos rules check THIS-FILE.
format: 1
zone: Asia/Shanghai            # days and times in this file are meant here
currency: CNY                  # 30 means 30.00 of it; other money is written 12000 JPY
rules:
  - id: {id}   # <- for ever: reports and cooldowns know the rule by it
    name: {name}
    scenario: {scenario}
    programme: {programme}   # <- who pays; a coupon pool must belong to it
    status: draft              # counts from now on, but never fires; write active when the tests say what you mean
{clauses}
    then:
      offer: {{product: {product}}}   # <- or {{pool: NAME-OF-A-POOL}}, or both
      channels: [{channels}]     # in this order; the first one that may be used
      template: {template}
      text:
        zh: "{zh}"
        en: "{en}"
      expires: 1d
    limits: {{cooldown: 30d}}    # at most one decision for a customer in 30 days
    experiment: {{control: 10%}} # left alone, so that the effect can be measured
    tests:
{tests}
"""

_PARTS: Final[Mapping[Scenario, Mapping[str, str]]] = MappingProxyType(
    {
        Scenario.ACQUISITION: {
            "about": "Win customers for the mobile bank: they use a takeaway app and have not registered.",
            "id": "my-newcomers",
            "name": "外卖App用户：注册手机银行",
            "programme": "mobile-acquisition",
            "clauses": """\
    on: {event: app_usage, where: {app_class: food_delivery}}   # <- the event that makes the rule look
    who:
      all:
        - attr: {mobile_bank: unregistered}
    when:
      all:
        - count: {same_as: on, within: 7d, at_least: 2}   # the event itself counts, too""",
            "product": "mobile-bank",
            "channels": "sms",
            "template": "newcomer",
            "zh": "注册手机银行，新客好礼等您来领",
            "en": "Register for mobile banking and collect your welcome gift",
            "tests": """\
      - name: the second order in a week fires
        customer: {attrs: {mobile_bank: unregistered}}
        events:
          - {at: 2026-12-07 12:05, event: app_usage, app_class: food_delivery}
          - {at: 2026-12-09 12:10, event: app_usage, app_class: food_delivery}
          - {at: 2026-12-10 12:00, event: app_usage, app_class: food_delivery}
        fires: [2026-12-09 12:10]
        why_not: {2026-12-07 12:05: count, 2026-12-10 12:00: cooldown}
      - name: who is registered is no newcomer
        customer: {attrs: {mobile_bank: active}}
        events:
          - {at: 2026-12-07 12:05, event: app_usage, app_class: food_delivery}
          - {at: 2026-12-08 12:05, event: app_usage, app_class: food_delivery}
        fires: []
        why_not: {2026-12-08 12:05: attr:mobile_bank}""",
        },
        Scenario.ACTIVATION: {
            "about": "Wake up customers who are registered and have not logged in for two months, when they pay.",
            "id": "my-sleepers",
            "name": "沉睡客户消费时唤醒",
            "programme": "mobile-activation",
            "clauses": """\
    on: {event: transaction, where: {direction: debit, merchant_category: [dining, grocery], amount: {at_least: 30}}}
    who:
      all:
        - attr: {mobile_bank: registered}
    when:
      all:
        - last_seen: {event: login, at_least: 60d}   # so long ago, or never""",
            "product": "mobile-bank",
            "channels": "push, sms",
            "template": "sleeper",
            "zh": "登录手机银行，查看刚才的消费，领取优惠",
            "en": "Log in to mobile banking, see your payment and collect a benefit",
            "tests": """\
      - name: a sleeper pays for dinner
        customer: {attrs: {mobile_bank: registered}}
        events:
          - {at: 2026-09-01 09:00, event: login}
          - {at: 2026-12-05 18:30, event: transaction, merchant_category: dining, amount: 88}
        fires: [2026-12-05 18:30]
      - name: a login last week is recent, and 29 yuan are not enough
        customer: {attrs: {mobile_bank: registered}}
        events:
          - {at: 2026-12-01 09:00, event: login}
          - {at: 2026-12-05 18:30, event: transaction, merchant_category: dining, amount: 88}
          - {at: 2026-12-05 19:30, event: transaction, merchant_category: dining, amount: 29}
        fires: []
        why_not: {2026-12-05 18:30: last_seen, 2026-12-05 19:30: where:amount}""",
        },
        Scenario.AUM_UPLIFT: {
            "about": "Offer savings to customers with little of their money with us, when a large amount comes in.",
            "id": "my-large-credit",
            "name": "大额入账后推荐理财",
            "programme": "wealth",
            "clauses": """\
    on: {event: transaction, where: {direction: credit, amount: {at_least: 20000}}}
    who:
      all:
        - attr: {aum: {below: 200000}}   # <- an attribute of your bank
        - not: {tag: staff}
    when:
      all:
        - count: {same_as: on, within: 90d, at_least: 2}   # the event itself counts, too""",
            "product": "fixed-deposit-6m",
            "channels": "push",
            "template": "wealth",
            "zh": "工资到账，闲钱也要生息：6个月定期了解一下",
            "en": "Your money has arrived: let it earn, with a deposit for six months",
            "tests": """\
      - name: the second large amount in a quarter
        customer: {attrs: {aum: 80000}}
        events:
          - {at: 2026-11-10 10:00, event: transaction, direction: credit, amount: 21000}
          - {at: 2026-12-10 10:00, event: transaction, direction: credit, amount: 22000}
        fires: [2026-12-10 10:00]
        why_not: {2026-11-10 10:00: count}
      - name: staff are left alone
        customer: {attrs: {aum: 80000}, tags: [staff]}
        events:
          - {at: 2026-11-10 10:00, event: transaction, direction: credit, amount: 21000}
          - {at: 2026-12-10 10:00, event: transaction, direction: credit, amount: 22000}
        fires: []
        why_not: {2026-12-10 10:00: tag:staff}""",
        },
        Scenario.DEBIT_TO_CREDIT: {
            "about": "Offer a credit card to customers who pay by debit card all the time and have none.",
            "id": "my-regulars",
            "name": "借转贷：高频借记卡消费",
            "programme": "debit-to-credit",
            "clauses": """\
    on: {event: transaction, where: {direction: debit, card: debit}}
    who:
      all:
        - attr: {has_credit_card: false, age: {at_least: 22, at_most: 55}}
    when:
      all:
        - count: {same_as: on, within: 30d, at_least: 4}   # <- how often is often""",
            "product": "cashback-credit-card",
            "channels": "push, sms",
            "template": "card-upgrade",
            "zh": "您常用借记卡消费，申请返现信用卡，每笔都有返现",
            "en": "You pay by card a lot: with our cashback card every payment brings something back",
            "tests": """\
      - name: the fourth payment in a month
        customer: {attrs: {has_credit_card: false, age: 30}}
        events:
          - {at: 2026-12-01 10:00, event: transaction, card: debit, amount: 90}
          - {at: 2026-12-02 10:00, event: transaction, card: debit, amount: 80}
          - {at: 2026-12-03 10:00, event: transaction, card: debit, amount: 70}
          - {at: 2026-12-04 10:00, event: transaction, card: debit, amount: 60}
        fires: [2026-12-04 10:00]
        why_not: {2026-12-03 10:00: count}
      - name: a payment by credit card is another event, and an unknown age speaks for nobody
        customer: {attrs: {has_credit_card: false}}
        events:
          - {at: 2026-12-01 10:00, event: transaction, card: credit, amount: 90}
          - {at: 2026-12-02 10:00, event: transaction, card: debit, amount: 80}
        fires: []
        why_not: {2026-12-01 10:00: where:card, 2026-12-02 10:00: attr:age}""",
        },
    }
)


def skeleton(scenario: Scenario) -> str:
    """Write the example file of a scenario; it has no mistakes and its tests pass.

    Examples
    --------
    >>> print(skeleton(Scenario.ACTIVATION).splitlines()[1])
    # Wake up customers who are registered and have not logged in for two months, when they pay.

    """
    return _FILE.format(scenario=scenario.value, **_PARTS[scenario])
