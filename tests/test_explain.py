"""Explaining a decision from its own record: what it tells, how large it is, and that it fits on a screen, masked."""

import unicodedata
from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.explaining import SCREEN, Telling, lines_of, rules_named
from console.publishing import whole_contents_of
from console.replaying import through_the_door
from console.simulate import write_simulation
from kairos.decisions import MADE, Decision, DecisionEnded, Reason
from kairos.ports import Record
from rules.book import Book
from rules.recording import recorded
from rules.saying import LANGUAGES, Language
from streams.event_log import read
from streams.replay import Replay
from streams.topics import DECISIONS
from streams.versions import Versions
from tests.customer_table import Table, versions
from tests.fault_driver import ROOT
from tests.rules_strategies import books

DEMO = ROOT / "examples" / "demo"
LOG = ROOT / "examples" / "data" / "demo.jsonl.gz"
BUSY = """
    who: {all: [{tag: vip}, {attr: {age: {at_least: 18}}}]}
    when:
      all:
        - count: {event: transaction, within: 1d, at_least: 1}
        - count: {event: transaction, within: 7d, at_least: 2}
        - sum: {event: transaction, field: amount, within: 7d, at_least: 10}
"""


def demo() -> tuple[Versions, bytes]:
    found = Versions()
    contents = whole_contents_of(
        DEMO / "rules", DEMO / "policy.yaml", DEMO / "pools.yaml", ROOT / "examples" / "apps.json"
    )
    for kind, content in contents.items():
        found = found.having(kind, content)
    return found, contents["rules"]


def decided(records: Iterator[Record]) -> list[bytes]:
    outputs = Replay(demo()[0]).run(through_the_door(records))
    return [out.value or b"" for out in outputs if out.topic == DECISIONS and MADE in out.headers]


