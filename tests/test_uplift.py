"""Uplift: what arms and forms came to, and whether their shares can be right however often somebody looks."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.cli import app
from console.commands_uplift import shares_of
from console.publishing import Known, send
from console.uplift import Uplift
from console.uplift_lines import DOUBTFUL, uplift_lines
from kairos.ids import content_hash, share
from kairos.ports import Output
from models.sample_ratio import SampleRatio
from models.uplift import Counted, difference
from rules.arms import drawn
from rules.policy import Policy
from rules.schema import Rule
from rules.shares import expected_shares
from streams.catalogue import publication
from streams.cluster import Cluster
from streams.topics import DECISIONS, FEEDBACK, Partitions
from tests.customer_table import NOON, Table, versions
from tests.rules_strategies import book_of, unhurried
from tests.test_rules_match import rule

PEOPLE = [f"c{number}" for number in range(4_000)]
FORMS = [{"name": "warm", "share": "30%", "template": "warm"}, {"name": "bold", "share": "20%", "template": "bold"}]
SPARED = {"service": {"bypass": ["control"], "because": "contract"}}


def one(purpose: str = "marketing", **experiment: Any) -> Rule:
    (found,) = book_of(rule(experiment=experiment, purpose=purpose)).rules.values()
    return found


def policy(**control: Any) -> Policy:
    return Policy.model_validate({"format": 1, "zone": "UTC", "control": control, "purposes": SPARED})


@pytest.mark.parametrize(
    ("said", "held"),
    [
        (one(control="20%"), Policy.default()),
        (one(control="20%", treatments=FORMS), Policy.default()),
        (one(control="20%", treatments=FORMS), policy(everywhere="10%", programmes={"p": "30%"})),
        (one(control="20%", salt="its-own"), policy(everywhere="10%", programmes={"p": "30%"})),
        (one("service", control="20%"), policy(everywhere="50%")),
    ],
)
def test_the_shares_that_are_expected_are_those_that_are_drawn(said: Rule, held: Policy) -> None:
    expected = expected_shares(said, held)

    found = Counter((d.arm, d.treatment or "") for d in (drawn(said, who, held) for who in PEOPLE))

    assert sum(expected.values()) == pytest.approx(1)
    assert found.keys() == expected.keys()
    assert {cell: count / len(PEOPLE) for cell, count in found.items()} == {
        cell: pytest.approx(part, abs=0.025) for cell, part in expected.items()
    }


def looked_at(salt: str, control: float, kept: float = 1.0) -> SampleRatio:
    """What is seen of an experiment; of the control group only a part of the records arrives."""
    found = SampleRatio()
    for who in PEOPLE[:1_500]:
        arm = "control" if share(salt, who) < control else "treatment"
        if arm == "treatment" or share(f"kept {salt}", who) < kept:
            found.take(arm, {"control": control, "treatment": 1 - control})
    return found


def test_who_looks_after_every_customer_is_wrongly_alarmed_no_more_often_than_is_said() -> None:
    chances = [looked_at(f"salt {number}", 0.2).chance for number in range(200)]

    # The lowest of all looks is told. The draws are hashes: the same each time.
    assert 0 < sum(chance < 0.05 for chance in chances) <= 10


def test_records_of_one_arm_that_do_not_arrive_are_noticed() -> None:
    assert all(looked_at(f"salt {number}", 0.2, kept=0.6).chance < DOUBTFUL for number in range(20))


def test_shares_that_change_on_the_way_raise_no_alarm_and_an_arm_that_cannot_be_does_at_once() -> None:
    found = SampleRatio()
    for number, who in enumerate(PEOPLE):
        control = 0.1 if number < 2_000 else 0.5
        found.take(
            "control" if share("s", who) < control else "treatment", {"control": control, "treatment": 1 - control}
        )

    assert found.chance > 0.05
    found.take("bold", {"control": 0.5, "treatment": 0.5})
    assert found.chance == 0


counts = st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@unhurried
@given(counts, counts)
def test_a_difference_lies_in_its_interval_and_turns_with_its_sides(
    here: tuple[int, int], there: tuple[int, int]
) -> None:
    found, turned = difference(Counted(*here), Counted(*there)), difference(Counted(*there), Counted(*here))

    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (found.value, found.low, found.high) == pytest.approx((-turned.value, -turned.high, -turned.low))


LABELS = {"": "as the rule has it", "bold": "bold"}
FORM = b'{"control":0.3,"treatments":[{"name":"bold","share":0.4,"template":"bold"}]}'


def experiment(**policy_: Any) -> tuple[Table, dict[str, bytes]]:
    """A house with one rule that has a control group and a form of its offer, and what is in force there."""
    table = Table(versions(control="30%", policy=policy_ or None))
    book = table.versions.book.content.replace(b'{"control":0.3}', FORM)
    in_force = {"rules": book, "policy": table.versions.policy.content}
    for kind, content in in_force.items():
        table.versions = table.versions.having(kind, content)
    return table, in_force


def lived(**policy_: Any) -> tuple[Uplift, Table]:
    """A morning in which two hundred paid; one form makes everybody click, and the control group buys little."""
    table, in_force = experiment(**policy_)
    contents = {content_hash(content): content for content in in_force.values()}
    found = Uplift(shares_of(Known({}, contents)))
    people = PEOPLE[:200]
    table.hear(*(table.profile(who) for who in people))
    said = table.hear(*(table.pays(who, "fuel") for who in people), *(table.pays(who, "fuel") for who in people[:50]))
    for output in said.outputs:
        if output.topic == DECISIONS:
            found.decided(table.as_record(output))
    for made in said.decisions:
        verdict, who = made["verdicts"][0], made["customer"]
        if verdict["arm"] == "treatment" and (verdict.get("treatment") or share("r", who) < 0.2):
            found.came_back(table.feedback("clicked", who, made["id"]))
        if share("x", who) < (0.3 if verdict["arm"] == "treatment" else 0.05):
            found.came_back(table.feedback("converted", who, made["id"]))
    return found, table


def test_each_arm_and_form_is_told_with_its_differences_and_customers_are_counted_once() -> None:
    found, _ = lived()

    (card,) = found.rules.values()
    assert card.groups.keys() == {("treatment", ""), ("treatment", "bold"), ("control", ""), ("control", "bold")}
    assert sum(len(group.matched) for group in card.groups.values()) == 200
    assert sum(card.ratio.seen.values()) == 200
    first, bold = card.against_control(""), card.against_first("bold")
    assert first is not None
    assert bold is not None
    assert first.is_clear
    assert bold.low > 0.4
    lines = list(uplift_lines(found, "en"))
    assert lines[0] == "card"
    assert [line.split()[0] for line in lines[1:6]] == ["arm,", "treatment,", "treatment,", "control,", "control,"]
    assert any(
        line.startswith("  bold: +") and "points of reaction against the offer as the rule has it" in line
        for line in lines
    )
    assert lines[-1] == "  shares: nothing speaks against them"
    assert list(uplift_lines(found, "en", "card")) == lines
    assert len(list(uplift_lines(found, "en", "tea"))) == 1


def test_shares_that_cannot_be_are_told_in_a_plain_sentence() -> None:
    found, _ = lived()
    for _ in range(60):
        found.rules["card"].ratio.take("control/", {"control/": 0.18, "treatment/": 0.82})

    english, chinese = (list(uplift_lines(found, language))[-1] for language in ("en", "zh"))

    assert "THEY ARE NOT WHAT THE SALT GIVES" in english
    assert "control, as the rule has it has " in english
    assert "与盐值应有的比例不符" in chinese


def test_testers_are_left_out_and_simulated_reactions_and_silent_control_groups_are_told() -> None:
    found, _ = lived(testers={"customers": PEOPLE[:100]})
    (card,) = found.rules.values()
    for group in card.groups.values():
        if group is card.groups["control", ""]:
            group.converted.clear()
    found.simulated = 3

    said = "\n".join(uplift_lines(found, "en"))

    assert sum(len(group.matched) for group in card.groups.values()) == 100
    assert "nobody of the control group is told to have converted" in said
    assert "3 of these reactions are simulated: no uplift can be read from them" in said


def test_what_decided_and_is_gone_is_said_and_a_house_without_experiments_hears_so() -> None:
    _, table = lived()
    gone = Uplift(shares_of(Known({}, {})))
    for output in table.hear(*(table.pays(who, "fuel") for who in PEOPLE[:20])).outputs:
        gone.decided(table.as_record(output))

    said = "  shares: not known for 20 customers, for what decided is no longer in the catalogue"
    assert said in list(uplift_lines(gone, "en"))
    assert list(uplift_lines(Uplift(shares_of(Known({}, {}))), "zh")) == ["没有带对照组或多种方案的规则作出过决策"]


def test_without_kafka_the_command_says_so_in_one_sentence() -> None:
    run = CliRunner(env={"KAIROS_BOOTSTRAP": ""}).invoke(app, ["uplift"])

    assert run.exit_code != 0
    assert "no Kafka is configured" in run.output


def recount(decisions: list[dict[str, Any]], back: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Count again, plainly: for each arm and form customers, those through all gates, who reacted and who converted."""
    found: dict[str, tuple[set[str], ...]] = {}
    for made in decisions:
        (verdict,) = made["verdicts"]
        told = {what for what, decision in back if decision == made["id"]}
        through = verdict["verdict"] in ("won", "control")
        label = f"{verdict['arm']}, {LABELS[verdict.get('treatment') or '']}"
        held = (True, through, through and told & {"clicked", "redeemed", "converted"}, through and "converted" in told)
        groups = found.setdefault(label, (set(), set(), set(), set()))
        for group, holds in zip(groups, held, strict=True):
            group.update({made["customer"]} if holds else ())
    return {label: [len(group) for group in groups] for label, groups in found.items()}


