"""Trials of templates: sent to testers that the policy names, marked as tests, and counted nowhere."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from console.counting import Count
from console.publishing import Refused, publish
from console.template_trials import send_trials, wanted_trials
from kairos.events import Feedback
from kairos.offers import Channel, Offer
from kairos.ports import Output, Record
from kairos.wire import headers
from rules.policy import Policy
from rules.template_trial import TRIAL, trials
from streams import clock
from streams.cluster import Cluster
from streams.delivery_end import TEST, End, feedback
from streams.replay_journal import is_of_a_stage
from streams.topic_reader import read_topic
from streams.topics import FEEDBACK, OFFERS_PUSH, OFFERS_SMS, Partitions
from streams.trials import trial_outputs
from tests.customer_table import NOON, Table
from tests.template_table import EVERYTHING, templates_of

SHIPPED = Path(__file__).parent.parent / "examples" / "templates.yaml"
TEMPLATES = templates_of(EVERYTHING)


def sent(now: int = NOON) -> list[Offer]:
    return list(trials(TEMPLATES, "coupon", "T1", now))


def test_a_trial_shows_every_text_with_its_example_values_and_says_that_it_is_a_test() -> None:
    offers = sent()

    assert [(offer.channel.value, offer.message.language) for offer in offers if offer.message] == [
        ("sms", "zh"),
        ("sms", "en"),
        ("push", "zh"),
    ]
    assert all(offer.test and (offer.rule, offer.programme) == (TRIAL, TRIAL) for offer in offers)
    first = offers[0]
    assert first.text.zh == "凭K00000Z9F4FAV在咖啡店减15.5元，2026年12月31日前有效，退订回复T"
    assert first.message is not None
    assert (first.message.ids, first.message.values["value"].zh) == ({"platform": "S1"}, "15.5")
    assert len({offer.id for offer in (*offers, *sent(NOON + 1))}) == 6


def test_one_channel_and_one_language_may_be_asked_for() -> None:
    found = wanted_trials(TEMPLATES, "coupon", ["T1", "T2", "T1"], (Channel.SMS, "en"), NOON)

    assert [(offer.customer, offer.channel) for offer in found] == [("T1", "sms"), ("T2", "sms")]
    assert wanted_trials(TEMPLATES, "coupon", ["T1"], (Channel.LIST, None), NOON) == []


def as_record(output: Output) -> Record:
    return Record(output.topic, 0, 0, output.key, output.value, output.headers, NOON)


def came_back(offer: Offer) -> list[Output]:
    """A receipt, a delivery, and a click as a gateway tells it."""
    told = [feedback(offer, End("accepted"), NOON), feedback(offer, End("delivered"), NOON)]
    said = Feedback(what="clicked", offer=offer.id, decision=offer.decision, simulated=True)
    head = headers("kairos.feedback.v1", f"{offer.id}:clicked", NOON, "/sandbox")
    return [*told, Output(FEEDBACK, offer.customer.encode(), said.model_dump_json().encode(), head)]


def test_what_comes_back_of_a_trial_moves_nothing_and_is_counted_nowhere() -> None:
    table, count = Table(), Count()
    table.hear(table.profile("T1"))
    before = table.customer("T1")
    outputs = trial_outputs(sent(), NOON)
    answers = [output for offer in sent() for output in came_back(offer)]

    said = table.hear(*(as_record(output) for output in answers))
    for output in (*outputs, *answers):
        count.take(as_record(output))

    assert said.outputs == []
    after = table.customer("T1")
    assert (after.contacts, after.decided, after.ignored) == (before.contacts, before.decided, before.ignored)
    assert sum(TEST in output.headers for output in answers) == 2 * len(sent())
    figures = count.figures()
    assert (figures.offers, figures.delivered, figures.matches) == ({}, {}, 0)


def test_only_tests_are_sent_without_a_decision() -> None:
    with pytest.raises(ValueError, match="only tests"):
        trial_outputs([sent()[0].model_copy(update={"test": False})], NOON)


def test_a_replay_does_not_look_for_the_decision_of_a_trial() -> None:
    (output, *_) = trial_outputs(sent(), NOON)
    made = output._replace(headers=headers("kairos.offer.v1", "x", NOON))

    assert not is_of_a_stage(output.topic, (output.key, output.value, output.headers))
    assert is_of_a_stage(made.topic, (made.key, made.value, made.headers))


@pytest.mark.kafka
async def test_a_trial_reaches_the_topics_for_testers_of_the_policy_alone(
    cluster: Cluster, declared: Partitions
) -> None:
    client, now = cluster.for_aiokafka(), clock.now()
    policy = Policy.model_validate({"format": 1, "zone": "UTC", "testers": {"customers": ["T1"]}})
    await publish(client, {"policy": policy.content}, "ann", now)

    with pytest.raises(Refused) as refused:
        await send_trials(client, wanted_trials(TEMPLATES, "coupon", ["T1", "C1"], (None, None), now), now)
    await send_trials(client, wanted_trials(TEMPLATES, "coupon", ["T1"], (None, None), now), now)

    assert refused.value.problems == ["'C1' is no tester that the policy in force names; it is one of: T1"]
    for topic, number in ((OFFERS_SMS, 2), (OFFERS_PUSH, 1)):
        rows = [row for part in (await read_topic(client, topic)).values() for row in part if row.key == b"T1"]
        assert [json.loads(row.value or b"")["test"] for row in rows] == [True] * number


def test_the_command_knows_the_template_and_its_texts() -> None:
    def tried(*arguments: str) -> str:
        found = CliRunner().invoke(app, ["templates", "test", str(SHIPPED), *arguments, "--to", "T1"])
        assert found.exit_code == 1
        return found.output

    assert "there is no template 'sleeper'" in tried("sleeper")
    assert "the template 'fund-plan' has no such text" in tried("fund-plan", "--channel", "sms")
