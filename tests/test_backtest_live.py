"""A backtest beside a live run: the same where the order was the same, and elsewhere the place and the cause."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from console.backtest_live import Beside, Compared, Live, beside, section
from console.backtest_live_words import SAID
from console.live_causes import CAUSES
from console.live_fates import Fates
from console.live_histories import of_live, of_log
from kairos.instants import HOUR, MINUTE, SECOND, Millis
from kairos.ports import Batch, Output, Record
from streams import journal
from streams.backtest import Backtest
from streams.replay import Replay
from streams.topics import APP_USAGE, CUSTOMERS_JOURNAL, DECISIONS, TRANSACTIONS
from streams.versions import Versions
from tests.customer_table import NOON, Table, versions
from tests.rules_strategies import unhurried
from tests.test_backtest_command import backtest, log  # noqa: F401  # a fixture

BOOKS = versions(cafe=99, tea=0, extra="    when: {count: {event: app_usage, within: 10m, at_least: 1}}\n")
PEOPLE = ("c1", "c2", "c3", "c4")


class InMemory:
    """The records of a live run in a list."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = list(records)

    def each(self, topics: Collection[str], visit: Callable[[Record], None]) -> None:
        """Show those of these topics."""
        for record in self.records:
            if record.topic in topics:
                visit(record)


def lived(taken: Sequence[Record], books: Versions) -> InMemory:
    """Let records be taken one by one in this order: their topics, the journal and the decisions."""
    replay, found, places = Replay(books), list[Record](), Counter[str]()
    for commit, one in enumerate(taken):
        record = msgspec.structs.replace(one, offset=places[one.topic])
        places[one.topic] += 1
        outputs = list(replay.take(record))
        entry = journal.entry(
            Batch(0, 1, [record], replay.now, books), {record.topic: (record.offset, record.offset + 1)}, ()
        )
        found += [record, Record(CUSTOMERS_JOURNAL, 0, commit, None, journal.write(entry)), *map(_written, outputs)]
    return InMemory([*found, *map(_written, replay.rest())])


def _written(output: Output) -> Record:
    return Record(output.topic, 0, -1, output.key, output.value, output.headers)


def compared(log_: Sequence[Record], live: InMemory, books: Versions = BOOKS) -> Compared:
    run = Beside()
    for output in Backtest(books).run(log_):
        run.take(output)
    return beside(run, Live(live), lambda: log_, books.hashes)


def decided(live: InMemory) -> InMemory:
    """Leave the decisions alone, as a file has them that somebody exported."""
    return InMemory(record for record in live.records if record.topic == DECISIONS)


def told(log_: Iterable[tuple[str, bool, Millis]]) -> list[Record]:
    """A log of people who use an app and dine, in the order of the time."""
    table = Table()
    records = [table.profile(key) for key in PEOPLE]
    for number, (key, dines, wait) in enumerate(log_):
        table.now += wait
        records.append(table.pays(key, id_=f"p{number}") if dines else table.uses(key))
    return records


def overtaken(records: Sequence[Record], behind: Sequence[int]) -> list[Record]:
    """Take the app's events later by some places, each topic in its order: two topics that interleave otherwise."""
    places, last = dict[int, float](), 0.0
    for number, (record, by) in enumerate(zip(records, behind, strict=False)):
        places[number] = number + 0.5 + by if record.topic == APP_USAGE else number
        if record.topic == APP_USAGE:
            last = places[number] = max(last, places[number])
    return [records[number] for number in sorted(range(len(records)), key=lambda n: (places.get(n, n), n))]


def orders(records: Iterable[Record]) -> dict[str, list[str]]:
    return {key: [seen.id for seen in seen_] for key, seen_ in of_log(records, PEOPLE).events.items()}


logs = st.lists(st.tuples(st.sampled_from(PEOPLE), st.booleans(), st.integers(1, 4 * MINUTE)), min_size=1, max_size=16)


@unhurried
@given(logs, st.lists(st.integers(0, 3), min_size=24, max_size=24))
def test_only_customers_whose_order_differed_have_other_decisions_and_the_order_is_named(
    log_: list[tuple[str, bool, Millis]], behind: list[int]
) -> None:
    records = told(log_)
    taken = overtaken(records, behind)
    live = lived(taken, BOOKS)
    if not decided(live).records:
        return

    found = compared(records, live)

    one, two = orders(records), orders(taken)
    assert {d.pair.key[0] for d in found.differences} <= {key for key in PEOPLE if one[key] != two[key]}
    assert {d.whys[0].cause for d in found.differences} <= {"order"}
    assert found.is_whole


def test_the_same_order_makes_the_same_decisions_to_the_moment() -> None:
    records = told([("c1", False, MINUTE), ("c1", True, MINUTE), ("c2", False, MINUTE), ("c2", True, MINUTE)])

    found = compared(records, lived(records, BOOKS))

    assert (found.same, found.moment, found.all, found.differences) == (4, 4, 4, [])
    assert SAID["en"]["equal"] in section(found, "UTC", "en").said


