"""Absent: what a rule may wait for, how it is said, and how the tests inside a rule run to its deadlines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer
from kairos.events import Event, Login, PageView, Transaction
from rules import cases
from rules.absences import KEPT, MOST, Arming, Pending, arm, came, name_of, over, pending
from rules.book import Book, load
from rules.explain import lines
from rules.known import Known, load_names
from rules.saying import LANGUAGES
from rules.sentence import sentence
from tests.rules_strategies import NOON, event_of

FILE = """
format: 1
zone: Asia/Shanghai
currency: CNY
rules:
  - id: coupon-abandon
    name: 打开券页未交易
    scenario: activation
    programme: mobile
    on: {event: page_view, where: {page: coupon_detail}}
    when:
      all:
        - absent: {event: transaction, where: {coupon: {same_as: on}}, for: 30m}
    then:
      offer: {product: reminder}
      channels: [push]
      template: coupon_reminder
      text: {zh: 您的券还在, en: Your coupon is waiting}
      expires: 4h
    limits: {cooldown: 1d}
    tests:
      - name: nobody paid, so it fires when the half hour is over
        events:
          - {at: "2026-12-06 12:00", event: page_view, page: coupon_detail, coupon: c1}
          - {at: "2026-12-06 12:10", event: transaction, coupon: c2, amount: 10}
        fires: ["2026-12-06 12:30"]
      - name: paid in time
        events:
          - {at: "2026-12-06 12:00", event: page_view, page: coupon_detail, coupon: c1}
          - {at: "2026-12-06 12:29", event: transaction, coupon: c1, amount: 10}
        fires: []
      - name: paid at the last moment
        events:
          - {at: "2026-12-06 12:00", event: page_view, page: coupon_detail, coupon: c1}
          - {at: "2026-12-06 12:30", event: transaction, coupon: c1, amount: 10}
        fires: []
      - name: looked again a day later, and the first look was long over by then
        events:
          - {at: "2026-12-06 12:00", event: page_view, page: coupon_detail, coupon: c1}
          - {at: "2026-12-06 12:20", event: page_view, page: coupon_detail, coupon: c1}
          - {at: "2026-12-07 12:15", event: page_view, page: coupon_detail, coupon: c1}
        fires: ["2026-12-06 12:30", "2026-12-07 12:45"]
      - name: the second coupon is silenced by the cooldown that the first one began
        events:
          - {at: "2026-12-06 12:00", event: page_view, page: coupon_detail, coupon: c1}
          - {at: "2026-12-06 12:01", event: page_view, page: coupon_detail, coupon: c2}
        fires: ["2026-12-06 12:30"]