@pytest.mark.kafka
async def test_what_lies_in_kafka_is_counted_as_a_plain_recount_does(cluster: Cluster, declared: Partitions) -> None:
    (table, in_force), people = experiment(), PEOPLE[:60]
    table.hear(*(table.profile(who) for who in people))
    said = table.hear(*(table.pays(who, "fuel") for who in [*people, *people[:20]]))
    back = [
        (what, made["id"], made["customer"])
        for made in said.decisions
        for what in ("opened", "clicked", "converted")
        if share(what, made["customer"]) < 0.4
    ]
    told = [table.feedback(what, who, id_) for what, id_, who in [*back, ("clicked", "nobody's", people[0])]]
    puts = [output for kind, content in in_force.items() for output in publication(kind, content, "ann", NOON)]
    puts += [output for output in said.outputs if output.topic == DECISIONS]
    await send(cluster.for_aiokafka(), [*puts, *(Output(FEEDBACK, r.key, r.value, tuple(r.headers)) for r in told)])

    environment = {"KAIROS_BOOTSTRAP": cluster.bootstrap}
    run = await asyncio.to_thread(CliRunner(env=environment).invoke, app, ["uplift", "--rule", "card"])

    assert run.exit_code == 0, run.output
    rows = [re.split(r"  +", re.sub(r" +[\d.]+%", "", line.strip())) for line in run.output.splitlines()[2:6]]
    counted = recount(said.decisions, [(what, id_) for what, id_, _ in back])
    assert {label: [int(cell) for cell in cells] for label, *cells in rows} == counted
    assert len(counted) == 4
    assert sum(customers for customers, *_ in counted.values()) == 60
    assert "shares: nothing speaks against them" in run.output
