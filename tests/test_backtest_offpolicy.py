"""The off-policy estimate of a backtest: right where chances were logged, unknown elsewhere, and labelled so."""

import json
from typing import Any

import pytest

from console.backtest_live import Beside, Live
from console.backtest_offpolicy import LEAST, Judged, Reactions, draw_of, judged, section
from console.backtest_offpolicy_words import SAID
from console.backtest_report import Section
from console.backtest_rows import DecisionRow, EventRow, VerdictRow
from kairos.ids import share
from kairos.ports import Record
from rules.priorities import Priorities, load_priorities
from rules.saying import LANGUAGES
from streams.backtest import Backtest
from streams.topics import DECISIONS
from streams.versions import Versions
from tests.customer_table import Table, versions
from tests.test_backtest_live import InMemory, lived

TRUTH = {"cafe": 0.6, "tea": 0.2}


def exploring(books: Versions) -> Versions:
    said = load_priorities("format: 1\nzone: UTC\nexplore: {gamma: 20, evenly: 10%}")
    assert isinstance(said, Priorities), said
    return books.having("priorities", said.content)


def world(books: Versions, customers: int) -> tuple[list[Record], InMemory]:
    """The log of a day, and a live run over it with the reactions of people who like one offer more than the other."""
    table, people = Table(), [f"c{number}" for number in range(customers)]
    records = [*map(table.profile, people), *map(table.pays, people)]
    live = lived(records, books)
    for record in [one for one in live.records if one.topic == DECISIONS and b'"verdicts"' in (one.value or b"")]:
        row = json.loads(record.value or b"")
        won = [verdict["rule"] for verdict in row["verdicts"] if verdict["verdict"] == "won"]
        if won and share("taste", row["customer"]) < TRUTH[won[0]]:
            live.records.append(table.feedback("clicked", row["customer"], row["id"], simulated=True))
    return records, live


def estimated(records: list[Record], live: InMemory, tried: Versions) -> tuple[Judged, Reactions]:
    was, run = Live(live).heard, Beside()
    for output in Backtest(tried).run(records):
        run.take(output)
    run.reactions.add(was.reactions)
    return judged(was.draws.of, run.draws.of), run.reactions


def rows(told: Section) -> list[tuple[Any, ...]]:
    return list(told.tables[1].rows) if len(told.tables) > 1 else []


def percent(text: str) -> float:
    return float(text.rstrip("%")) / 100


def test_rules_that_choose_the_better_offer_are_estimated_at_its_rate_and_not_at_that_of_the_log() -> None:
    records, live = world(exploring(versions(cafe=999, tea=999)), 900)

    found, reactions = estimated(records, live, versions(cafe=999, tea=999))

    told = section(found, reactions, "en")
    assert (found.decisions, len(found.rows)) == (900, 900)
    for _, method, value, interval, effective, rate in rows(told):
        low, high = map(percent, str(interval).split(" – "))
        assert low < TRUTH["cafe"] < high, method
        assert abs(percent(str(value)) - TRUTH["cafe"]) < 0.1
        assert abs(percent(str(rate)) - 0.4) < 0.06
        assert 380 < int(effective) < 520
    assert [row[0] for row in rows(told)] == ["clicked", "clicked"]
    assert any("made up by a program" in said for said in told.said)


def test_who_is_judged_by_its_own_log_gets_what_was_counted() -> None:
    books = exploring(versions(cafe=999, tea=999))
    records, live = world(books, 200)

    found, reactions = estimated(records, live, books)

    assert all(chance == wanted for _, chance, wanted in found.rows)
    assert {row[2] for row in rows(section(found, reactions, "en"))} == {rows(section(found, reactions, "en"))[0][5]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_logged_chances_all_is_unknown(language: Any) -> None:
    books = versions(cafe=999, tea=999)
    records, live = world(books, 3)

    found, reactions = estimated(records, live, books)

    told = section(found, reactions, language)
    assert (found.unlogged, found.rows) == (3, [])
    assert SAID[language]["no chances"] in told.said
    assert rows(told) == []


def test_rules_that_choose_for_certain_compare_and_rules_that_offer_nothing_are_not_estimated() -> None:
    records, live = world(exploring(versions(cafe=999, tea=999)), 5)
    certain = versions(cafe=999, tea=999, extra="    priority: {level: mandatory}\n")

    found, _ = estimated(records, live, certain)
    silent, reactions = estimated(records, live, Versions())

    # The same offers, chosen without a draw.
    assert len(found.rows) == 5
    assert (silent.silent, silent.rows) == (5, [])
    assert SAID["en"]["no offers"] in section(silent, reactions, "en").said


def test_an_offer_by_another_channel_or_of_another_pool_is_another_offer() -> None:
    records, live = world(exploring(versions(cafe=999, tea=999)), 4)
    closed = versions(cafe=999, tea=999, policy={"hours": {"sms": "00:00-01:00", "push": "00:00-24:00"}})

    found, reactions = estimated(records, live, closed)

    assert (found.unsupported, found.rows) == (4, [])
    assert SAID["en"]["no overlap"] in section(found, reactions, "en").said


def test_thin_overlap_and_few_reactions_are_unknown() -> None:
    kinds = Reactions()
    for number in range(LEAST):
        kinds.take(json.dumps({"what": "clicked", "decision": f"d{number}"}).encode())
    kinds.take(b'{"what": "redeemed", "decision": "d0"}')
    thin = Judged(decisions=9, rows=[(f"d{number}", 0.5, 1.0) for number in range(LEAST - 1)])
    enough = Judged(decisions=LEAST, rows=[(f"d{number}", 0.5, 1.0) for number in range(LEAST)])
    nobody = Judged(decisions=LEAST, rows=[(f"d{number}", 0.5, 0.0) for number in range(LEAST)])

    assert {row[2] for row in rows(section(thin, kinds, "en"))} == {SAID["en"]["unknown thin"]}
    assert {row[2] for row in rows(section(nobody, kinds, "en"))} == {SAID["en"]["unknown thin"]}
    assert {row[2] for row in rows(section(enough, kinds, "en"))[2:]} == {SAID["en"]["unknown few"]}


def test_a_decision_in_which_an_arm_could_have_decided_is_left_out_whichever_offer_was_drawn() -> None:
    def decision(first: str, arm: str, *, test: bool = False) -> DecisionRow:
        ranked = sorted(["cafe", "tea"], key=lambda rule: rule != first)
        verdicts = [
            VerdictRow(rule, "won", rank=rank, chance=0.5, arm=arm if rule == "tea" else "treatment")
            for rank, rule in enumerate(ranked, 1)
        ]
        return DecisionRow("d", "c1", EventRow("e1", "login", ""), "", "offered", verdicts, test=test)

    assert draw_of(decision("cafe", "treatment")) is not None
    assert draw_of(decision("cafe", "control")) is draw_of(decision("tea", "control")) is None
    assert draw_of(decision("cafe", "treatment", test=True)) is None


def test_no_reaction_is_no_conversion_of_nothing() -> None:
    told = section(Judged(decisions=1, rows=[("d", 0.5, 1.0)]), Reactions(), "en")

    assert SAID["en"]["no reactions"] in told.said
    assert rows(told) == []


def test_both_languages_have_all_words() -> None:
    assert SAID["zh"].keys() == SAID["en"].keys()
