"""A backtest: the live functions over a recorded log, counted without a rest, compared without a guess."""

import re
from collections import Counter
from datetime import date
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from console.backtest_arms import arms
from console.backtest_build import Over, Ran, report
from console.backtest_compared import difference
from console.backtest_figures import Figures
from console.backtest_page import page
from console.backtest_tally import Tally
from console.backtest_text import drawn
from console.backtest_when import periods
from console.backtest_words import SAID
from kairos.decisions import Reason
from kairos.instants import DAY, HOUR
from kairos.offers import Programme, Slice
from kairos.ports import Output, Record
from rules import arms as arms_of
from rules.reasons import REASONS
from rules.saying import LANGUAGES
from streams.backtest import Backtest, stocked
from streams.event_log import Header
from streams.pools import Totals
from streams.replay import Replay
from streams.versions import Versions
from tests.absence_table import Waiting
from tests.customer_table import NOON, Said, Table, versions

OVER = Over("log.jsonl", Header("A log", "real", "Invented: nothing.", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"))


def ran(records: list[Record], books: Versions) -> tuple[Figures, dict[str, Totals], list[Output]]:
    """What a backtest counts, how the ledger stands after it, and what the stages wrote."""
    backtest, tally = Backtest(books), Tally(books.policy.zone, books.pools.values())
    outputs = list(backtest.run(map(tally.hear, records)))
    for output in outputs:
        tally.take(output)
    return tally.finish(), backtest.pools(), outputs


def day() -> list[Record]:
    """Three customers dine, one of them without consent, and one fills up the car."""
    table = Table()
    records = [table.profile("c1"), table.profile("c2"), table.profile("c3", granted=False)]
    for key in ("c1", "c2", "c3", "c1"):
        table.now += HOUR
        records.append(table.pays(key))
    table.now += DAY
    return [*records, table.pays("c2", "fuel")]


def test_the_figures_say_who_would_have_got_what_and_why_the_others_would_not() -> None:
    figures, _, _ = ran(day(), versions(cafe=1, tea=1))

    assert figures.states == {"offered": 3, "suppressed": 2}
    assert figures.reached == {"c1": 1, "c2": 2}
    assert figures.rules["cafe"].fates == {"won": 1, "out_of_stock": 2, "no_consent": 1}
    assert figures.rules["tea"].fates == {"outranked": 1, "won": 1, "no_consent": 1, "out_of_stock": 1}
    assert figures.rules["cafe"].customers == {"c1", "c2", "c3"}
    assert figures.rules["cafe"].minor == {"CNY": 1500}
    assert dict(figures.volume) == {
        ("2026-12-01", 13, "sms"): 1,
        ("2026-12-01", 14, "sms"): 1,
        ("2026-12-02", 16, "sms"): 1,
    }


def test_two_rules_of_one_event_are_counted_with_the_one_that_went_first() -> None:
    figures, _, _ = ran(day(), versions(cafe=1, tea=1))

    pair = figures.pairs["cafe", "tea"]

    assert figures.pairs.keys() == {("cafe", "tea")}
    assert (pair.together, pair.first, pair.second, pair.neither) == (4, 2, 1, 1)


def test_a_pool_burns_down_by_days_and_says_when_it_first_turned_somebody_away() -> None:
    figures, stands, _ = ran(day(), versions(cafe=1, tea=1))

    cafe = figures.pools["cafe"]

    assert (cafe.held, cafe.minor, cafe.days) == (1, 1500, {"2026-12-01": (1, 1500)})
    assert (cafe.refused, cafe.first_refused) == (2, NOON + 2 * HOUR)
    assert {name: (pool.held, pool.minor) for name, pool in figures.pools.items()} == {
        name: (pool.held, pool.held_minor) for name, pool in stands.items()
    }


def test_a_backtest_writes_what_a_replay_of_the_same_books_writes() -> None:
    books = versions(cafe=2, tea=1, control="40%", cooldown="1h")

    assert ran(day(), stocked(books))[2] == list(Replay(books).run(day()))


def test_the_control_group_is_counted_and_gets_nothing() -> None:
    figures, stands, _ = ran(day(), versions(control="90%"))

    assert figures.states == {"withheld": 4, "suppressed": 1}
    assert figures.fates[Reason.CONTROL] == 4
    assert not figures.volume
    assert not figures.reached
    assert all(pool.held == 0 for pool in stands.values())


FORMS = "40%, treatments: [{name: warm, share: 40%, template: w}, {name: bold, share: 40%, template: b}]"


def test_each_form_of_an_offer_is_counted_in_both_arms_and_what_adds_up_is_the_rule() -> None:
    table, people = Table(), [f"c{number}" for number in range(60)]
    books = versions(cafe=99, tea=0, control=FORMS)

    figures, _, _ = ran([*map(table.profile, people), *map(table.pays, people)], books)

    cafe = figures.rules["cafe"]
    drawn_ = {
        (one.arm.value, one.treatment or "")
        for one in (arms_of.drawn(books.book.rules["cafe"], key, books.policy) for key in people)
    }
    assert cafe.arms.keys() == drawn_ == {(arm, f) for arm in ("treatment", "control") for f in ("", "warm", "bold")}
    assert sum((one.fates for one in cafe.arms.values()), Counter()) == cafe.fates
    assert set().union(*(one.customers for one in cafe.arms.values())) == cafe.customers
    assert cafe.fates["won"] == sum(one.through for (arm, _), one in cafe.arms.items() if arm == "treatment") > 0
    for language in LANGUAGES:
        (told,) = arms(figures, language).tables
        warm = cafe.arms["treatment", "warm"]
        words = SAID[language]
        assert ("cafe", words["treatment"], "warm", warm.fates.total(), len(warm.customers), warm.through) in [
            row[:6] for row in told.rows
        ]
        assert words["arms"] in page(report(OVER, Ran("rules", figures), None, language))


def test_a_rule_in_which_all_are_treated_alike_has_no_arms_to_tell() -> None:
    figures, _, _ = ran(day(), versions())

    assert arms(figures, "en").tables == ()


def test_customers_who_test_are_in_no_figure_but_the_pools() -> None:
    figures, stands, _ = ran(day(), versions(policy={"testers": {"customers": ["c1"]}}))

    assert figures.testers == 2
    assert figures.reached == {"c2": 2}
    assert figures.rules["cafe"].matched == 2
    assert figures.pools["cafe"].held == stands["cafe"].held == 3


def test_what_had_to_wait_beyond_the_end_of_the_log_is_said() -> None:
    table = Waiting()

    figures, _, _ = ran([table.profile(), table.looks()], table.versions)

    assert (figures.states["offered"], figures.later) == (1, 1)
    told = report(OVER, Ran("rules", figures), None, "en")
    assert any("1 decisions were made after the log's last event" in said for s in told.sections for said in s.said)


def test_a_receipt_in_the_log_counts_for_the_offer_that_it_answers() -> None:
    table = Table()
    bought = [table.profile(), table.pays(id_="e-1")]
    decision = Said(ran(bought, versions(cafe=1))[2]).decisions[0]["id"]
    table.now += HOUR

    figures, stands, _ = ran([*bought, table.feedback("rejected", decision=decision)], versions(cafe=1))

    assert figures.answered == 1
    assert (figures.pools["cafe"].held, stands["cafe"].held, stands["cafe"].released) == (0, 0, 1)


def test_pools_of_a_sample_are_as_much_smaller_and_imported_codes_are_in_stock() -> None:
    books = versions(cafe=7, tea=5)
    pools = {**books.pools, "tea": books.pools["tea"].model_copy(update={"codes": "imported", "budget": 5_001})}
    found = stocked(Versions(hashes=books.hashes, pools=pools), sample=2)

    assert (found.pools["cafe"].count, found.pools["tea"].count, found.pools["tea"].budget) == (3, 2, 2_500)
    assert found.pools["tea"].codes == "generated"
    assert found.hashes == books.hashes


def test_a_sample_shrinks_what_all_customers_share_and_not_what_one_may_have() -> None:
    slices = (Slice(budget="b", home="lunch", minor=9_001, currency="CNY"),)
    lunch = Programme(programme="lunch", count=7, budget_per_day=901, per_customer=3, slices=slices)

    (found,) = stocked(Versions(programmes={"lunch": lunch}), sample=3).programmes.values()

    assert (found.count, found.budget_per_day, found.budget, found.per_customer) == (2, 300, None, 3)
    assert found.slices[0].minor == 3_000


happening = st.tuples(
    st.sampled_from(["c1", "c2", "c3"]), st.sampled_from(["dining", "fuel"]), st.integers(0, 9 * HOUR)
)


@given(st.lists(happening, max_size=12), st.integers(0, 3), st.sampled_from(["0%", "50%"]))
def test_no_match_is_lost_between_the_decisions_and_the_report(
    told: list[tuple[str, str, int]], cafe: int, control: str
) -> None:
    table = Table()
    records = [table.profile("c1"), table.profile("c2"), table.profile("c3", granted=False)]
    for key, category, wait in told:
        table.now += wait
        records.append(table.pays(key, category))

    figures, stands, outputs = ran(records, versions(cafe=cafe, control=control, cooldown="3h"))

    decisions = Said(outputs).decisions
    assert figures.fates.total() == sum(len(row["verdicts"]) for row in decisions)
    assert figures.states.total() == len(decisions)
    assert figures.offered == figures.volume.total() == figures.reached.total() == figures.fates["won"]
    assert {name: (p.held, p.minor) for name, p in figures.pools.items()} == {
        name: (p.held, p.held_minor) for name, p in stands.items()
    }


def test_the_same_rules_change_nothing_and_fewer_rules_lose_their_messages() -> None:
    both, _, _ = ran(day(), versions(cafe=1, tea=1))
    without, _, _ = ran(day(), versions(cafe=1, tea=0))

    same, less = difference(both, both), difference(both, without)

    assert same.is_nothing
    assert (less.same, less.lost, less.gained, less.other, less.left) == (2, 1, 0, 0, 0)


def test_another_rule_at_the_same_event_is_no_new_message() -> None:
    both, _, _ = ran(day(), versions(cafe=1, tea=1))
    other, _, _ = ran(day(), versions(cafe=0, tea=2))

    found = difference(both, other)

    assert (found.same, found.other, found.gained, found.lost) == (2, 1, 0, 0)


@given(st.lists(st.dates(min_value=date(2016, 1, 1), max_value=date(2030, 1, 1)), min_size=1, max_size=5))
def test_every_day_has_its_period_and_no_period_is_left_out(days: list[date]) -> None:
    told = [str(day) for day in days]

    found = periods(told)

    assert {found.of(day) for day in told} <= set(found.labels)
    assert list(found.labels) == sorted(set(found.labels))


def test_every_reason_has_words_in_both_languages() -> None:
    assert {language: set(REASONS[language]) for language in LANGUAGES} == {
        language: set(Reason) for language in LANGUAGES
    }
    assert SAID["zh"].keys() == SAID["en"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_ask_for_the_same_figures(language: str) -> None:
    def asked(text: str) -> set[str]:
        return set(re.findall(r"{(\w*)}", text))

    assert {k: asked(v) for k, v in SAID["zh"].items()} == {k: asked(v) for k, v in SAID["en"].items()}


def test_the_report_is_text_of_all_figures() -> None:
    one, _, _ = ran(day(), versions(cafe=1, tea=1))
    two, _, _ = ran(day(), versions(cafe=0, tea=2))

    told = report(OVER, Ran("old", one, {"cafe": "Coffee"}), Ran("new", two), "en")

    assert dict(told.tiles) | {"messages": "3", "face value": "25.00 CNY"} == dict(told.tiles)
    assert [section.name for section in told.sections] == [
        "compare", "funnel", "volume", "pools", "rules", "arms", "overlap", "limits", "inputs",
    ]  # fmt: skip
    console = Console(width=200, record=True, file=StringIO())
    for part in drawn(told):
        console.print(part)
    text = console.export_text()
    assert re.search(r"no coupon was left +3 +33.3%", text)
    assert re.search(r"cafe +Coffee +4 +3 +1 +1 +0 +15.00 CNY +no coupon was left \(2\)", text)
    assert re.search(r"cafe +m1 +lunch +1 +– +1 +15.00 CNY +0.0% +2 +2026-12-01 14:00", text)
