"""What a live run left, in a file: kept, read again, held beside a backtest from the command line."""

import json
from pathlib import Path

import pytest

from console.backtest_live import Beside, Live, beside, section, write_differences
from console.backtest_live_words import SAID
from console.backtest_offpolicy_words import SAID as OFFPOLICY
from console.live_records import KeptRecords, keep
from kairos.instants import MINUTE
from kairos.ports import Record
from rules.saying import LANGUAGES, Language
from streams.backtest import Backtest
from streams.topics import APP_USAGE, TRANSACTIONS
from tests.test_backtest_command import backtest, log  # noqa: F401  # a fixture
from tests.test_backtest_live import BOOKS, compared, decided, lived, told


def test_decisions_alone_are_enough_to_compare_and_it_is_said_what_they_do_not_tell(tmp_path: Path) -> None:
    records = told([("c2", False, MINUTE), ("c2", True, MINUTE), ("c1", False, MINUTE), ("c1", True, MINUTE)])
    live = decided(lived([*records[:6], records[7], records[6]], BOOKS))
    bare = tmp_path / "decisions.jsonl"
    bare.write_bytes(b"".join((r.value or b"") + b"\n" for r in live.records if b'"verdicts"' in (r.value or b"")))
    run = Beside()
    for output in Backtest(BOOKS).run(records):
        run.take(output)

    found = beside(run, Live(KeptRecords(bare)), lambda: records, BOOKS.hashes)

    assert (found.same, found.only_back, found.is_whole) == (2, 2, False)
    assert {d.whys[0].cause for d in found.differences} == {"unknown"}
    assert SAID["en"]["no order"] in section(found, "UTC", "en").said


def test_what_is_kept_of_a_live_run_compares_alike_and_holds_nothing_of_what_customers_did(tmp_path: Path) -> None:
    records = told([("c2", False, MINUTE), ("c2", True, MINUTE), ("c1", False, MINUTE), ("c1", True, MINUTE)])
    live = lived([*records[:6], records[7], records[6]], BOOKS)

    keep(live, tmp_path / "live.jsonl.gz")

    run = Beside()
    for output in Backtest(BOOKS).run(records):
        run.take(output)
    kept = beside(run, Live(KeptRecords(tmp_path / "live.jsonl.gz")), lambda: records, BOOKS.hashes)
    assert kept.differences == compared(records, live).differences != []
    rows = list[Record]()
    KeptRecords(tmp_path / "live.jsonl.gz").each((APP_USAGE, TRANSACTIONS), rows.append)
    assert [row.value for row in rows] == [b""] * 4
    write_differences({"rules": kept}, tmp_path / "differences.jsonl")
    written = [json.loads(row) for row in (tmp_path / "differences.jsonl").read_text().splitlines()]
    assert {(row["customer"], row["live"], row["why"][0]["cause"]) for row in written} == {("c1", None, "order")}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"topic":"kairos.decisions.v1"}\n{nothing', "live.jsonl:2: no record"),
        ('{"id":"x"}', "live.jsonl:1: neither a record"),
        ('{"verdicts":[]}', "live.jsonl:1: no decision: "),
        ("", "live.jsonl holds no decision"),
    ],
)
def test_a_file_that_is_no_live_run_is_told_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=says):
        Live(KeptRecords(path))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_backtest_beside_what_it_wrote_itself_differs_nowhere(
    log: Path,  # noqa: F811  # the fixture
    language: Language,
    tmp_path: Path,
) -> None:
    written = tmp_path / "out.jsonl"
    backtest(log, "--out", str(written))

    code, said = backtest(log, "--live", str(written), "--language", language)

    assert code == 0
    assert SAID[language]["equal"] in said
    assert OFFPOLICY[language]["title"] in said
    assert OFFPOLICY[language]["no chances"][:20] in said


def test_two_folders_are_each_held_beside_the_live_run(log: Path, tmp_path: Path) -> None:  # noqa: F811  # the fixture
    written, differences = tmp_path / "out.jsonl", tmp_path / "differences.jsonl"
    backtest(log, "--out", str(written))
    fewer = Path("examples/demo/rules/activation.yaml")

    beside_live = ("--live", str(written), "--differences", str(differences))
    code, said = backtest(log, "--against", str(fewer), *beside_live)

    assert code == 0
    before, after = said.split(f"{SAID['en']['live']} (after: {fewer})")
    assert f"{SAID['en']['live']} (before: examples/demo/rules)" in before
    assert f"{OFFPOLICY['en']['title']} (after: {fewer})" in after
    assert SAID["en"]["equal"] in before
    assert SAID["en"]["equal"] not in after
    rows = [json.loads(row) for row in differences.read_text(encoding="utf-8").splitlines()]
    assert {row["rules"] for row in rows} == {str(fewer)}
    assert {why["cause"] for row in rows for why in row["why"][:1]} == {"versions"}


def test_options_about_a_live_run_without_one_are_refused(log: Path, tmp_path: Path) -> None:  # noqa: F811
    assert backtest(log, "--differences", str(tmp_path / "d.jsonl"))[0] == 2
    assert "there is no such file" in backtest(log, "--live", str(tmp_path / "none"))[1]
