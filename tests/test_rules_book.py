"""The book: one published form, shared memory, nothing in it that could run."""

import pytest
from hypothesis import given

from kairos.customer import Customer, Standing, pack, unpack
from kairos.events import AppUsage, Event, Profile
from kairos.ids import content_hash
from rules import masks
from rules.book import Book, load
from rules.source import constant
from tests.rules_strategies import NOON, book_of, books, event_of, lives, standings, unhurried, written
from tests.test_rules_match import NOBODY, food, rule

COUNTED = {"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 3}}]}


@unhurried
@given(books, lives, standings)
def test_a_published_book_is_the_same_book(book: Book, life: list[Event], standing: Standing) -> None:
    again = Book.of_content(book.content)

    assert again.content == Book.of(again.rules.values()).content == book.content
    assert again.hash == content_hash(book.content)
    one, other = Customer(), Customer()
    for event in life:
        assert book.observe(event, one) == again.observe(event, other)
        assert book.match(event, one, lambda: standing) == again.match(event, other, lambda: standing)
    assert pack(one) == pack(other)


@unhurried
@given(books, books, lives, standings)
def test_a_book_that_follows_another_is_the_book_that_stands_alone(
    before: Book, book: Book, life: list[Event], standing: Standing
) -> None:
    fresh, following = Book.of_content(book.content), Book.of_content(book.content, before)

    assert (following.hash, dict(following.rules)) == (fresh.hash, dict(fresh.rules))
    one, other = Customer(), Customer()
    for event in life:
        assert fresh.observe(event, one) == following.observe(event, other)
        assert fresh.match(event, one, lambda: standing) == following.match(event, other, lambda: standing)
    assert pack(one) == pack(other)


def test_rules_that_stand_in_both_books_are_not_read_again() -> None:
    before = book_of(rule(), rule(id="s"))

    book = Book.of_content(book_of(rule(), rule(id="s", name="another name")).content, before)

    assert book.rules["r"] is before.rules["r"]
    assert (before.rules["s"].name, book.rules["s"].name) == ("r", "another name")


def test_what_does_not_change_is_not_compiled_again() -> None:
    past = {"all": [{"count": {"same_as": "on", "within": "7d", "at_least": 2}}]}
    wait = {"absent": {"event": "transaction", "for": "1h", "or": [{"event": "login"}]}}
    before = book_of(rule(when=past), rule(id="w", on={"event": "page_view"}, when=wait))

    book = Book.of_content(Book.of([*before.rules.values(), book_of(rule(id="s")).rules["s"]]).content, before)

    for kind in ("watchers", "enders"):
        was, now = getattr(before, kind).buckets, getattr(book, kind).buckets
        assert was
        assert {place: made for place, (_, made) in now.items()} == {place: made for place, (_, made) in was.items()}
    assert book.matchers.buckets["page_view", None][1] is before.matchers.buckets["page_view", None][1]


def test_others_may_work_between_two_steps_of_building_a_book() -> None:
    before, steps = book_of(rule(), rule(id="s")), list[int]()
    changed = book_of(rule(), rule(id="s", name="another name"))

    book = Book.of_content(changed.content, before, between=lambda: steps.append(1))

    assert len(steps) > 4
    assert dict(book.rules) == dict(changed.rules)


def test_the_function_of_a_rule_is_not_made_again_where_another_rule_of_its_bucket_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rules.compile.MANY", 1)
    asked = {"all": [{"attr": {"age": {"at_least": 61}}}]}
    before = book_of(rule(who=asked), rule(id="s"))
    known = Standing(Profile(attrs={"age": 70}))
    assert len(before.match(food(NOON), Customer(), lambda: known)) == 2
    made = masks._function.cache_info().misses

    book = Book.of_content(book_of(rule(who=asked), rule(id="s", name="another name")).content, before)

    assert len(book.match(food(NOON), Customer(), lambda: known)) == 2
    assert masks._function.cache_info().misses == made


def test_blanks_order_and_writing_do_not_change_the_name() -> None:
    one = rule(on={"event": "app_usage", "where": {"app_class": ["travel", "food_delivery"]}}, fresh="60m")
    other = rule(on={"where": {"app_class": ["food_delivery", "travel", "travel"]}, "event": "app_usage"}, fresh="1h")

    assert book_of(one, rule(id="b")).hash == book_of(rule(id="b"), other).hash


def test_amounts_and_days_mean_the_same_wherever_the_book_is_read() -> None:
    book = book_of(
        rule(
            on={"event": "transaction", "where": {"amount": {"at_least": 30.5}}},
            valid={"from": "2026-12-01", "until": "2026-12-31"},
        )
    )

    assert b'"at_least":"30.50 CNY"' in book.content
    valid = Book.of_content(book.content).rules["r"].valid
    assert (valid.from_, valid.until) == (1796054400000, 1798732800000)


def test_a_rules_tests_are_not_published() -> None:
    tested = rule(tests=[{"name": "nothing happens", "events": [], "fires": []}])

    assert book_of(tested).hash == book_of(rule()).hash


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"format":2,"rules":[]}', b'{"format":1,"rules":[{}]}', b"[" * 100_000]
)
def test_what_is_no_book_is_refused(content: bytes) -> None:
    for before in (None, book_of(rule())):
        with pytest.raises(ValueError, match=r"."):
            Book.of_content(content, before)


