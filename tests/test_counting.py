"""The recount: topics in, figures out, in whatever order the topics are read."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.counting import Count
from console.counting_figures import Figures
from console.counting_latency import Latency
from console.counting_pools import Pools
from console.counting_records import answer, command
from kairos.ports import Record
from streams import topics

EVENT = {"id": "e", "type": "app_usage", "at": "2026-12-01T00:00:00Z", "topic": topics.APP_USAGE}


def record(topic: str, value: Any, *, key: str = "c1", kind: str = "", offset: int = 0, at: int = 0) -> Record:
    headers = (("ce_type", kind.encode()),) if kind else ()
    return Record(topic, 0, offset, key.encode(), json.dumps(value).encode(), headers, at)


def used(customer: str, app: str, *, offset: int = 0, at: int = 0) -> Record:
    return record(topics.APP_USAGE, {"app": app}, key=customer, kind="kairos.app_usage.v1", offset=offset, at=at)


def decided(name: str, state: str, *verdicts: str, reason: str | None = None, offset: int = 0, at: int = 0) -> Record:
    value = {
        "id": name,
        "customer": "c1",
        "event": {**EVENT, "partition": 0, "offset": offset},
        "state": state,
        "reason": reason,
        "channel": "sms",
        "verdicts": [{"rule": f"r{n}", "verdict": verdict} for n, verdict in enumerate(verdicts)],
        "facts": {"event.category": "food_delivery"},
    }
    return record(topics.DECISIONS, value, kind="kairos.decision.v1", at=at)


def ended(name: str, state: str = "delivered") -> Record:
    return record(topics.DECISIONS, {"id": name, "channel": "sms", "state": state}, kind="kairos.decision_ended.v1")


def offered(name: str) -> Record:
    value = {"id": f"o-{name}", "decision": name, "rule": "r0", "channel": "sms", "text": {"zh": "券", "en": "coupon"}}
    return record(topics.OFFERS_SMS, value)


def reserve(name: str, pool: str = "soup") -> Record:
    wishes = [{"offer": {"id": f"o-{name}"}, "arm": "treatment", "pool": pool}]
    return record(topics.LEDGER_COMMANDS, {"kind": "reserve", "id": name, "wishes": wishes}, key="p")


def change(name: str, kind: str) -> Record:
    return record(topics.LEDGER_COMMANDS, {"kind": kind, "id": name, "programme": "p"}, key="p")


def granted(name: str, *, virtual: bool = False) -> Record:
    return record(topics.LEDGER_ANSWERS, {"id": name, "granted": f"o-{name}", "virtual": virtual})


def publish(kind: str, content: Any) -> list[Record]:
    return [
        record(topics.CATALOGUE, content, key=f"hash-{kind}"),
        record(topics.CATALOGUE, {"hash": f"hash-{kind}", "by": "t", "at": "t"}, key=f"current/{kind}"),
    ]


def pools(**counts: int) -> list[Record]:
    return publish("pools", {"pools": [{"pool": name, "count": n, "value": 500} for name, n in counts.items()]})


def counted(*records: Record) -> Figures:
    count = Count()
    for one in records:
        count.take(one)
    return count.figures()


def test_an_event_is_counted_by_type_and_its_customer_once() -> None:
    found = counted(used("c1", "a"), used("c1", "b"), used("c2", "a"), record(topics.CUSTOMERS, {}, key="c3"))

    assert found.events == {"app_usage": 3, "other": 1}
    assert found.customers == 3


def test_a_profile_and_feedback_are_no_events_of_the_customer() -> None:
    profile = record(topics.CUSTOMERS, {}, kind="kairos.customer.v1")
    opened = record(topics.FEEDBACK, {"what": "opened", "simulated": True}, kind="kairos.feedback.v1")

    assert counted(profile, opened, used("c1", "a")).happened == 1


def test_tags_are_the_catalogues_apps_and_classes_of_each_customer() -> None:
    apps = publish("apps", {"classes": ["food_delivery", "video"], "apps": {"a": "food_delivery", "b": "video"}})

    found = counted(*apps, used("c1", "a"), used("c1", "a"), used("c1", "b"), used("c2", "a"), used("c2", "unheard-of"))

    assert found.tags == 6, "apps a, b and classes food_delivery, video of c1; app a and class food_delivery of c2"


def test_every_reason_is_counted_for_decisions_and_for_candidates() -> None:
    found = counted(
        decided("d1", "suppressed", "cooldown", "no_consent", reason="cooldown"),
        decided("d2", "withheld", "control"),
        decided("d3", "offered", "won", "outranked"),
    )

    assert found.states == {"suppressed": 1, "withheld": 1, "offered": 1}
    assert found.suppressed == {"cooldown": 1}
    assert found.refused == {"cooldown": 1, "no_consent": 1, "control": 1, "outranked": 1}
    assert (found.matches, found.decisions) == (5, 3)


def test_an_offered_decision_is_open_until_it_ends() -> None:
    assert counted(decided("d1", "offered", "won")).unended == 1
    assert counted(ended("d1"), decided("d1", "offered", "won")).unended == 0


def test_delivered_offers_are_counted_by_channel_and_wait_for_their_label() -> None:
    offer = (decided("d1", "offered", "won"), offered("d1"), ended("d1"))

    assert counted(*offer).delivered == {"sms": 1}
    assert counted(*offer).unlabelled == 1
    assert counted(*offer, record(topics.EXAMPLES, {"id": "d1"})).unlabelled == 0


def test_what_should_come_once_and_comes_twice_is_counted() -> None:
    assert counted(offered("d1"), offered("d1"), ended("d1"), ended("d1")).twice == 2


def test_dead_letters_are_counted_by_reason() -> None:
    dead = Record(topics.DEAD_LETTERS, 0, 0, b"c1", b"{", (("kairos.errors.class", b"invalid"),))

    assert counted(dead).dead_letters == {"invalid": 1}


def test_a_broken_event_is_the_doors_affair_and_a_broken_decision_ours() -> None:
    broken = Record(topics.APP_USAGE, 0, 0, b"c1", b"{", (("ce_type", b"kairos.app_usage.v1"),))

    assert counted(broken).unreadable == 0
    assert counted(record(topics.DECISIONS, {"id": 1})).unreadable == 1


def test_only_simulated_reactions_are_counted_as_reactions() -> None:
    redeemed = record(topics.FEEDBACK, {"what": "redeemed", "simulated": True})
    real, receipt = record(topics.FEEDBACK, {"what": "redeemed"}), record(topics.FEEDBACK, {"what": "delivered"})

    assert counted(redeemed, real, receipt).reactions == {"redeemed": 1}


def test_the_newest_offer_comes_with_its_text_and_its_rules_name() -> None:
    rules = publish("rules", {"rules": [{"id": "r0", "name": "午餐"}]})

    (story,) = counted(*rules, decided("d1", "offered", "won"), offered("d1")).newest

    assert (story.rule_name, story.offer.text.en, story.decision.customer) == ("午餐", "coupon", "c1")


def test_a_pools_limit_is_what_its_budget_buys() -> None:
    defined = [{"pool": "soup", "count": 10, "value": 500, "budget": 2_400}]

    assert counted(*publish("pools", {"pools": defined})).pools["soup"].limit == 4


def test_the_control_group_takes_no_coupon() -> None:
    found = counted(*pools(soup=10), reserve("d1"), granted("d1", virtual=True))

    assert found.pools["soup"].held == 0


def test_a_released_coupon_is_left_again() -> None:
    found = counted(*pools(soup=10), reserve("d1"), granted("d1"), change("d1", "confirm"), change("d1", "release"))

    assert found.pools["soup"].left == 10


def test_a_decision_waits_for_the_ledger_until_it_is_written() -> None:
    assert counted(reserve("d1")).pending == 1
    assert counted(reserve("d1"), granted("d1"), decided("d1", "offered", "won")).pending == 0


@given(st.integers(0, 4))
def test_a_pool_counts_alike_wherever_the_answer_is_read(place: int) -> None:
    orders = [reserve("d1"), change("d1", "confirm"), change("d1", "redeem"), change("d1", "release")]
    orders.insert(place, granted("d1"))

    assert counted(*pools(soup=10), *orders).pools["soup"].redeemed == 1


@given(st.permutations([used("c1", "a", offset=7, at=1_000), decided("d1", "offered", "won", offset=7, at=1_250)]))
def test_latency_does_not_depend_on_which_topic_is_read_first(records: list[Record]) -> None:
    assert counted(*records).p50 == 250


def test_the_percentiles_are_of_the_decisions() -> None:
    latency = Latency()
    for offset in range(100):
        latency.happened("t", 0, offset, 0)
        latency.decided("t", 0, offset, offset + 1)
    latency.settle()

    assert (latency.percentile(0.5), latency.percentile(0.99)) == (50, 99)


def test_an_event_that_was_forgotten_gives_no_wrong_latency() -> None:
    latency = Latency(remembered=2)
    for offset in range(3):
        latency.happened("t", 0, offset, 0)
    latency.decided("t", 0, 0, 99)
    latency.settle()

    assert latency.percentile(0.99) == 0


@pytest.mark.parametrize("kind", ["confirm", "release", "redeem"])
def test_a_change_that_is_read_before_its_reservation_is_kept(kind: str) -> None:
    def word(found: Iterable[Record]) -> Pools:
        recount = Pools()
        recount.define(b'[{"pool":"soup","count":5,"value":1}]')
        for one in found:
            if one.topic == topics.LEDGER_ANSWERS:
                recount.answer(answer(one.value or b""))
            else:
                recount.command(command(one.value or b""))
        return recount

    orders = [reserve("d1"), change("d1", kind), granted("d1")]

    assert word(orders).standing() == word(reversed(orders)).standing()
