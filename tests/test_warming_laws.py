"""The law of warm starts: a memory that was filled from the past is, byte for byte, the one it would have been."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from kairos.instants import HOUR, MINUTE, SECOND, Millis
from kairos.ports import Record
from rules.book import Book
from rules.chains import Chain
from rules.ties import Ties
from streams import warming
from tests import rules_strategies
from tests.customer_table import NOON
from tests.rules_strategies import book_of, unhurried
from tests.warm_table import NOTHING, Told, WarmTable

BOTH = ("c1", "c2")


@dataclass(frozen=True)
class Act:
    """Something that arrives, perhaps twice, and what is done before the next: whether a batch ends, what is reread."""

    data: Told
    gap: Millis
    late: Millis
    customer: str
    twice: bool
    ends: bool
    portions: list[int]


stories = st.lists(
    st.builds(
        Act,
        rules_strategies.events.map(lambda event: event.data),
        st.sampled_from([0, 1, SECOND, MINUTE, HOUR]),
        st.sampled_from([0, 0, SECOND, 2 * MINUTE, 3 * HOUR]),
        st.sampled_from(BOTH),
        st.booleans(),
        st.booleans(),
        st.lists(st.integers(1, 5), max_size=2),
    ),
    min_size=1,
    max_size=25,
)
fillings = (
    st.integers(1, 3)
    .flatmap(lambda count: st.tuples(*(rules_strategies.rules(number) for number in range(count))))
    .map(lambda found: book_of(*(one | {"warm": "replay"} for one in found)))
)


def played(story: list[Act], book: Book, published: int, before: Book, *, late: bool) -> WarmTable:
    """Play a story in which a book takes the place of another before some act; 0 is from the beginning."""
    table, batch, now = WarmTable(), list[Record](), NOON
    table.under(before if published else book)
    for number, act in enumerate(story):
        if number == published > 0:
            table.hear(*batch)
            batch = []
            table.under(book)
        now += act.gap
        table.now = max(now, table.now)
        batch.append(table.arrives(act.data, now - act.late * late, f"e{number}", act.customer))
        if act.twice:
            batch.append(table.arrives_again(batch[-1]))
        if act.ends:
            table.hear(*batch)
            batch = []
            for size in act.portions:
                table.portion(size)
    table.hear(*batch)
    table.warm_up()
    return table


@unhurried
@given(stories, fillings, st.integers(1, 24), rules_strategies.books)
def test_a_memory_that_was_filled_is_the_one_it_would_have_been(
    story: list[Act], book: Book, published: int, before: Book
) -> None:
    filled, always = (played(story, book, number % len(story), before, late=False) for number in (published, 0))

    assert [filled.memory(book.features, one) for one in BOTH] == [always.memory(book.features, one) for one in BOTH]
    assert warming.kept(filled.store) is None
    assert list(filled.store.scan(b"", warming.FOUND)) == []


@unhurried
@given(stories, fillings, st.integers(1, 24))
def test_what_came_late_is_filled_in_as_well_where_memory_knows_no_order(
    story: list[Act], book: Book, published: int
) -> None:
    filled, always = (played(story, book, number % len(story), NOTHING, late=True) for number in (published, 0))
    names = [name for name, feature in book.features.items() if not isinstance(feature, Chain | Ties)]

    assert [filled.memory(names, one) for one in BOTH] == [always.memory(names, one) for one in BOTH]


@unhurried
@given(stories, fillings, st.integers(0, 12))
def test_where_the_topic_has_let_go_of_its_beginning_the_memory_begins_there(
    story: list[Act], book: Book, oldest: int
) -> None:
    filled, always = WarmTable(), WarmTable()
    filled.under(NOTHING)
    always.under(book)
    now = NOON
    for number, act in enumerate(story):
        now += act.gap
        for table in (filled, always):
            record = table.arrives(act.data, now, f"e{number}", act.customer)
            if table is filled or record.offset >= oldest:
                table.hear(record)

    filled.under(book)
    filled.warm_up(oldest=oldest)

    assert [filled.memory(book.features, one) for one in BOTH] == [always.memory(book.features, one) for one in BOTH]
