"""`python -m bench decision`: what policy and arbitration cost a decision with six candidates.

Gates, ledger of contacts and ranks, as `rules.decide` asks them of one customer who was contacted before; no scores, no
store and no Kafka. Then a whole decision with all that is read and written, and the text of one candidate where a
template makes it; one without a template costs nothing more. Beside it the bare decode of the event's JSON in the same
run, for a busy machine shows ratios only.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.whole_decision import whole_decision
from kairos.customer import Customer, Standing
from kairos.decisions import Arm
from kairos.events import Consent, Event, Profile, Transaction
from kairos.instants import DAY, from_rfc3339, moment
from kairos.offers import Channel, CouponPool, Offer
from rules.book import load
from rules.candidates import Candidate
from rules.decide import gates, rank
from rules.exploring import Exploring
from rules.limits import hold
from rules.message import About, Said, finished, message_of
from rules.policy import Policy, load_policy
from rules.priorities import Priorities, load_priorities
from rules.schema import Rule, Then
from rules.templates import Templates
from rules.weighing import Weighing
from streams.interpreter import collect_rarely, leave_alone

__all__ = ["main"]

CANDIDATES = 6
_NOON = from_rfc3339("2026-12-01T12:00:00+08:00")
_RECORD = json.dumps({"amount": 1200, "direction": "debit", "card": "debit", "merchant_category": "dining"})
_RULE = """
  - id: rule-{number}
    name: rule {number}
    scenario: activation
    programme: programme-{programme}
    on: {{event: transaction}}
    then:
      offer: {{product: product-{number}}}
      channels: [sms, push]
      template: t
      text: {{zh: 券, en: A coupon}}
      expires: 2h
    limits: {{cooldown: 7d}}
    experiment: {{control: 10%}}
"""
_COUNTING = "    priority: {value: 35, context: [{event: transaction, where: {card: debit}, times: 1.2}]}\n"
_EVERYTHING = """
format: 1
zone: Asia/Shanghai
smoothing: {prior: 5%, impressions: 200}
explore: {gamma: 200, evenly: 2%}
levers:
  - {name: one, times: 1.5, programme: programme-0, owner: a, because: b, until: 2027-12-31}
  - {name: two, times: 0.8, channel: sms, owner: a, because: b, until: 2027-12-31}
"""
_SHIPPED = Path(__file__).parent.parent / "examples" / "policy.yaml"


def main(words: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench decision", description=__doc__)
    parser.add_argument("--decisions", type=int, default=5_000, help="decisions a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="interleaved runs (default: %(default)s)")
    asked = parser.parse_args(words)
    shipped = load_policy(_SHIPPED.read_bytes())
    if not isinstance(shipped, Policy):
        parser.error("\n".join(map(str, shipped)))
    parts: dict[str, Callable[[], object]] = {
        "decode of the event's JSON": lambda: json.loads(_RECORD),
        "a house without a policy": _decision(Policy.default()),
        "examples/policy.yaml, everything in it": _decision(shipped),
        "the same, terms, levers and exploration": _decision(shipped, _EVERYTHING),
        "a whole decision in the stage, one candidate": whole_decision(1, _NOON),
        "a whole decision in the stage, six candidates": whole_decision(CANDIDATES, _NOON),
        "a message of a template, four values": _message(),
        "a coupon's code put into its text": _finish(),
    }
    found: dict[str, list[float]] = {name: [] for name in parts}
    # As in a worker: cycles are sought as rarely, and not in what was there before.
    leave_alone()
    collect_rarely()
    for _ in range(asked.runs):
        for name, part in parts.items():
            found[name].append(_timed(part, asked.decisions))
    decode = median(found["decode of the event's JSON"])
    print(f"Microseconds of processor time a decision with {CANDIDATES} candidates, medians of {asked.runs} runs;")
    print("behind them the least, and the median as a multiple of the decode.\n")
    for name, times in found.items():
        print(f"{name:46} {median(times):7.2f} {min(times):7.2f} {median(times) / decode:7.1f} x")
    return 0


def _timed(part: Callable[[], object], times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        part()
    return (time.process_time() - begin) / times * 1e6


def _decision(policy: Policy, priorities: str = "") -> Callable[[], object]:
    rules, customer = _rules(_COUNTING if priorities else ""), Customer()
    for days in (20, 15, 9):
        hold(customer, Candidate(rules[0], Arm.TREATMENT, Channel.SMS), _NOON - days * DAY, _NOON)
    yes = Consent(purpose="*", channel="*", granted=True, at=datetime(2020, 1, 1, tzinfo=UTC))
    standing = Standing(Profile(consent=(yes,), personalisation=True))
    event = Event("e", "transaction", _NOON, "c1", "dining", Transaction(amount=1200, direction="debit"))
    scores = {rule.id: 0.05 for rule in rules}
    said = load_priorities(priorities) if priorities else Priorities.default()
    if not isinstance(said, Priorities):
        raise SystemExit("\n".join(map(str, said)))

    def decide() -> object:
        return rank(gates(event, customer, standing, rules, policy, _NOON), scores)

    def weigh() -> object:
        found = gates(event, customer, standing, rules, policy, _NOON)
        weighing = Weighing(event, said, _NOON)
        weights = {c.rule.id: weighing.of(c, 0.05, 100, "m") for c in found}
        counted = {rule: scores[rule] if weight is None else weight.priority for rule, weight in weights.items()}
        return rank(found, counted, None if said.explore is None else Exploring(said.explore, event.id))

    return weigh if priorities else decide


_THEN = """
  - id: spoken
    name: spoken
    scenario: activation
    programme: spoken
    on: {event: transaction}
    then:
      offer: {product: mobile-bank, pool: p}
      channels: [sms]
      template: bench
      with:
        shop: {coupon: merchant}
        value: {coupon: value}
        at: {event: at}
        amount: {event: amount}
        code: {coupon: code}
      expires: 2h
