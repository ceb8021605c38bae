"""Explaining a rule: the same verdict as the engine, and every value that was read."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kairos.customer import Customer, Standing
from kairos.events import Consent, Event, Login, Profile
from kairos.instants import DAY, moment
from rules import interpret, rings
from rules.book import Book
from rules.decide import convinced, gates
from rules.explain import Explanation, explain, lines
from rules.judged import Seen
from rules.policy import Policy
from rules.saying import LANGUAGES
from rules.schema import Status
from tests.rules_strategies import NOON, book_of, books, event_of, lives, standings, unhurried
from tests.test_rules_match import food, rule

OPEN = {"sms": "00:00-24:00", "push": "00:00-24:00", "list": "00:00-24:00"}


def explained(life: list[Event], standing: Standing, **changes: Any) -> Explanation:
    book, customer = book_of(rule(**changes)), Customer()
    for event in life:
        book.observe(event, customer)
    return explain(book.rules["r"], Seen(life[-1], customer, lambda: standing), Policy.default(), NOON, {})


@unhurried
@given(books, lives, standings)
def test_an_explanation_says_match_exactly_where_the_reference_does(
    book: Book, life: list[Event], standing: Standing
) -> None:
    customer = Customer()
    for event in life:
        book.observe(event, customer)
        seen = Seen(event, customer, lambda: standing)
        for found in book.rules.values():
            told = explain(found, seen, Policy.default(), event.at, {})

            if found.status is not Status.DRAFT:
                assert told.matches == interpret.holds(found, seen)
            assert (told.reason is None) == told.fires
            assert all(line for language in LANGUAGES for line in lines(told, language))


spoken = st.builds(
    Consent,
    purpose=st.sampled_from(["*", "marketing"]),
    channel=st.sampled_from(["*", "sms", "push", "list"]),
    granted=st.booleans(),
    at=st.sampled_from([moment(0), moment(1000)]),
)


_passed = st.lists(st.sampled_from(["hours", "calendar", "caps", "gap", "ignored"]), min_size=1, unique=True)
policies = st.fixed_dictionaries(
    {},
    optional={
        "gap": st.sampled_from(["1s", "1h"]),
        "overall": st.sampled_from([{"within": "2s", "at_most": 2}, {"within": "1d", "at_most": 4}]),
        "purposes": st.builds(
            lambda bypass, caps: {"marketing": {**({"bypass": bypass, "because": "x"} if bypass else {}), **caps}},
            st.none() | _passed,
            st.sampled_from([{}, {"caps": {"within": "1d", "at_most": 2}}]),
        ),
        "ignored": st.just({"after": 2, "within": "1d", "rest": "30d"}),
        "calendar": st.sampled_from([[{"name": "x", "on": "2026-12-01", "channels": [c]}] for c in ("sms", "push")]),
    },
)


@unhurried
@given(
    st.sampled_from([{}, {"from": "2026-12-02"}, {"until": "2026-11-30"}]),
    st.sampled_from(["active", "paused"]),
    st.lists(spoken, max_size=3),
    st.tuples(st.booleans(), st.booleans()),
    st.sampled_from([0, 8 * 3_600_000, 11 * 60_000]),
    st.dictionaries(st.sampled_from(["sms", "push"]), st.integers(1, 3)),
    st.none() | st.floats(0, 1),
    st.booleans(),
    policies,
    st.dictionaries(st.sampled_from(["sms", "push"]), st.integers(1, 3)),
)
def test_the_first_gate_that_an_explanation_names_is_the_one_that_refuses(
    valid: dict[str, str],
    status: str,
    consent: list[Consent],
    flags: tuple[bool, bool],
    later: int,
    used: dict[str, int],
    score: float | None,
    rested: bool,
    more: dict[str, Any],
    ignored: dict[str, int],
) -> None:
    asked = {"score": {"model": "m", "at_least": 0.5}}
    base = rule(valid=valid, status=status, who={"all": [asked]}, limits={"cooldown": "1d"}, fresh="1h")
    base["then"] = {**base["then"], "channels": ["sms", "push"]}
    book = book_of(base)
    policy = Policy.model_validate(
        {
            "format": 1,
            "zone": "Asia/Shanghai",
            "caps": {name: {"within": "7d", "at_most": 2} for name in ("sms", "push")},
            **more,
        }
    )
    contacts = {c: b"".join((NOON // 1000 - n).to_bytes(4) for n in range(count, 0, -1)) for c, count in used.items()}
    rows = {channel: b"".join([(NOON // 1000).to_bytes(4)] * count) for channel, count in ignored.items()}
    customer = Customer(contacts=contacts, purposes={"marketing": contacts.get("sms", b"")}, ignored=rows)
    customer = msgspec.structs.replace(customer, decided={"r": NOON - (2 * DAY if rested else 1)})
    profile = Profile(consent=tuple(consent), do_not_contact=flags[0], personalisation=flags[1])
    event, standing, now = food(NOON), Standing(profile), NOON + later

    (candidate,) = gates(event, customer, standing, book.match(event, customer, lambda: standing), policy, now)
    told = explain(book.rules["r"], Seen(event, customer, lambda: standing), policy, now, {"m": score})

    assert (told.reason.kind if told.reason else None) == convinced(candidate, {"m": score}).reason


def test_every_clause_is_told_with_what_it_read_also_behind_the_first_that_fails() -> None:
    told = explained(
        [event_of(Login(), NOON - 3 * DAY), food(NOON)],
        Standing(Profile(attrs={"age": 30, "name": "Wang"}, tags=frozenset({"staff"}))),
        on={"event": "app_usage", "where": {"app_class": "food_delivery", "seconds": {"at_least": 5}}},
        who={"all": [{"attr": {"age": {"at_least": 40}, "aum": {"below": 9}}}, {"not": {"tag": "staff"}}]},
        when={
            "any": [
                {"count": {"same_as": "on", "within": "7d", "at_least": 3}},
                {"last_seen": {"event": "login", "at_least": "60d"}},
            ]
        },
    )

    assert lines(told, "en")[:11] == [
        "event",
        "  ✓ app use: app use",
        "  ✓ app_class = food_delivery: food_delivery",
        "  ? seconds ≥ 5: unknown",
        "who",
        "  ✗ all of",
        "    ✗ age ≥ 40: 30",
        "    ? aum < 9: unknown",
        "  ✗ not tagged staff",
        "when",
        "  ✗ any of",
    ]
    # The app use has no length, so it is not one of those that are counted.
    assert lines(told, "en")[11:13] == [
        "    ✗ at least 3 × the same in 7 days: 0",
        "    ✗ no login for 60 days: 3 days ago",
    ]
    assert "Wang" not in "".join(lines(told, "zh"))
    assert told.reason is not None
    assert told.reason.kind == "where:seconds"


def test_the_gates_are_told_with_what_they_read_in_both_languages() -> None:
    told = explained([food(NOON)], Standing(Profile()), limits={"cooldown": "14d"}, valid={"until": "2026-12-31"})

    assert lines(told, "en")[lines(told, "en").index("gates") + 1 :] == [
        "  ✓ valid until 2026-12-31 (Asia/Shanghai): 2026-12-01 12:00",
        "  ✓ the event is not older than 10 minutes: 0 seconds ago",
        "  ✓ the customer may be contacted",
        "  ✗ consent for marketing: SMS no",
        "  ✗ the customer agreed to personalisation",
        "  ✓ open hours: SMS 08:00-21:00: 2026-12-01 12:00 (Asia/Shanghai)",
        "  ✓ at most once in 14 days: never",
        "  ✓ SMS at most 3 in 7 days: SMS 0",
    ]
    assert "  ✓ 14天内至多一次: 从未" in lines(told, "zh")


def test_a_negated_group_blames_the_clause_that_holds() -> None:
    told = explained(
        [food(NOON)],
        Standing(Profile(tags=frozenset({"a", "b"}))),
        who={"all": [{"not": {"all": [{"tag": "a"}, {"tag": "b"}]}}]},
    )

    assert lines(told, "en")[3:7] == ["  ✗ not", "    ✓ all of", "      ✓ tagged a", "      ✓ tagged b"]
    assert told.reason is not None
    assert told.reason.kind == "tag:a"


def test_the_cap_tells_how_many_were_sent() -> None:
    ring = rings.add(rings.add(b"", NOON // 1000 - 60, 64), NOON // 1000 - 8 * 86_400, 64)
    book, customer = book_of(rule()), Customer(contacts={"sms": ring})

    told = explain(book.rules["r"], Seen(food(NOON), customer, lambda: Standing(Profile())), Policy.default(), NOON, {})

    assert lines(told, "en")[-1] == "  ✓ SMS at most 3 in 7 days: SMS 1"