@pytest.fixture(scope="module", params=["the demo", "the simulated demo"])
def records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The records of decisions: of the first weeks of the demo's log, and of a simulation."""
    if request.param == "the demo":
        return decided(islice(read(LOG)[1], 12_000))
    folder = tmp_path_factory.mktemp("log")
    write_simulation(folder / "log.jsonl.gz", folder / "truth.jsonl", customers=150, days=8, seed=5)
    return decided(read(folder / "log.jsonl.gz")[1])


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def test_a_record_is_two_kilobytes_at_most_at_the_median(records: list[bytes]) -> None:
    assert len(records) > 100
    assert median(map(len, records)) <= 2048
    assert max(map(len, records)) <= 2 * 2048


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_explanation_fits_on_a_screen_and_tells_neither_customer_nor_attributes(
    records: list[bytes], language: Language
) -> None:
    content = demo()[1]
    for record in records[:: max(1, len(records) // 60)]:
        decision = Decision.model_validate_json(record)
        rules = rules_named(content, [verdict.rule for verdict in decision.verdicts])

        told = lines_of(decision, None, Telling(rules, "Asia/Shanghai", language))

        assert len(told) <= SCREEN
        assert max(map(columns, told)) <= 130
        assert decision.customer not in "\n".join(told)
        assert all(f"attr.{name} = {value}" not in "\n".join(told) for name, value in decision.facts.items())
        assert all(any(verdict.rule in line for line in told) for verdict in decision.verdicts)


def test_unmasked_it_tells_the_customer_and_what_was_known_of_them(records: list[bytes]) -> None:
    decision = next(d for d in map(Decision.model_validate_json, records) if "attr.aum" in d.facts)

    told = "\n".join(lines_of(decision, None, Telling(unmask=True)))

    assert decision.customer in told
    assert f"attr.aum = {decision.facts['attr.aum']}" in told


def busy() -> tuple[Table, Decision]:
    table = Table(versions(extra=BUSY))
    table.hear(table.profile("c1", tags=["vip"], attrs={"age": 40}))
    table.hear(table.pays(category="fuel"))
    return table, Decision.model_validate(table.hear(table.pays(category="fuel")).decision)


def test_a_record_tells_what_each_clause_read() -> None:
    _, decision = busy()

    (verdict,) = decision.verdicts
    assert verdict.read == {"tag:vip": True, "count": 2, "count.2": 2, "sum": "24.00 CNY"}
    assert decision.facts["attr.age"] == 40


def test_clauses_are_told_in_the_sentences_of_the_rule_or_by_their_names() -> None:
    table, decision = busy()
    rules = rules_named(table.versions.book.content, ["card"])

    chinese, english, bare = (
        lines_of(decision, None, telling)
        for telling in (Telling(rules, language="zh"), Telling(rules), Telling(language="en"))
    )

    assert any(line.endswith("7天内至少2次交易：2") for line in chinese)
    assert any(line.endswith("at least 2 × transaction in 7 days: 2") for line in english)
    assert any(line.endswith("count.2: 2") for line in bare)


@settings(max_examples=20)
@given(books)
def test_every_clause_of_a_rule_has_a_name_of_its_own(book: Book) -> None:
    for rule in book.rules.values():
        names = [clause.name for clause in rule.clauses]

        assert len(set(names)) == len(names)


def test_the_ledgers_word_is_told_with_its_time() -> None:
    table = Table(versions(cafe=1, tea=0))
    table.hear(table.profile("c1"), table.profile("c2"))
    first, second = (table.ask(table.pays(key))[0].decision for key in ("c1", "c2"))

    assert first["ledger"]["granted"] == first["offer"]
    assert (first["ledger"]["pool"], first["ledger"]["virtual"]) == ("cafe", False)
    assert second["ledger"]["granted"] is None
    assert "ledger" not in table.hear(table.pays("c1", category="fuel")).decision


@pytest.mark.parametrize("early", [False, True])
def test_an_end_tells_why_nothing_reached_the_customer(early: bool) -> None:
    table = Table()
    table.hear(table.profile())
    asked = table.hear(table.pays())
    answers, _ = table.ledger(asked)
    made = asked.of("kairos.ledger.commands.v1")[0]["id"]
    back = table.feedback("rejected", decision=made, reason="no_personalisation")
    heard = [table.hear(back), table.hear(*answers)] if early else [table.hear(*answers), table.hear(back)]

    (end,) = [row for said in heard for row in said.of(DECISIONS, "decision_ended")]

    assert (end["state"], end["reason"]) == ("failed", "no_personalisation")
    decision = Decision.model_validate(next(said for said in heard if said.decisions).decision)
    told = lines_of(decision, DecisionEnded.model_validate(end), Telling(language="zh"))
    assert any("失败：no_personalisation (客户不同意个性化营销)" in line for line in told)


def test_a_gateways_own_word_is_no_reason_of_the_house() -> None:
    table = Table()
    table.hear(table.profile())
    made = table.hear(table.pays(category="fuel")).decision

    (end,) = table.hear(table.feedback("undelivered", decision=made["id"], reason="DELIVRD:099")).of(
        DECISIONS, "decision_ended"
    )

    assert end["state"] == "failed"
    assert "reason" not in end


def test_a_record_of_an_earlier_build_is_still_read_and_told() -> None:
    _, decision = busy()
    older: dict[str, Any] = decision.model_dump(mode="json")
    for verdict in older["verdicts"]:
        del verdict["read"]

    told = lines_of(Decision.model_validate(older), None)

    assert any("card (cards, treatment): won" in line for line in told)


rates = st.floats(0, 1, allow_nan=False)


@given(st.integers(0, 2**64), rates, rates)
def test_who_keeps_a_smaller_share_of_the_losers_keeps_no_decision_that_a_larger_share_does_not(
    number: int, one: float, other: float
) -> None:
    decision = busy_decision().model_copy(update={"id": f"{number:032x}"})
    small, large = sorted((one, other))

    kept = [told.losers is not None and told.losers.kept for told in (recorded(decision, s) for s in (small, large))]

    assert kept[0] <= kept[1]
    assert recorded(decision, 1.0).losers is not None
    assert recorded(decision, 1.0).verdicts == decision.verdicts


def busy_decision() -> Decision:
    return _BUSY


_BUSY = busy()[1]


def test_winners_are_told_whole_and_of_losers_the_reason_always() -> None:
    table = Table(versions(cafe=0, policy={"losers": "0%"}))
    table.hear(table.profile(attrs={"age": 40}))
    decision = Decision.model_validate(table.ask(table.pays())[0].decision)
    nobody = Decision.model_validate(Table(versions(policy={"losers": "0%"})).hear(table.pays("c9")).decision)

    won, lost = sorted(decision.verdicts, key=lambda verdict: verdict.verdict != "won")
    assert (won.rule, won.score is None, won.read is None) == ("tea", False, won.read is None)
    assert (lost.verdict, lost.score, lost.read) == (Reason.OUT_OF_STOCK, None, None)
    assert decision.facts["attr.age"] == 40
    assert (decision.losers is not None and decision.losers.rate, nobody.facts) == (0.0, {})
    assert {verdict.verdict for verdict in nobody.verdicts} == {Reason.NO_CONSENT}
    assert any("0% of the decisions keep it" in line for line in lines_of(nobody, None))


def test_a_policy_that_says_nothing_of_losers_keeps_everything_and_costs_no_byte() -> None:
    _, decision = busy()

    assert recorded(decision, None) is decision
    assert decision.losers is None
    assert b"losers" not in decision.model_dump_json().encode()
