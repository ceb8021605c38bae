"""Dead letters on paper: what they say, what they keep of the past, and what people are shown of them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.letters import as_json, shown, summary_lines, table_lines
from kairos.ports import Headers, Output, Record
from kairos.wire import BadRecord
from streams.dead_letters import Kind, Letter, Place, again, dead_letter, read_letter
from streams.dead_letters_read import Found, Wanted, key_hash
from streams.dead_letters_replay import why_not
from streams.topics import CARD_FEED, CUSTOMERS, DEAD_LETTERS, OFFERS_SMS, TRANSACTIONS
from tests.customer_table import NOON

BAD = BadRecord("future", "the event is 9 minutes ahead of our clock, at most 5 are borne")
HEADERS = (("ce_id", b"e1"), ("phone", b"13800000000"))


def record(headers: Headers = HEADERS, offset: int = 7) -> Record:
    return Record(TRANSACTIONS, 1, offset, b"C000031", b'{"amount": 1234}', headers, NOON)


def lies(output: Output, offset: int = 0) -> Record:
    return Record(output.topic, 1, offset, output.key, output.value, output.headers, NOON)


def letter(headers: Headers = HEADERS, code: str = "future", now: int = NOON) -> Letter:
    found = read_letter(lies(dead_letter(record(headers), "customers", BadRecord(code, str(BAD)), now)))
    assert found is not None
    return found


def test_a_letter_says_where_its_record_lay_who_refused_it_and_why() -> None:
    found = letter()

    assert found.origin == Place(TRANSACTIONS, 1, 7)
    assert found.kind == Kind(TRANSACTIONS, "customers", "future")
    assert (found.message, found.attempts) == (str(BAD), 1)
    assert found.first_failed_at == "2026-12-01T04:00:00.000Z"


def test_what_is_replayed_is_the_record_as_it_came_and_its_past() -> None:
    back = again(letter())

    assert (back.topic, back.key, back.value) == (TRANSACTIONS, record().key, record().value)
    assert back.headers[:2] == HEADERS
    assert {name for name, _ in back.headers[2:]} == {
        "kairos.replayed.from",
        "kairos.replayed.attempts",
        "kairos.replayed.first_failed_at",
    }


def test_whoever_fails_again_is_counted_and_keeps_the_time_of_the_first_failure() -> None:
    found = letter()
    for number in (2, 3):
        found = letter(again(found).headers, now=NOON + number * 1000)
        assert found.attempts == number

    assert found.first_failed_at == "2026-12-01T04:00:00.000Z"
    assert sum(name == "kairos.replayed.attempts" for name, _ in found.record.headers) == 1


def test_a_reason_that_came_from_outside_is_not_ours() -> None:
    said = (("kairos.errors.class", b"nothing"), ("kairos.errors.attempts", b"x"), ("kairos.errors.more", b"y"))

    found = letter((*HEADERS, *said))

    assert found.kind.code == "future"
    assert [name for name, _ in found.record.headers].count("kairos.errors.class") == 1
    assert all(name != "kairos.errors.more" for name, _ in found.record.headers)


@given(st.none() | st.binary(max_size=30), st.none() | st.binary(max_size=30))
def test_a_past_that_cannot_be_read_is_not_believed(attempts: bytes | None, first: bytes | None) -> None:
    said = (("kairos.replayed.attempts", attempts), ("kairos.replayed.first_failed_at", first))

    found = letter(said)  # type: ignore[arg-type]  # in Kafka a header may have no value, whatever our types say

    assert (found.attempts, found.first_failed_at) == (1, "2026-12-01T04:00:00.000Z")


def test_a_first_failure_in_the_future_was_now() -> None:
    said = (("kairos.replayed.attempts", b"2"), ("kairos.replayed.first_failed_at", b"9999-01-01T00:00:00Z"))

    assert letter(said).first_failed_at == "2026-12-01T04:00:00.000Z"


def test_a_reason_is_short_however_much_there_is_to_say() -> None:
    output = dead_letter(record(), "customers", BadRecord("invalid", "x" * 10_000), NOON)

    assert len(dict(output.headers)["kairos.errors.message"]) == 500


def test_a_record_that_is_no_letter_is_none() -> None:
    assert read_letter(Record(DEAD_LETTERS, 0, 0, b"k", b"v", (("kairos.errors.topic", b"t"),))) is None


def test_neither_keys_nor_values_are_shown_unless_they_are_asked_for() -> None:
    one = letter()
    found = Found([one], replayed=summed())
    found.open[1][0] = one.kind
    masked = [
        *table_lines(found, unmask=False),
        *summary_lines(found),
        as_json(found, one, unmask=False),
        *shown(found, one, value=False, unmask=False),
    ]

    for secret in ("C000031", "1234", "13800000000"):
        assert secret not in "\n".join(masked)
    asked = "\n".join(shown(found, one, value=True, unmask=True))
    for secret in ("C000031", '"amount": 1234', "13800000000"):
        assert secret in asked
    assert key_hash(b"C000031") in masked[1]


def summed() -> Counter[Kind]:
    return Counter({Kind(CARD_FEED, "door", "invalid"): 3})


def test_what_a_stranger_wrote_does_not_reach_the_terminal_as_it_is() -> None:
    odd = letter((("ce_id", b"\x1b[2J"),))

    assert "\x1b" not in "\n".join(shown(Found(), odd, value=True, unmask=True))


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (Wanted(), True),
        (Wanted(place=Place(TRANSACTIONS, 1, 7)), True),
        (Wanted(place=Place(DEAD_LETTERS, 1, 0)), True),
        (Wanted(place=Place(TRANSACTIONS, 1, 8)), False),
        (Wanted(topic=TRANSACTIONS, stage="customers", code="future"), True),
        (Wanted(topic=CUSTOMERS), False),
        (Wanted(stage="ledger"), False),
        (Wanted(code="invalid"), False),
        (Wanted(since=NOON, until=NOON + 1), True),
        (Wanted(since=NOON + 1), False),
        (Wanted(until=NOON), False),
        (Wanted(key=b"C000031", hash=key_hash(b"C000031")[:4]), True),
        (Wanted(key=b"C000032"), False),
        (Wanted(hash="x"), False),
    ],
)
def test_letters_are_chosen_by_what_was_asked(wanted: Wanted, *, takes: bool) -> None:
    assert wanted.takes(letter()) is takes


def test_what_would_do_harm_is_replayed_only_by_name_and_what_has_ended_never() -> None:
    feed, profile = Kind(CARD_FEED, "door", "invalid"), Kind(CUSTOMERS, "customers", "invalid")
    ended = Kind(OFFERS_SMS, "kairos.deliver.sms", "refused")

    assert why_not(feed, Wanted())
    assert why_not(profile, Wanted(stage="customers"))
    assert why_not(feed, Wanted(topic=CARD_FEED)) is None
    assert why_not(profile, Wanted(place=Place(CUSTOMERS, 0, 1))) is None
    assert why_not(ended, Wanted(topic=OFFERS_SMS))


@pytest.mark.parametrize("text", ["", "t", "t:1", "t:x:1", "t:1:-1", ":1:1", "t:1:2:3", "t:²:1"])
def test_a_text_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no place"):
        Place.read(text)