"""
_TEMPLATES: dict[str, Any] = {
    "format": 1,
    "zone": "Asia/Shanghai",
    "currency": "CNY",
    "words": {"cafe": {"zh": "咖啡店", "en": "the cafe"}},
    "templates": {
        "bench": {
            "name": "bench",
            "parameters": {
                "shop": {"type": "word", "length": 10},
                "value": {"type": "money"},
                "at": {"type": "time"},
                "amount": {"type": "money"},
                "code": {"type": "code", "length": 18},
            },
            "texts": {
                "sms": {
                    "zh": "您{{ at }}消费{{ amount }}元，凭{{ code }}在{{ shop }}减{{ value }}元，退订回复T",
                    "en": "{{ amount }} at {{ at }}: {{ value }} off at {{ shop }} with {{ code }}. Reply T to stop",
                }
            },
        }
    },
}


def _message() -> Callable[[], object]:
    templates, then, about = _asked()
    return lambda: message_of(templates, then, Channel.SMS, about)


def _finish() -> Callable[[], object]:
    templates, then, about = _asked()
    said = message_of(templates, then, Channel.SMS, about)
    if not isinstance(said, Said):
        raise TypeError(f"the message of the bench is not made: {said}")
    at = moment(_NOON)
    offer = Offer(
        id="o",
        decision="d",
        customer="c1",
        programme="spoken",
        rule="spoken",
        channel=Channel.SMS,
        purpose="marketing",
        template="bench",
        text=said.text,
        decided_at=at,
        expires_at=at,
        message=said.message,
    )
    return lambda: finished(offer, "K00000Z879HA7J2Z")


def _asked() -> tuple[Templates, Then, About]:
    templates = Templates.model_validate(_TEMPLATES)
    book = load({"bench.yaml": f"format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:{_THEN}"}).book
    if book is None:
        raise ValueError("the rule of the bench is wrong")
    event = Event("e", "transaction", _NOON, "c1", "dining", Transaction(amount=1200, direction="debit"))
    pool = CouponPool(pool="p", programme="spoken", merchant="cafe", value=1500, count=9)
    about = About(event, Profile(attrs={"language": "zh"}), "mobile-bank", _NOON, pool)
    return templates, book.rules["spoken"].then, about


def _rules(more: str = "") -> list[Rule]:
    text = "".join(_RULE.format(number=number, programme=number % 2) + more for number in range(CANDIDATES))
    book = load({"bench.yaml": f"format: 1\nzone: Asia/Shanghai\ncurrency: CNY\nrules:{text}"}).book
    return [] if book is None else list(book.rules.values())
