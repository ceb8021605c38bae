"""Warm starts: each event once, nothing of whoever is forgotten, and nothing left when it ends or is given up."""

import pytest
from msgspec import structs

from kairos.events import Login
from kairos.instants import DAY, HOUR, SECOND
from kairos.wire import AHEAD
from streams import warming
from streams.replay import Replay
from streams.topics import APP_USAGE, DECISIONS
from tests.customer_table import NOON
from tests.rules_strategies import book_of
from tests.test_rules_match import rule
from tests.warm_table import NEVER, NOTHING, PAID, PAYING, Told, WarmTable, at_work, fires, logins, past, replays


def test_a_duplicate_in_the_past_counts_once_and_so_does_one_that_comes_now() -> None:
    table = past()
    first = table.arrives(Login(), NOON, "one")
    table.hear(first, table.arrives_again(first))
    table.under(replays(logins(2)))
    table.hear()
    table.portion(9)

    table.hear(table.arrives_again(first))
    table.warm_up()

    assert not fires(table, 1)


def test_what_was_a_dead_letter_stays_one_and_has_no_second_letter() -> None:
    table = past()
    ahead = table.arrives(Login(), NOON, "ahead")
    ahead.at = NOON - AHEAD - 1
    strange = table.arrives(Login(), NOON, "strange")
    strange.value = b"no JSON"
    table.under(replays(logins(1)))

    # That a step which reads again has no outputs is asserted with each portion.
    table.warm_up()

    assert not fires(table, 1)


def test_who_is_forgotten_stays_forgotten_though_the_topics_still_hold_their_events() -> None:
    table = past(1, 2)
    table.kept[APP_USAGE][0].at = table.kept[APP_USAGE][1].at = table.now - 1
    table.hear(structs.replace(table.tombstone(), at=table.now))
    table.hear(table.arrives(PAID, NOON + 3 * DAY, "back"), table.arrives(Login(), NOON + 3 * DAY, "again"))

    table.under(replays(logins(2)))
    table.warm_up()

    assert not fires(table, 4)
    table.hear(table.arrives(Login(), NOON + 5 * DAY, "once more"))
    assert fires(table, 5)


def test_who_is_forgotten_in_the_middle_has_nothing_left_of_what_was_read_again() -> None:
    table = past(1, 2)
    table.under(replays(logins(2)))
    table.hear()
    table.portion(9)

    table.hear(structs.replace(table.tombstone(), at=table.now))
    table.warm_up()

    assert list(table.store.scan(b"", warming.FOUND)) == []
    assert table.customer("c1").remembered == {}


def test_steps_on_two_topics_are_read_again_in_the_order_in_which_they_happened() -> None:
    table = past()
    table.hear(table.arrives(PAID, NOON + HOUR, "paid"))
    table.hear(table.arrives(Login(), NOON + 2 * HOUR, "then a login"))
    steps = [{"event": "transaction"}, {"event": "login"}, {"same_as": "on"}]
    table.under(replays({"sequence": {"within": "7d", "steps": steps}}))

    table.warm_up(most=9)

    assert fires(table, 1)


def test_a_rule_that_no_longer_wants_to_be_filled_goes_on_as_cold_as_it_began() -> None:
    table = past(1, 2)
    table.under(replays(NEVER))
    table.hear()
    table.portion(1)
    cold = table.since()

    table.under(replays(NEVER, warm="wait"))
    table.warm_up()

    assert table.since() == cold
    assert list(table.store.scan(b"", warming.FOUND)) == []


@pytest.mark.parametrize("portions", range(4))
def test_a_book_that_is_withdrawn_in_the_middle_ends_it_and_leaves_nothing(portions: int) -> None:
    table = past(1, 2, 3)
    table.under(replays(logins(2)))
    table.hear()
    for _ in range(portions):
        table.portion(1)

    table.under(NOTHING)
    table.warm_up()

    assert warming.kept(table.store) is None
    assert list(table.store.scan(b"", warming.FOUND)) == []
    assert table.customer("c1").remembered == {}


def test_what_a_later_book_wants_is_read_when_the_first_is_done() -> None:
    table = past(1, 2)
    first, second = rule(id="a", when=logins(2), warm="replay"), rule(id="b", when=PAYING, warm="replay")
    table.under(book_of(first))
    table.hear()
    table.portion(1)

    table.under(book_of(first, second))
    table.warm_up(most=1)

    assert len(table.memory(table.versions.book.features)) == 2
    assert set(table.since().values()) == {NOON // SECOND}


def test_only_the_topics_are_read_again_that_can_tell_something_new() -> None:
    table = past(1)
    table.under(replays(logins(2)))
    table.hear()

    assert warming.again(table.store) == {APP_USAGE: None}
    table.under(replays({"all": [logins(2), PAYING]}))
    table.warm_up(most=1)
    assert warming.again(table.store) is None


def test_a_draft_is_warm_when_it_is_switched_on() -> None:
    table = past(1, 2)
    table.under(replays(logins(2), status="draft"))
    table.warm_up()

    table.under(replays(logins(2)))

    assert fires(table, 3)
    assert not table.portion(1)


def test_a_replay_of_a_file_begins_with_its_book_and_has_nothing_to_read_again() -> None:
    table = WarmTable()
    happened: list[tuple[Told, int]] = [(PAID, NOON), (Login(), NOON), (PAID, NOON + 4 * DAY)]
    story = [table.arrives(data, at, f"e{number}") for number, (data, at) in enumerate(happened)]
    replay = Replay(at_work(replays(NEVER)))

    decided = [output for output in replay.run(story) if output.topic == DECISIONS]

    assert len(decided) == 1
    assert warming.kept(replay.stores["customers"]) is None
