"""The settlement agrees with a plain recount of every coupon's own steps."""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from console.settling import Settlement, as_csv, as_json
from kairos.instants import DAY
from kairos.ports import Output, Record
from streams.topics import LEDGER_ENTRIES
from tests.ledger_table import NOON, Table, pool, reserve, wish

STEPS = st.tuples(st.integers(0, 6), st.sampled_from(["reserve", "confirm", "redeem", "release", "day"]))


def lived(steps: Sequence[tuple[int, str]]) -> list[Output]:
    table = Table(
        pool("cafe", 9, merchant="a", value=3000, subsidy={"bank": 1000, "a": 2000}),
        pool("tea", 9, merchant="a", value=500),
        pool("ride", 9, merchant="b", value=800, currency="JPY", subsidy={"city": 800}),
    )
    outputs: list[Output] = []
    for number, what in steps:
        decision = f"d{number}"
        if what == "day":
            table.days_later(1)
        elif what == "reserve":
            of = ("cafe", "tea", "ride")[number % 3]
            outputs += table.hear(reserve(decision, wish(decision, of))).outputs
        else:
            outputs += table.change(what, decision).outputs
    return [output for output in outputs if output.topic == LEDGER_ENTRIES]


def settled(entries: Sequence[Output], since: int, until: int, merchant: str | None = None) -> Settlement:
    settlement = Settlement(since, until, merchant)
    for place, entry in enumerate(entries):
        settlement.take(Record(LEDGER_ENTRIES, 0, place, entry.key, entry.value))
    return settlement


def recounted(entries: Sequence[Output], since: str, until: str) -> dict[str, Counter[str]]:
    """Follow each coupon by itself, with dicts and JSON alone."""
    steps = defaultdict[str, list[dict[str, object]]](list)
    for entry in entries:
        row = json.loads(entry.value or b"")
        steps[row["decision"]].append(row)
    found = defaultdict[str, Counter[str]](Counter)
    for rows in steps.values():
        was_delivered = False
        for row in rows:
            is_delivered = row["what"] in ("confirmed", "redeemed")
            if since <= str(row["at"]) < until:
                count = found[str(row["pool"])]
                count[str(row["what"])] += 1
                count["delivered"] += is_delivered - was_delivered
            was_delivered = is_delivered
    return found


@given(st.lists(STEPS, max_size=40), st.integers(0, 3), st.integers(0, 6))
def test_a_settlement_of_any_period_agrees_with_the_steps_of_every_coupon(
    steps: list[tuple[int, str]], begin: int, length: int
) -> None:
    entries = lived(steps)
    lines = settled(entries, NOON + begin * DAY, NOON + (begin + length) * DAY).lines()

    expected = recounted(entries, f"2026-12-{1 + begin:02}T12", f"2026-12-{1 + begin + length:02}T12")

    assert {line.pool for line in lines} == expected.keys()
    for line in lines:
        count = expected[line.pool]
        value = {"cafe": 3000, "tea": 500, "ride": 800}[line.pool]
        assert (line.issued, line.redeemed, line.released) == (count["issued"], count["redeemed"], count["released"])
        assert line.delivered == count["delivered"]
        assert line.face_value == sum(line.paid.values()) == value * count["redeemed"]
        assert (
            not line.paid
            or line.paid
            == {
                "cafe": {"bank": 1000 * count["redeemed"], "a": 2000 * count["redeemed"]},
                "tea": {"a": 500 * count["redeemed"]},
                "ride": {"city": 800 * count["redeemed"]},
            }[line.pool]
        )


def test_a_settlement_is_written_for_spreadsheets_and_for_programs() -> None:
    steps = [(number, what) for number in (0, 1, 2) for what in ("reserve", "confirm", "redeem")]
    lines = settled(lived(steps), 0, 2**50).lines()

    rows = list(csv.DictReader(io.StringIO(as_csv(lines))))

    assert [(row["merchant"], row["pool"], row["currency"], row["face_value"]) for row in rows] == [
        ("a", "cafe", "CNY", "30.00"),
        ("a", "tea", "CNY", "5.00"),
        ("b", "ride", "JPY", "800"),
    ]
    assert [(r["paid_by_merchant"], r["paid_by_bank"], r["paid_by_city"]) for r in rows] == [
        ("20.00", "10.00", "0.00"),
        ("5.00", "0.00", "0.00"),
        ("0", "0", "800"),
    ]
    assert [(row["pool"], row["face_value"], row["paid"]) for row in json.loads(as_json(lines))] == [
        ("cafe", 3000, {"bank": 1000, "a": 2000}),
        ("tea", 500, {"a": 500}),
        ("ride", 800, {"city": 800}),
    ]


def test_one_merchants_settlement_has_that_merchants_lines_alone() -> None:
    entries = lived([(0, "reserve"), (2, "reserve")])

    assert [line.pool for line in settled(entries, 0, 2**50, "b").lines()] == ["ride"]


def test_a_pool_that_was_redefined_settles_each_coupon_as_it_was_issued() -> None:
    table = Table(pool(value=1000))
    entries = table.reserve("d1").outputs
    table.define(pool(value=9000, merchant="somebody-else", subsidy={"bank": 9000}))
    entries += table.change("redeem", "d1").outputs

    (line,) = settled([e for e in entries if e.topic == LEDGER_ENTRIES], 0, 2**50).lines()

    assert (line.merchant, line.face_value, dict(line.paid)) == ("cafe", 1000, {"cafe": 1000})
