"""Warm starts: what a new rule looks back on is filled from the events that are still kept, as if it had been there."""

from kairos.events import Login
from kairos.instants import DAY, SECOND
from kairos.wire import AHEAD
from streams import warming
from tests.customer_table import NOON
from tests.rules_strategies import book_of
from tests.test_rules_match import rule
from tests.warm_table import NEVER, NOTHING, PAID, WarmTable, fires, logins, past, replays


def test_a_rule_counts_what_happened_before_it_was_written_once_it_was_read_again() -> None:
    table = past(1, 2)
    table.under(replays(logins(2)))

    before = fires(table, 3)
    table.warm_up()

    assert (before, fires(table, 4), fires(table, 4, "c2")) == (False, True, False)


def test_never_is_unknown_until_everything_was_read_again_and_then_it_is_known() -> None:
    table = past(1)
    fires(table, 6)
    table.under(replays(NEVER))

    before = [fires(table, 7), table.portion(1), fires(table, 8)]
    table.warm_up()

    assert before == [False, True, False]
    assert fires(table, 8, "c2")


def test_the_live_work_goes_on_as_without_a_warm_up_while_one_is_under_way() -> None:
    table = past(1)
    table.under(replays(logins(1, within="1h")))
    table.hear()
    table.portion(1)

    table.hear(table.arrives(Login(), NOON + 5 * DAY, "live"))

    assert fires(table, 5)


def test_a_book_that_is_published_at_night_is_warm_before_the_first_event() -> None:
    table = past(1)
    fires(table, 6)
    table.under(replays(NEVER))

    table.warm_up()

    assert fires(table, 7)


def test_what_a_topic_tells_from_its_beginning_is_known_since_its_first_event() -> None:
    table = past(1, 9)
    table.under(replays(logins(3)))

    table.warm_up()

    assert list(table.since().values()) == [NOON // SECOND]


def test_what_a_topic_has_let_go_of_is_unknown_up_to_its_oldest_record() -> None:
    table = past(1, 5, 9)
    table.under(replays(logins(3)))

    table.warm_up(oldest=2)

    assert list(table.since().values()) == [(NOON + 5 * DAY + AHEAD) // SECOND]


def test_what_a_topic_lets_go_of_while_it_is_read_again_is_unknown_from_there_on() -> None:
    table = past(1, 2, 5, 9)
    table.under(replays(logins(3)))
    table.hear()
    table.portion(1)

    table.warm_up(oldest=3)

    assert list(table.since().values()) == [(NOON + 5 * DAY + AHEAD) // SECOND]


def test_without_an_event_to_read_again_a_feature_begins_cold() -> None:
    table = WarmTable()
    table.under(NOTHING)
    table.hear(table.arrives(PAID, NOON, "first"))
    table.under(replays(NEVER))

    table.warm_up()

    assert (list(table.since().values()), warming.kept(table.store)) == ([NOON // SECOND], None)


def test_the_first_book_of_a_partition_has_nothing_to_read_again() -> None:
    table = past(1, book=replays(NEVER))

    assert not table.portion(1)


def test_a_rule_that_waits_or_accepts_reads_nothing_again() -> None:
    for warm in ("wait", "accept"):
        table = past(1)
        table.under(replays(NEVER, warm=warm))
        table.hear()

        assert not table.portion(1)


def test_a_larger_threshold_is_filled_and_keeps_what_is_older_than_the_topic() -> None:
    table = past(*range(1, 20), book=book_of(rule(when=logins(16))))
    table.under(replays(logins(19)))

    table.warm_up(oldest=10)

    (ring,) = table.memory(table.versions.book.features).values()
    kept = [int.from_bytes(ring[place : place + 4]) for place in range(0, len(ring), 4)]
    # The sixteen that were remembered already, of which ten are read again.
    assert kept == [(NOON + day * DAY) // SECOND for day in range(4, 20)]
