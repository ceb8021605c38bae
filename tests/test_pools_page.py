"""The page on pools, the key for codes, and the file in which tills tell what was redeemed."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from console.counting_pools import Pools
from console.counting_records import CommandRow
from console.redemptions import RedemptionsError, read_redemptions
from kairos.decisions import Reason
from kairos.ids import content_hash
from kairos.ports import Record
from kairos.reservations import Redemption
from rules.pools import load_pools
from streams.catalogue import CatalogueReader, publication
from streams.meter import Meter
from streams.replay_journal import MissingKey, _versions
from streams.settings import Settings
from streams.topics import CATALOGUE
from streams.versions import CODES_KEY, Versions
from tests.fault_driver import ROOT
from tests.ledger_table import Table, pool

PAGE = (ROOT / "docs" / "pools.md").read_text(encoding="utf-8")
POOLS = {"cafe": pool(), "ride": pool("ride", programme="travel", currency="JPY")}
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = "k" * 32


def test_the_pages_file_is_right_and_every_key_of_it_is_used() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    loaded = load_pools(text)

    assert loaded.problems == ()
    assert [len(loaded.pools), len(loaded.programmes), len(loaded.programmes[0].slices)] == [3, 2, 1]


def test_every_reason_that_the_page_names_is_one_of_the_list() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE.split("## Budgets")[0].split("| reason |")[1]))

    assert named <= {reason.value for reason in Reason}
    assert len(named) == 9


def told(folder: Path, text: str) -> list[Redemption]:
    path = folder / "tills.csv"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return [one for _, one in read_redemptions(path, POOLS, NOW)]


def test_a_till_tells_what_it_knows(tmp_path: Path) -> None:
    rows = "Code,pool,at,amount\n K1 ,cafe,2026-11-30T08:00:00Z,42.50\nK2,,,\n007,ride,,800\n"

    first, second, third = told(tmp_path, rows)

    assert (first.code, first.programme, first.pool, first.amount, first.onward) == ("K1", "takeaway", "cafe", 4250, ())
    assert first.at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert (second.programme, second.onward, second.pool, second.at) == ("takeaway", ("travel",), None, NOW)
    assert (third.code, third.programme, third.amount) == ("007", "travel", 800)
    assert [one.id for one in told(tmp_path, rows)] == [first.id, second.id, third.id]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "tills.csv:1: the first line names the columns"),
        ("code\n", "tills.csv:1: there are no redemptions in the file"),
        ("number\nK1\n", "tills.csv:1: the first line names the columns"),
        ("code,cod\nK1,\n", "tills.csv:1: the first line names the columns"),
        ("code,pool\n,cafe\n", "tills.csv:2: a code has 1 to 200 characters"),
        ("code,pool\nK1,tea\n", "tills.csv:2: no pool tea is in force"),
        ("code,amount\nK1,-3\n", "tills.csv:2: an amount is not negative, got -3"),
        ("code,amount\nK1,much\n", "tills.csv:2: 'much' is no amount"),
        ("code,at\nK1,yesterday\n", "tills.csv:2: 'yesterday' is no instant; write it as 2026-"),
        ("code,at\nK1,0001-01-01T00:00:00+08:00\n", "tills.csv:2: '0001-01-01T00:00:00+08:00' is no instant"),
        ("code,at\nK1,2026-12-01T12:05:00\n", "tills.csv:2: '2026-12-01T12:05:00' is no instant"),
        ('code\n"K1', "tills.csv: unexpected end of data"),
        ("code\nK1\nK\udce4\n", "tills.csv:3: this is not UTF-8; save the file as CSV in UTF-8"),
    ],
)
def test_a_slip_in_a_tills_file_is_told_and_nothing_of_it_is_taken(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RedemptionsError) as caught:
        told(tmp_path, text)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)


def test_the_key_for_codes_is_named_by_its_hash_and_never_shown() -> None:
    versions = Versions().having(CODES_KEY, KEY.encode())

    assert versions.hashes == {CODES_KEY: content_hash(KEY.encode())}
    assert KEY not in repr(versions)
    assert KEY not in repr(Settings(codes_key=KEY))


def test_a_key_that_is_no_secret_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="32 to 64 bytes, this one has 5"):
        Settings(codes_key=f"{KEY},short")

    assert Settings(codes_key=f"{KEY}, {KEY[::-1]}l" + "l").codes_keys[0] == KEY.encode()


def test_a_replay_without_the_key_that_codes_were_made_with_says_so() -> None:
    hashes = [(CODES_KEY, content_hash(KEY.encode()))]

    assert _versions(hashes, {content_hash(KEY.encode()): KEY.encode()}).codes_key == KEY.encode()
    with pytest.raises(MissingKey, match="set KAIROS_CODES_KEY"):
        _versions(hashes, {})


def test_a_pool_that_runs_low_is_counted_for_those_who_watch() -> None:
    table, meter = Table(pool(low=9)), Meter()

    meter.committed("ledger", {}, table.reserve("d1").outputs, 0)

    assert meter.counts["kairos_alerts_total"] == {("low",): 1}


def test_what_tills_tell_and_what_is_moved_is_no_reservation_to_the_recount() -> None:
    counted = Pools()

    for kind in ("redemption", "move", "moved", "stock"):
        counted.command(CommandRow(kind=kind, id="x"))

    assert counted.waiting(()) == 0
    assert counted.standing() == {}


def test_a_key_that_somebody_publishes_is_not_taken() -> None:
    reader = CatalogueReader()

    for offset, output in enumerate(publication(CODES_KEY, KEY.encode(), "ann", 0, "")):
        reader.take(Record(CATALOGUE, 0, offset, output.key, output.value, output.headers))

    assert reader.versions.codes_key == b""
    assert reader.problems == {CODES_KEY: "a key for codes is a secret and is not published"}