def test_rules_that_count_the_same_events_share_what_is_remembered() -> None:
    other = {"all": [{"count": {"event": "app_usage", "within": "1d", "at_least": 2}}]}
    book, customer = book_of(rule(when=COUNTED), rule(id="s", when=other)), Customer()

    book.observe(food(NOON), customer)

    assert len(customer.remembered) == 1


def test_a_changed_threshold_keeps_what_was_remembered() -> None:
    customer = Customer()
    for day in range(4):
        book_of(rule(when=COUNTED)).observe(food(NOON + day), customer)
    stricter = {"all": [{"count": {"same_as": "on", "within": "30d", "at_least": 5}}]}
    book = book_of(rule(when=stricter))

    book.observe(food(NOON + 10), customer)

    assert book.match(food(NOON + 10), customer, lambda: NOBODY) != ()


def test_what_no_rule_asks_for_any_more_is_forgotten() -> None:
    customer = Customer(remembered={"gone": b"\0\0\0\1"})

    book_of(rule(when=COUNTED)).observe(food(NOON), customer)

    assert "gone" not in customer.remembered
    assert unpack(pack(customer)) == customer


def test_an_event_that_nobody_counts_changes_nothing() -> None:
    customer = Customer(remembered={"gone": b"\0\0\0\1"})

    assert book_of(rule(when=COUNTED)).observe(event_of(AppUsage(app="a"), NOON), Customer()) is not None
    assert Book.empty().observe(food(NOON), customer) is False
    assert "gone" in customer.remembered


def test_pausing_makes_another_book_that_remembers_the_same() -> None:
    book = book_of(rule(when=COUNTED))
    paused = book.paused("r")

    assert paused.rules["r"].status == "paused"
    assert paused.hash != book.hash
    one, other = Customer(), Customer()
    book.observe(food(NOON), one)
    paused.observe(food(NOON), other)
    assert one == other
    with pytest.raises(KeyError):
        book.paused("nobody")


def test_files_are_put_together_in_any_order() -> None:
    one, two = written(rule(id="a")), written(rule(id="b"))

    together, apart = load({"x": one, "y": two}).book, load({"y": one, "x": two}).book

    assert together is not None
    assert apart is not None
    assert together.hash == apart.hash


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), [1], b"x", None])
def test_only_plain_values_enter_generated_source(value: object) -> None:
    with pytest.raises(TypeError):
        constant(value)
