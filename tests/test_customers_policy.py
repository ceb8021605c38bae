"""The contact policy in the customers' stage: what counts, what is given back, what is written down."""

from typing import Any

import pytest

from tests.customer_table import Table, versions

ONE_A_DAY: dict[str, Any] = {"overall": {"within": "1d", "at_most": 1}}


def table_with(policy: dict[str, Any], **more: Any) -> Table:
    table = Table(versions(policy=policy, **more))
    table.hear(table.profile())
    return table


@pytest.mark.parametrize(
    ("back", "counts"),
    [
        ([], True),
        (["accepted"], True),
        (["accepted", "delivered"], True),
        (["unknown"], True),
        (["rejected"], False),
        (["expired"], False),
        (["accepted", "undelivered"], False),
        # What was delivered stays delivered, whatever a gateway says later.
        (["accepted", "delivered", "undelivered"], True),
    ],
)
@pytest.mark.parametrize("category", ["fuel", "dining"])
def test_an_attempt_counts_until_it_is_known_to_have_failed_for_good(
    back: list[str], counts: bool, category: str
) -> None:
    table = table_with(ONE_A_DAY)
    first = table.hear(table.pays(category=category))
    answers, _ = table.ledger(first)
    decision = (table.hear(*answers) if answers else first).decision["id"]
    for what in back:
        table.hear(table.feedback(what, decision=decision))

    second = table.hear(table.pays(category="fuel")).decision

    assert (second["state"], second["reason"]) == (("suppressed", "overall_cap") if counts else ("offered", None))


def test_a_failure_that_is_told_twice_gives_one_contact_back() -> None:
    table = table_with({"overall": {"within": "1d", "at_most": 2}})
    for _ in range(2):
        last = table.hear(table.pays(category="fuel")).decision["id"]
    for _ in range(3):
        table.hear(table.feedback("rejected", decision=last))

    assert table.hear(table.pays(category="fuel")).decision["state"] == "offered"
    assert table.hear(table.pays(category="fuel")).decision["reason"] == "overall_cap"


def test_a_control_customer_uses_up_the_same_contacts() -> None:
    treated, control = (table_with(ONE_A_DAY, control=share) for share in ("0%", "90%"))

    for table in (treated, control):
        table.hear(table.pays(category="fuel"))

    assert treated.customer("c1").contacts == control.customer("c1").contacts != {}
    assert treated.customer("c1").purposes == control.customer("c1").purposes != {}
    for table in (treated, control):
        assert table.hear(table.pays(category="fuel")).decision["reason"] == "overall_cap"


def test_what_a_purpose_passed_is_written_into_the_decision_with_the_reason() -> None:
    passing = {"bypass": ["gap"], "because": "账户安全通知"}
    table = table_with({"gap": "1h", "purposes": {"marketing": passing}})
    table.hear(table.pays(category="fuel"))

    told = table.hear(table.pays(category="fuel")).decision

    assert told["state"] == "offered"
    assert told["verdicts"][0]["passed"] == {"gates": ["gap"], "because": "账户安全通知"}


def test_the_offer_carries_the_zone_that_the_policy_asks_for() -> None:
    table = Table(versions(policy={"customer_zone": "home"}))
    table.hear(table.profile(attrs={"home": "Asia/Urumqi"}), table.profile("c2", attrs={"home": "Mars"}))

    offers = [table.hear(table.pays(key, category="fuel")).offers[0] for key in ("c1", "c2")]

    assert [offer["zone"] for offer in offers] == ["Asia/Urumqi", None]
