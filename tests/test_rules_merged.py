"""Two memories of the same events, joined: who saw all of them is right, and who saw more is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.events import Event, Login, Transaction
from kairos.instants import HOUR, SECOND
from rules.chains import Chain
from rules.features import Feature, Ring
from rules.panes import Of, Panes
from rules.selectors import selector_of
from rules.values import Values
from tests.rules_strategies import NOON, event_of

LOGIN, PAID = selector_of("login", {}), selector_of("transaction", {})
KINDS: tuple[Of, ...] = ("sum", "count", "min", "max")
FEATURES: list[Feature] = [
    Ring(PAID, 3),
    *(Panes(PAID, of, "amount", "CNY", None, 3) for of in KINDS),
    Values(PAID, "merchant", 2),
    Chain((PAID, LOGIN)),
]


def lived(found: list[tuple[int, int, str, bool]]) -> list[Event]:
    events, at = list[Event](), NOON
    for gap, amount, merchant, is_login in found:
        at += gap
        paid = Transaction(amount=amount, currency="CNY", direction="debit", merchant=merchant)
        events.append(event_of(Login() if is_login else paid, at))
    return events


def steps(*gaps: int) -> st.SearchStrategy[list[Event]]:
    step = st.tuples(st.sampled_from(gaps), st.integers(0, 300), st.sampled_from("abcd"), st.booleans())
    return st.lists(step, max_size=12).map(lived)


def folded(feature: Feature, events: list[Event]) -> bytes:
    packed = b""
    for event in events:
        if any(one.meets(event) for one in feature.selectors):
            packed = feature.fold(packed, event)
    return packed


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: f"{type(one).__name__} {getattr(one, 'of', '')}".strip())
@given(steps(0, SECOND, HOUR), st.integers(0, 12))
def test_who_saw_only_the_end_adds_nothing_to_who_saw_all(feature: Feature, events: list[Event], begin: int) -> None:
    whole, end = folded(feature, events), folded(feature, events[begin:])

    assert feature.merged(end, whole) == feature.merged(whole, end) == feature.merged(whole, whole) == whole


@given(steps(SECOND, HOUR), st.integers(0, 12), st.integers(0, 12))
def test_instants_from_before_are_kept_beside_those_that_were_read_again(
    events: list[Event], ended: int, begin: int
) -> None:
    ring = Ring(PAID, 12)
    before, again = folded(ring, events[: max(ended, begin)]), folded(ring, events[begin:])

    assert ring.merged(before, again) == folded(ring, events)
