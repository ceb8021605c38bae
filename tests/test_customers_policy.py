"""The contact policy in the customers' stage: what counts, what is given back, what is written down."""

from typing import Any

import pytest

from console.counting import Count
from console.explaining import lines_of
from kairos.decisions import Decision
from kairos.instants import DAY
from kairos.ports import Output
from tests.customer_table import Said, Table, versions

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


IGNORED: dict[str, Any] = {"ignored": {"after": 2, "within": "1d", "rest": "30d"}}


def message(table: Table, *back: str) -> str:
    """Send a message, let this come back, let two days pass; gives why nothing was sent, if so."""
    decision = table.hear(table.pays(category="fuel")).decision
    for what in back:
        table.hear(table.feedback(what, decision=decision["id"]))
    table.hear(after=2 * DAY)
    return str(decision["reason"] or decision["channel"])


def test_a_channel_rests_after_so_many_messages_in_a_row_were_delivered_and_ignored() -> None:
    table = table_with(IGNORED)

    told = [message(table, "accepted", "delivered", "delivered") for _ in range(3)]

    # SMS rests, and the rule goes on by push.
    assert told == ["sms", "sms", "push"]
    table.hear(after=28 * DAY)
    assert message(table) == "sms"


@pytest.mark.parametrize("reaction", ["opened", "clicked", "redeemed", "converted"])
def test_a_reaction_ends_the_row(reaction: str) -> None:
    table = table_with(IGNORED)
    ways = [("delivered",), ("delivered", reaction), ("delivered",), ("delivered",), ()]

    assert [message(table, *way) for way in ways] == ["sms", "sms", "sms", "sms", "push"]


def test_a_reaction_that_comes_later_ends_the_row_too() -> None:
    table = table_with(IGNORED)
    first = table.hear(table.pays(category="fuel")).decision["id"]
    table.hear(table.feedback("delivered", decision=first))
    message(table, "delivered")
    assert message(table) == "push"

    table.hear(table.feedback("redeemed", decision=first))

    assert message(table) == "sms"


def test_what_was_never_delivered_is_not_ignored() -> None:
    table = table_with(IGNORED)

    assert [message(table, "accepted") for _ in range(4)] == ["sms"] * 4


@pytest.mark.parametrize("testers", [{"customers": ["c1"]}, {"tag": "colleague"}])
def test_decisions_of_testers_are_marked_and_neither_counted_nor_learnt_from(testers: dict[str, Any]) -> None:
    table = Table(versions(policy={"testers": testers}))
    table.hear(table.profile(tags=["colleague"]), table.profile("c2"))
    count, outputs = Count(), list[Output]()
    for key in ("c1", "c2"):
        for category in ("fuel", "dining"):
            said, written = table.ask(table.pays(key, category=category))
            outputs += [*said.outputs, *written.outputs]
            for made in said.decisions:
                outputs += table.hear(table.feedback("delivered", key, made["id"])).outputs
                clicked = table.feedback("clicked", key, made["id"], simulated=True)
                count.take(clicked)
                outputs += table.hear(clicked).outputs
        outputs += table.hear(table.pays(key, category="fuel")).outputs
    for output in outputs:
        count.take(table.as_record(output))

    found = Said(outputs)
    marked = {row["id"]: row["test"] for row in (*found.decisions, *found.offers)}
    assert {row["customer"]: row["test"] for row in found.decisions} == {"c1": True, "c2": False}
    assert sorted(marked.values()).count(True) == sorted(marked.values()).count(False) > 0
    figures = count.figures()
    assert (figures.tests, figures.decisions) == (2, 2)
    assert sum(figures.offers.values()) == len(found.offers) / 2
    assert figures.ends == {"delivered": 1}
    assert figures.reactions == {"clicked": 1}
    assert len(found.labels) == 1


def test_an_explanation_says_what_was_passed_and_that_the_customer_tests() -> None:
    passing = {"bypass": ["gap"], "because": "账户安全通知"}
    table = table_with({"gap": "1h", "purposes": {"marketing": passing}, "testers": {"customers": ["c1"]}})
    table.hear(table.pays(category="fuel"))

    told = lines_of(Decision.model_validate(table.hear(table.pays(category="fuel")).decision), None)

    assert "test      the customer tests; left out of statistics" in told
    assert any("passed gap because: 账户安全通知" in line for line in told)
