"""Since when things are remembered: "never" and "few" are only said of a time from which everything was kept."""

from typing import Any

from hypothesis import given

from kairos.instants import DAY
from rules.cold import cold
from rules.cost import cost
from streams.memories import remembered
from streams.memory_store import MemoryStore
from streams.topics import APP_USAGE
from streams.watermark import EventTime, TopicTime, keep
from tests.customer_table import NOON, Table, versions
from tests.rules_strategies import book_of, books, unhurried
from tests.test_rules_match import rule

NEVER: dict[str, Any] = {"last_seen": {"event": "login", "at_least": "60d"}}


def counted(number: int) -> dict[str, Any]:
    return {"count": {"event": "login", "within": "60d", "at_least": number}}


def heard(store: MemoryStore, day: int) -> None:
    keep(store, EventTime(topics={"t": TopicTime(NOON + day * DAY, 0)}))


def since(store: MemoryStore, when: dict[str, Any], day: int) -> int | None:
    """Tell since which day, counted from the first, the logins are remembered."""
    book = book_of(rule(when=when))
    found = remembered(store, book, NOON + day * DAY)
    heard(store, day)
    days = {(second - NOON // 1000) // 86_400 for second in found.values()}
    return days.pop() if days else None


def test_the_first_book_of_a_partition_remembers_from_the_first_event() -> None:
    assert since(MemoryStore(), NEVER, 3) == 3


def test_what_every_book_asks_for_is_remembered_through_all_of_them() -> None:
    store = MemoryStore()

    assert [since(store, NEVER, 0), since(store, counted(5), 4), since(store, counted(16), 9)] == [0, 0, 0]


def test_what_a_book_brings_is_remembered_from_the_newest_event_before_it() -> None:
    store = MemoryStore()
    since(store, {"all": []}, 0)
    heard(store, 7)

    assert since(store, NEVER, 9) == 7


def test_what_was_given_up_and_comes_back_begins_anew() -> None:
    store = MemoryStore()
    since(store, NEVER, 0)
    since(store, {"all": []}, 5)

    assert since(store, NEVER, 9) == 5


def test_a_threshold_beyond_what_is_kept_begins_anew_and_one_within_it_does_not() -> None:
    store = MemoryStore()

    found = [since(store, counted(number), day) for day, number in enumerate((10, 16, 17, 40, 20, 30))]

    assert found == [0, 0, 1, 2, 2, 4]


def pays(table: Table, day: int) -> int:
    """Let the first customer pay on a day, counted from the first; gives the number of decisions."""
    table.now = NOON + day * DAY
    return len(table.hear(table.profile(), table.pays()).decisions)


def test_never_is_unknown_until_it_was_remembered_for_so_long() -> None:
    found = {}
    for warm in ("wait", "accept"):
        book = book_of(rule(on={"event": "transaction"}, when=NEVER, warm=warm))
        table = Table(versions=versions().having("rules", book.content))
        found[warm] = [pays(table, day) for day in (0, 59, 60)]

    assert found == {"wait": [0, 0, 1], "accept": [1, 1, 1]}


def test_old_bytes_that_still_lie_in_a_record_are_not_taken_for_all_that_happened() -> None:
    asks = book_of(rule(on={"event": "transaction"}, when=NEVER))
    forgets = book_of(rule(on={"event": "login"}))
    table = Table(versions=versions().having("rules", asks.content))
    table.hear(table.event(APP_USAGE, "login", "c1", {}))
    bytes_of_then = dict(table.customer("c1").remembered)

    for book, day in ((forgets, 61), (asks, 62)):
        table.versions, table.now = versions().having("rules", book.content), NOON + day * DAY
        table.hear(table.pays("c2"))

    assert table.customer("c1").remembered == bytes_of_then != {}
    assert [pays(table, day) for day in (62, 120, 121)] == [0, 0, 1]


def test_a_book_says_what_starts_cold() -> None:
    few, more, other = (book_of(rule(when={"all": [found]})) for found in (counted(3), counted(17), NEVER))

    assert [str(one) for one in cold(more, few)] == ["r: when.all.0.count begins to be remembered now"]
    assert cold(few, more) == cold(other, few) == []


@unhurried
@given(books)
def test_the_kinds_of_memory_together_are_what_the_book_costs(book: Any) -> None:
    *kinds, everything = cost(book)

    assert sum(one.features for one in kinds) == everything.features == len(book.features)
    assert sum(one.most_bytes for one in kinds) == everything.most_bytes