def test_an_event_that_was_overtaken_is_named_with_the_one_that_came_before_it() -> None:
    records = told([("c2", False, MINUTE), ("c2", True, MINUTE), ("c1", False, MINUTE), ("c1", True, MINUTE)])
    live = lived([*records[:6], records[7], records[6]], BOOKS)

    found = compared(records, live)

    assert (found.same, found.only_back) == (2, 2)
    paid, used = (of_log([record], PEOPLE).events["c1"][0].id for record in (records[7], records[6]))
    for one in found.differences:
        assert one.pair.key[0] == "c1"
        why = one.whys[0]
        assert (why.cause, [getattr(seen, "id", "") for seen in why.told]) == ("order", [paid, used])
    (row, _) = section(found, "UTC", "en").tables[2].rows
    assert f"live took transaction {paid[:8]}" in str(row[-1])
    assert f"before app_usage {used[:8]}" in str(row[-1])


def test_the_same_outcome_by_other_values_is_no_same_decision() -> None:
    records = told([("c1", False, MINUTE), ("c1", False, MINUTE), ("c1", True, MINUTE)])

    found = compared(records, lived([*records[:5], records[6], records[5]], BOOKS))

    assert (found.same, found.read, found.other) == (0, 2, 0)
    assert [(d.pair.live and d.pair.back and d.pair.live.differs(d.pair.back)) for d in found.differences] == [
        ("read",),
        ("read",),
    ]
    assert "values read by clauses" in str(section(found, "UTC", "en").tables[2].rows[0])


def test_inside_a_commit_events_are_taken_by_their_time_as_the_stage_does_it() -> None:
    used, paid = told([("c1", False, MINUTE), ("c1", True, MINUTE)])[-2:]
    later, sooner = (
        msgspec.structs.replace(one, offset=0, headers=by.headers) for one, by in ((used, paid), (paid, used))
    )
    entry = journal.entry(Batch(0, 1, [later, sooner], NOON, BOOKS), {APP_USAGE: (0, 1), TRANSACTIONS: (0, 1)}, ())
    commit = Record(CUSTOMERS_JOURNAL, 0, 0, None, journal.write(entry))

    history = of_live(InMemory([commit, later, sooner]), Fates(), {"c1"})

    assert [seen.at for seen in history.events["c1"]] == [NOON + MINUTE, NOON + 2 * MINUTE]


def test_another_rule_book_is_told_before_anything_else() -> None:
    records = told([("c1", False, MINUTE), ("c1", True, MINUTE)])
    other = versions(cafe=99, tea=0, extra="    when: {count: {event: app_usage, within: 10m, at_least: 2}}\n")

    found = compared(records, lived(records, BOOKS), other)

    assert found.only_live == 2
    assert {(d.whys[0].cause, d.whys[0].told) for d in found.differences} == {("versions", ("rules",))}


def test_feedback_that_came_back_live_is_told_and_what_follows_from_an_earlier_difference() -> None:
    books = versions(cafe=1, tea=0)
    table = Table()
    records = [table.profile("c1"), table.pays("c1", id_="p1")]
    (row,) = [
        json.loads(r.value or b"") for r in decided(lived(records, books)).records if b"verdicts" in (r.value or b"")
    ]
    table.now += HOUR
    rejected = table.feedback("rejected", decision=row["id"])
    table.now += SECOND
    later = table.pays("c1", id_="p2")

    found = compared([*records, later], lived([*records, rejected, later], books), books)

    # The coupon was given back live, and was there for the second payment.
    assert {
        d.pair.key[2]: (d.pair.live and d.pair.live.verdict, d.pair.back and d.pair.back.verdict)
        for d in found.differences
    }["cafe"] == ("won", "out_of_stock")
    assert {d.whys[0].cause for d in found.differences} == {"feedback"}


def test_another_customer_who_was_first_at_the_last_coupon_is_told_as_a_shared_limit() -> None:
    books = versions(cafe=1, tea=0)
    table = Table()
    records = [table.profile("c1"), table.profile("c2"), table.pays("c1", id_="p1"), table.pays("c2", id_="p2")]

    found = compared(records, lived([*records[:2], records[3], records[2]], books), books)

    assert {(d.pair.key[0], d.whys[0].cause) for d in found.differences if d.pair.key[2] == "cafe"} == {
        ("c1", "shared"),
        ("c2", "shared"),
    }


def test_another_clock_is_told_where_nothing_else_differed() -> None:
    books = versions(cafe=9, tea=0, cooldown="2h")
    table = Table()
    first = [table.profile("c1"), table.pays("c1", id_="p1")]
    table.now += HOUR
    records = [*first, table.pays("c1", id_="p2")]
    # Live the second event came late: an event of somebody else had moved the clock by two hours.
    table.now += 2 * HOUR
    other = table.pays("c2", "fuel", id_="p3")
    delayed = [*first, other, records[2]]

    found = compared([*records, other], lived(delayed, books), books)

    causes = {d.pair.key[2]: [why.cause for why in d.whys] for d in found.differences}
    assert causes["cafe"] == ["clock"]


def test_events_that_only_one_of_them_had_are_told() -> None:
    records = told([("c1", False, MINUTE), ("c1", True, MINUTE)])

    found = compared([*records[:4], records[5]], lived(records, BOOKS))

    assert [d.whys[0].cause for d in found.differences] == ["events", "events"]
    assert "not in the log: app_usage" in str(section(found, "UTC", "en").tables[2].rows[0][-1])


def test_both_languages_have_all_words() -> None:
    assert SAID["zh"].keys() == SAID["en"].keys()
    assert {f"why {cause}" for cause in CAUSES} <= SAID["en"].keys()
