"""What a rule means: the compiler against the reference, and the reference against the events themselves."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer, Standing
from kairos.events import AppUsage, Event, Login, Profile, Transaction
from kairos.instants import DAY, SECOND
from rules import interpret
from rules.book import Book
from rules.chains import Chain
from rules.conditions.sequence import Sequence
from rules.conditions.when import When
from rules.firings import fired, last_fired
from rules.judged import Seen
from rules.schema import Rule
from rules.ties import Ties
from tests.rules_recount import held, leaf_held
from tests.rules_strategies import NOON, Since, book_of, books, event_of, lives, memories, standings, unhurried

NOBODY = Standing(Profile())


def rule(**changes: Any) -> dict[str, Any]:
    then = {
        "offer": {"product": "p"},
        "channels": ["sms"],
        "template": "t",
        "text": {"zh": "好", "en": "good"},
        "expires": "2h",
    }
    usual = {"id": "r", "name": "r", "scenario": "activation", "programme": "p", "then": then}
    return {**usual, "on": {"event": "app_usage"}, **changes}


def live(book: Book, events: list[Event], standing: Standing = NOBODY) -> list[bool]:
    """Tell for each event whether some rule matched."""
    customer = Customer()
    fired = []
    for event in events:
        book.observe(event, customer)
        fired.append(bool(book.match(event, customer, lambda: standing)))
    return fired


def food(at: int, seconds: int | None = None) -> Event:
    return event_of(AppUsage(app="a", app_class="food_delivery", seconds=seconds), at)


@unhurried
@given(books, lives, standings, memories)
def test_the_compiled_book_agrees_with_the_reference(
    book: Book, life: list[Event], standing: Standing, since: Since
) -> None:
    quick, slow = Customer(), Customer()
    for event in life:
        before = dict(quick.remembered)
        changed = book.observe(event, quick)
        interpret.observe(book.rules.values(), event, slow)

        assert quick.remembered == slow.remembered
        assert changed == (quick.remembered != before)
        expected = interpret.match(book.rules.values(), Seen(event, slow, lambda: standing, since))
        assert book.match(event, quick, lambda: standing, since) == expected
        assert sorted(book.ends(event)) == sorted(interpret.ends(book.rules.values(), event))
        _fire(expected, quick, slow, event)


@unhurried
@given(books, lives, standings, memories, st.sampled_from([1, 9]))
def test_a_bucket_of_many_rules_finds_what_each_of_them_alone_would(
    book: Book, life: list[Event], standing: Standing, since: Since, shared: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rules.compile.MANY", 1)
        patch.setattr("rules.masks.SHARED", shared)
        masked = Book.of(book.rules.values())
    customer = Customer()
    for event in life:
        masked.observe(event, customer)

        assert masked.match(event, customer, lambda: standing, since) == book.match(
            event, customer, lambda: standing, since
        )


@unhurried
@given(books, lives, standings)
def test_what_comes_in_order_is_judged_as_all_that_happened_says(
    book: Book, life: list[Event], standing: Standing
) -> None:
    # Fourteen events never fill a ring of sixteen, so nothing is forgotten.
    customer, life = Customer(), sorted(life, key=lambda event: event.at)
    for number, event in enumerate(life, 1):
        book.observe(event, customer)
        matched = book.match(event, customer, lambda: standing)
        for found in book.rules.values():
            past = held(found, found.when, life[:number], last_fired(customer, found.id)) is True
            without_past = found.model_copy(update={"when": When(all=())})
            plain = interpret.holds(without_past, Seen(event, customer, lambda: standing))
            assert (found in matched) == (past and plain)
        _fire(matched, customer, event)


@unhurried
@given(books, lives, memories)
def test_what_is_judged_of_events_that_come_late_is_never_wrong(book: Book, life: list[Event], since: Since) -> None:
    customer = Customer()
    for number, event in enumerate(life, 1):
        book.observe(event, customer)
        seen = Seen(event, customer, lambda: NOBODY, since)
        for found in book.rules.values():
            for leaf in found.when.leaves():
                judged = leaf.judged(seen, replace(found.scope(), consumes=None)).holds
                truth = leaf_held(found.on.selector, leaf, life[:number])
                # A sequence is not completed by what comes late: that it did not happen may be wrong.
                assert judged is None or judged == truth or (isinstance(leaf, Sequence) and not judged)


def _fire(matched: tuple[Rule, ...], *customers_and_event: Any) -> None:
    *customers, event = customers_and_event
    for found in matched:
        for customer in customers:
            if found.consume:
                fired(customer, found.id, event.at, event.at)


def without(keys: set[str], customer: Customer) -> dict[str, bytes]:
    return {key: packed for key, packed in customer.remembered.items() if key not in keys}


@unhurried
@given(books, lives)
def test_the_order_in_which_events_arrive_does_not_change_what_is_remembered(book: Book, life: list[Event]) -> None:
    one, other = Customer(), Customer()
    for event in life:
        book.observe(event, one)
    for event in reversed(life):
        book.observe(event, other)

    chains = {key for key, feature in book.features.items() if isinstance(feature, Chain | Ties)}
    assert without(chains, one) == without(chains, other)


def test_a_window_holds_its_end_and_not_its_beginning() -> None:
    book = book_of(rule(when={"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 2}}]}))

    assert live(book, [food(NOON), food(NOON + 7 * DAY)]) == [False, False]
    assert live(book, [food(NOON), food(NOON + 7 * DAY - SECOND)]) == [False, True]


def test_the_triggering_event_counts_itself() -> None:
    book = book_of(rule(when={"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 1}}]}))

    assert live(book, [food(NOON)]) == [True]


def test_rules_that_ask_for_more_and_for_less_of_the_same_each_match_at_their_own_number() -> None:
    asked = {f"{number}-in-{days}d": (number, days) for number in (3, 1, 2) for days in (1, 7)}
    book = book_of(
        *(
            rule(id=name, when={"all": [{"count": {"same_as": "on", "within": f"{days}d", "at_least": number}}]})
            for name, (number, days) in asked.items()
        )
    )
    customer = Customer()

    for number in range(1, 4):
        event = food(NOON + 2 * DAY * number)
        book.observe(event, customer)
        matched = {found.id for found in book.match(event, customer, lambda: NOBODY)}

        assert matched == {name for name, (most, days) in asked.items() if most <= (number if days == 7 else 1)}


def test_a_late_event_does_not_count_what_came_after_it() -> None:
    book = book_of(rule(when={"all": [{"count": {"same_as": "on", "within": "1h", "at_least": 2}}]}))

    assert live(book, [food(NOON), food(NOON - SECOND), food(NOON + SECOND)]) == [False, False, True]


def test_a_count_of_sixty_four_is_exact() -> None:
    book = book_of(rule(when={"all": [{"count": {"same_as": "on", "within": "1h", "at_least": 64}}]}))

    assert live(book, [food(NOON + n * SECOND) for n in range(64)]) == [False] * 63 + [True]


def test_never_seen_counts_as_long_ago() -> None:
    book = book_of(rule(when={"all": [{"last_seen": {"event": "login", "at_least": "60d"}}]}))

    assert live(book, [food(NOON)]) == [True]
    assert live(book, [event_of(Login(), NOON - 60 * DAY), food(NOON)]) == [False, True]
    assert live(book, [event_of(Login(), NOON - 59 * DAY), food(NOON)]) == [False, False]


def test_the_trigger_is_not_its_own_past() -> None:
    book = book_of(rule(when={"all": [{"last_seen": {"same_as": "on", "within": "1d"}}]}))

    assert live(book, [food(NOON), food(NOON + SECOND)]) == [False, True]


def test_a_ring_that_forgot_what_was_before_does_not_claim_that_there_was_nothing() -> None:
    book = book_of(rule(when={"all": [{"last_seen": {"same_as": "on", "at_least": "1d"}}]}))

    assert live(book, [food(NOON - SECOND), *(food(NOON) for _ in range(16))])[-1] is False


def test_a_missing_field_meets_no_condition_not_even_a_negated_one() -> None:
    for where in ({"seconds": {"not": 5}}, {"seconds": {"at_most": 5}}, {"seconds": 5}):
        assert live(book_of(rule(on={"event": "app_usage", "where": where})), [food(NOON)]) == [False]
    other = book_of(rule(on={"event": "app_usage", "where": {"app_class": {"not": "travel"}}}))
    assert live(other, [event_of(AppUsage(app="a"), NOON), food(NOON)]) == [False, True]


def test_an_attribute_the_bank_does_not_know_speaks_neither_for_nor_against() -> None:
    young = {"attr": {"age": {"below": 30}}}

    for clause in (young, {"not": young}):
        assert live(book_of(rule(who={"all": [clause]})), [food(NOON)]) == [False]
    known = Standing(Profile(attrs={"age": 40}))
    assert live(book_of(rule(who={"all": [{"not": young}]})), [food(NOON)], known) == [True]


def test_a_condition_in_one_currency_does_not_see_another() -> None:
    yen = event_of(Transaction(amount=12000, currency="JPY", direction="debit"), NOON)

    for amount in ({"at_least": 1}, {"not": 5}, {"below": 10**6}):
        assert live(book_of(rule(on={"event": "transaction", "where": {"amount": amount}})), [yen]) == [False]
    in_yen = {"event": "transaction", "where": {"amount": {"at_least": "12000 JPY"}}}
    assert live(book_of(rule(on=in_yen)), [yen]) == [True]


def test_the_profile_is_read_only_when_the_event_and_the_past_speak_for_a_rule() -> None:
    book = book_of(
        rule(
            on={"event": "app_usage", "where": {"seconds": {"at_least": 10}}},
            when={"all": [{"count": {"same_as": "on", "within": "1d", "at_least": 2}}]},
            who={"all": [{"tag": "vip"}]},
        )
    )
    customer, reads = Customer(), []

    def standing() -> Standing:
        reads.append(1)
        return NOBODY

    for event, expected in ((food(NOON, 5), 0), (food(NOON, 15), 0), (food(NOON, 20), 1)):
        book.observe(event, customer)
        book.match(event, customer, standing)
        assert len(reads) == expected


def test_a_draft_is_watched_and_never_matches() -> None:
    book = book_of(rule(status="draft", when={"all": [{"count": {"same_as": "on", "within": "1d", "at_least": 1}}]}))
    customer = Customer()

    assert book.observe(food(NOON), customer)
    assert book.match(food(NOON), customer, lambda: NOBODY) == ()
