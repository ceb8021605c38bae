"""What an engine must not do however long it runs: hold what cannot win, wait for ever, or grow without an end."""

import pytest

from kairos.instants import HOUR, MINUTE
from rules.book import load
from streams.topics import FEEDBACK, LEDGER_COMMANDS
from tests.customer_table import Table, versions

TWO_RULES = """
format: 1
zone: Asia/Shanghai
currency: CNY
rules:
  - id: {first}
    name: card
    scenario: activation
    programme: lunch
    on: {{event: transaction, where: {{merchant_category: dining}}}}
    then:
      offer: {{product: card}}
      channels: [sms]
      template: t
      text: {{zh: 卡, en: A card}}
      expires: 1h
    limits: {{cooldown: 7d}}
    experiment: {{control: {control}}}
  - id: b-coupon
    name: coupon
    scenario: activation
    programme: lunch
    on: {{event: transaction, where: {{merchant_category: dining}}}}
    who: {{all: [{{attr: {{city: [here]}}}}]}}
    then:
      offer: {{pool: tea}}
      channels: [sms]
      template: t
      text: {{zh: 券, en: A coupon}}
      expires: 1h
    limits: {{cooldown: 7d}}
"""


def table_of(first: str, control: str = "0%") -> Table:
    loaded = load({"two.yaml": TWO_RULES.format(first=first, control=control)})
    assert loaded.book is not None, loaded.problems
    table = Table(versions().having("rules", loaded.book.content))
    table.hear(table.profile(attrs={"city": "here", "account": "6222-0000-1111"}))
    return table


@pytest.mark.parametrize("control", ["0%", "90%"])
def test_whoever_stands_behind_a_winner_without_a_coupon_is_not_held_in_either_arm(control: str) -> None:
    table = table_of("a-card", control)

    said = table.hear(table.pays())

    assert said.decision["state"] in ("offered", "withheld")
    assert set(table.customer("c1").decided) == {"a-card"}
    assert len(table.customer("c1").contacts["sms"]) == 4


def test_a_decision_whose_ledger_is_silent_ends_and_its_late_answer_gives_the_coupon_back() -> None:
    table = Table()
    table.hear(table.profile())
    asked = table.hear(table.pays())
    (silent,) = table.ticks(1 * HOUR + 2 * MINUTE)

    assert silent.decision["state"] == "suppressed"
    assert silent.decision["reason"] == "no_answer"

    answers, written = table.ledger(asked)
    late = table.hear(*answers)
    (offer,) = written.offers
    expired = table.hear(table.feedback("expired", decision=offer["decision"]))

    assert late.decisions == []
    assert expired.commands == ["release"]
    assert silent.decision["id"] == offer["decision"]


def test_a_model_learns_words_only_from_attributes_that_the_rule_reads() -> None:
    table = table_of("z-card")

    said = table.hear(table.pays())
    wishes = said.of(LEDGER_COMMANDS)[0]["wishes"]
    packed = b"".join(value for _, value in table.state())

    assert [wish["offer"]["rule"] for wish in wishes] == ["b-coupon", "z-card"]
    assert b"attr.city=here" in packed
    assert b"attr.account=6222" not in packed


def test_categories_without_number_do_not_make_a_record_without_end() -> None:
    table = Table()

    table.hear(*[table.pays(category=f"made-up-{number}") for number in range(500)])

    spending = table.customer("c1").spending
    assert len(spending) <= 201
    assert sum(spent.count for spent in spending.values()) == 500


def test_words_on_consent_without_number_are_bounded_and_one_permission_a_batch_is_written() -> None:
    table = Table()
    table.hear(table.profile())

    said = table.hear(
        *[table.feedback("opted_out", purpose=f"made-up-{number}", channel="sms") for number in range(300)]
    )

    assert len(said.permissions) == 1
    assert len(said.permissions[0]["consent"]) <= 101


def test_a_tombstone_forgets_what_was_observed_and_what_was_refused_stays_refused() -> None:
    table = Table()
    table.hear(table.profile(), table.uses(), table.pays(category="fuel"))
    table.hear(table.feedback("opted_out", channel="sms"))

    table.hear(table.tombstone())
    back = table.hear(table.profile())

    assert table.customer("c1").tags == b""
    assert table.customer("c1").spending == {}
    assert [word["granted"] for word in back.permissions[0]["consent"]] == [True, False]


def test_feedback_on_no_decision_and_an_opt_out_of_a_channel_nobody_has_are_dead_letters() -> None:
    table = Table()

    said = table.hear(
        table.event(FEEDBACK, "feedback", "c1", {"what": "redeemed", "code": "X"}),
        table.event(FEEDBACK, "feedback", "c1", {"what": "opted_out", "channel": "SMS"}),
    )

    assert [dict(letter.headers)["kairos.errors.class"] for letter in said.dead] == [b"invalid", b"invalid"]