"""
ABSENT = "{event: transaction, where: {coupon: {same_as: on}}, for: 30m}"


def book_of(text: str = FILE) -> Book:
    loaded = load({"f": text})
    assert loaded.book is not None, loaded.problems
    return loaded.book


def test_the_tests_of_a_rule_run_to_its_deadlines() -> None:
    assert cases.run(book_of()) == ()


def test_a_test_that_expects_the_wrong_moment_fails() -> None:
    wrong = FILE.replace('fires: ["2026-12-06 12:30"]', 'fires: ["2026-12-06 12:31"]', 1)

    assert [str(failure) for failure in cases.run(book_of(wrong))] == [
        "coupon-abandon: nobody paid, so it fires when the half hour is over: "
        "should fire at 2026-12-06T04:31:00.000Z, fires at 2026-12-06T04:30:00.000Z"
    ]


def why(said: str) -> list[str]:
    """Let the second test of the file, in which the coupon is paid with at 12:29, say why the rule is silent."""
    asked = f'fires: []\n        why_not: {{"2026-12-06 {said}}}\n'
    place = FILE.index("paid in time")
    loaded = load({"f": FILE[:place] + FILE[place:].replace("fires: []\n", asked, 1)})
    return [p.what for p in loaded.problems] or [str(failure) for failure in cases.run(loaded.book or Book.empty())]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('12:00": absent', None),
        ('12:29": event', None),
        ('12:30": absent', None),
        ('12:30": cooldown', "because of cooldown, is because of absent"),
        ('12:00": count', "because of count, is because of absent"),
        ('12:59": absent', "because of absent, is because of nothing: no wait would be over then"),
        ('12:31": absent', "no event of this test happens at this time, and no wait would be over"),
        ('12:30": absnt', "'absnt' is nothing that silences a rule in a test; did you mean 'absent'?"),
    ],
)
def test_a_test_may_say_why_a_rule_that_waits_is_silent(said: str, found: str | None) -> None:
    told = why(said)

    assert told == [] if found is None else (len(told), told[0].endswith(found)) == (1, True), told


@pytest.mark.parametrize("said", ["absent", "event"])
def test_at_the_last_moment_it_may_name_the_end_of_the_wait_or_what_came(said: str) -> None:
    place = FILE.index("paid at the last moment")
    asked = f'fires: []\n        why_not: {{"2026-12-06 12:30": {said}}}\n'

    assert cases.run(book_of(FILE[:place] + FILE[place:].replace("fires: []\n", asked, 1))) == ()


HELP = "{event: page_view, where: {page: help, coupon: {same_as: on}}}"


@pytest.mark.parametrize(("coupon", "fires"), [("c1", []), ("c2", ["2026-12-06 12:30"])])
def test_each_of_several_events_ends_a_wait_if_it_belongs_to_it(coupon: str, fires: list[str]) -> None:
    asked = FILE[: FILE.index("      - name: paid in time")].replace("for: 30m", f"for: 30m, or: [{HELP}]")
    looked = f"{{at: '2026-12-06 12:10', event: page_view, page: help, coupon: {coupon}}}"
    told = asked.replace('{at: "2026-12-06 12:10", event: transaction, coupon: c2, amount: 10}', looked)

    book = book_of(told.replace('fires: ["2026-12-06 12:30"]', f"fires: {fires}"))

    assert cases.run(book) == ()
    assert "no transaction (the same coupon) and no page view (the same coupon and page = help) in the 30" in sentence(
        book.rules["coupon-abandon"], "en"
    )


def test_a_failed_wait_is_explained_by_what_came() -> None:
    place = FILE.index("paid in time")
    loaded = load({"f": FILE[:place] + FILE[place:].replace("fires: []", 'fires: ["2026-12-06 12:30"]', 1)})
    assert loaded.book is not None

    (failure,) = cases.run(loaded.book, {"coupon-abandon": "Asia/Shanghai"})

    (explained,) = failure.explained.values()
    assert explained is not None
    came = "2026-12-06 12:29"
    english, chinese = ("\n".join(lines(explained, language)) for language in LANGUAGES[::-1])
    assert f"✗ no transaction (the same coupon) in the 30 minutes after it: it came at {came}\n" in english
    assert f"✗ 此后30分钟内没有交易（coupon与之相同）: {came}发生了\n" in chinese


def test_a_further_look_moves_the_deadline_where_the_rule_says_so() -> None:
    moved = FILE.replace("for: 30m", "for: 30m, rearm: restart")

    assert [failure.case for failure in cases.run(book_of(moved))] == [
        "looked again a day later, and the first look was long over by then"
    ]


def test_a_rule_that_waits_is_said_in_a_sentence() -> None:
    rule = book_of().rules["coupon-abandon"]

    assert sentence(rule, "en") == (
        "On page view (page = coupon_detail), if no transaction (the same coupon) in the 30 minutes after it, "
        "offer reminder by push; at most once in 1 day."
    )
    assert sentence(rule, "zh") == (
        "当客户打开页面（page = coupon_detail）时，若此后30分钟内没有交易（coupon与之相同），"
        "则经推送提供reminder；1天内至多一次。"
    )


def test_what_is_published_reads_the_same_again() -> None:
    book = book_of()

    assert Book.of_content(book.content).rules == {n: r.model_copy(update={"tests": ()}) for n, r in book.rules.items()}
    assert Book.of(Book.of_content(book.content).rules.values()).hash == book.hash


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (
            f"- absent: {ABSENT}",
            f"- any: [{{absent: {ABSENT}}}]",
            "13:26: absent stands at the top of when, in its all; what comes later is no part of any or not",
        ),
        (
            f"- absent: {ABSENT}",
            f"- not: {{absent: {ABSENT}}}",
            "13:25: absent stands at the top of when, in its all; what comes later is no part of any or not",
        ),
        (
            f"- absent: {ABSENT}",
            f"- absent: {ABSENT}\n        - absent: {ABSENT}",
            "14:19: a rule waits for one absence; a second one is a second rule",
        ),
        (
            "{coupon: {same_as: on}}",
            "{merchant: {same_as: on}}",
            "13:58: event page_view has no text 'merchant' to be the same; it is one of: coupon, page",
        ),
        (
            "{coupon: {same_as: on}}",
            "{amount: {same_as: on}}",
            "13:56: event transaction has no text 'amount' to be the same; it is one of: card, channel, coupon, "
            "currency, direction, kind, link, merchant, merchant_category",
        ),
        (
            "{coupon: {same_as: on}}",
            "{cupon: {same_as: on}}",
            "13:55: event transaction has no text 'cupon' to be the same; did you mean 'coupon'?",
        ),
        (
            "{coupon: {same_as: on}}",
            "{coupon: {same_as: on, not: x}}",
            "13:56: write {same_as: on}, and nothing else",
        ),
        (
            "where: {page: coupon_detail}}",
            "where: {page: {same_as: on}}}",
            "10:35: only what is absent after the trigger is compared with it here; write the value itself, "
            "or same: page beside the steps of a sequence",
        ),
        (
            "for: 30m",
            "for: 30m, or: [{event: login}]",
            "13:87: what ends a wait belongs to the trigger by the same fields, here by coupon",
        ),
        ("for: 30m", "within: 30m", "13:72: unknown key 'within'; did you mean 'for'?"),
        ("for: 30m", "for: 30m, rearm: never", "13:89: 'never' is not known here; it is one of: keep, restart"),
    ],
)
def test_a_slip_is_told_with_its_place(right: str, wrong: str, expected: str) -> None:
    assert right in FILE

    problems = load({"f": FILE.replace(right, wrong, 1)}).problems

    assert f"f:{expected}" in [str(problem) for problem in problems]


def test_an_event_ends_what_waits_for_its_own_value_and_needs_to_tell_one() -> None:
    book = book_of()
    paid = Transaction(amount=1, direction="debit", coupon="c1")

    assert list(book.ends(event_of(paid, NOON))) == [("coupon-abandon", ("c1",))]
    assert list(book.ends(event_of(paid.model_copy(update={"coupon": None}), NOON))) == []
    assert list(book.ends(event_of(Login(), NOON))) == []
    looked = Event("", "page_view", NOON, "c1", "coupon_detail", PageView(page="coupon_detail"))
    assert book.rules["coupon-abandon"].absent is not None
    assert book.rules["coupon-abandon"].absent.values(looked) is None


def test_a_draft_remembers_what_would_end_it_so_that_it_starts_warm() -> None:
    draft = book_of(FILE.replace("programme: mobile", "programme: mobile\n    status: draft"))

    paid = event_of(Transaction(amount=1, direction="debit", coupon="c1"), NOON)
    assert list(draft.ends(paid)) == [("coupon-abandon", ("c1",))]


def test_the_newest_payments_are_remembered_and_no_more() -> None:
    customer = Customer()
    for at in range(1, KEPT + 3):
        came(customer, name_of("r", ()), at)

    forgotten, known = (arm(customer, Pending(name_of("r", ()), 0, due), restart=False) for due in (2, KEPT + 2))

    assert (forgotten[0], known[0]) == (Arming.ARMED, Arming.MET)


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["a", "b"]), st.booleans()), max_size=60))
def test_what_is_pending_never_overlaps_itself_and_is_never_too_much(life: list[tuple[int, str, bool]]) -> None:
    customer = Customer()
    for at, value, restart in life:
        arm(customer, Pending(name_of("r", [value]), at, at + 3), restart=restart)
        found = pending(customer)
        assert len(found) <= MOST
        assert not [
            (one, two)
            for one in found
            for two in found
            if one != two and one.name == two.name and one.armed <= two.due and two.armed <= one.due
        ]
    for one in pending(customer):
        assert over(customer, one)
        assert not over(customer, one)
    assert customer.pending == b""


def test_the_same_value_as_the_triggers_is_no_name_to_be_looked_up() -> None:
    on, other = "event: page_view, where: {page: coupon_detail}", "event: transaction"
    text = FILE.partition("    tests:")[0].replace(on, other).replace("{coupon: {", "{merchant: {")
    names, _ = load_names("format: 1\nmerchants: [starbucks]")

    loaded = load({"f": text}, Known.of(None, names))

    assert [str(problem) for problem in loaded.problems] == []
