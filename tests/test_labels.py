"""Offers become examples: in any order, at most one negative and one positive, and corrections say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import Happening, Label, Labelling, Phase, advance

DELIVERED, OPENED, CLICKED = Happening.DELIVERED, Happening.OPENED, Happening.CLICKED
REDEEMED, CONVERTED, DUE = Happening.REDEEMED, Happening.CONVERTED, Happening.DUE

happenings = st.lists(st.sampled_from(Happening), max_size=12)
labellings = st.builds(Labelling, st.frozensets(st.sampled_from([OPENED, CLICKED, REDEEMED, CONVERTED])), st.booleans())


def labels(happened: list[Happening], labelling: Labelling | None = None) -> list[Label]:
    """Give the labels of one offer; the n-th happening is n ms after it was sent."""
    phase, given_out = Phase.SENT, []
    for now_ms, happening in enumerate(happened, start=1):
        phase, label = advance(phase, happening, now_ms, labelling or Labelling())
        phase = Phase(int(phase))
        given_out += [label] if label else []
    return given_out


@given(happenings, labellings)
def test_in_any_order_an_offer_gives_at_most_one_negative_and_then_at_most_one_positive(
    happened: list[Happening], labelling: Labelling
) -> None:
    signs = [label.positive for label in labels(happened, labelling)]

    assert signs in ([], [False], [True], [False, True])


@given(happenings, labellings)
def test_a_positive_says_that_it_corrects_exactly_when_a_negative_came_before(
    happened: list[Happening], labelling: Labelling
) -> None:
    given_out = labels(happened, labelling)

    assert [label.corrects for label in given_out] == [i == 1 for i in range(len(given_out))]


@given(happenings, labellings)
def test_without_the_timer_nothing_is_ever_negative(happened: list[Happening], labelling: Labelling) -> None:
    given_out = labels([happening for happening in happened if happening is not DUE], labelling)

    assert all(label.positive for label in given_out)


@given(happenings, labellings)
def test_whatever_is_repeated_teaches_nothing_twice(happened: list[Happening], labelling: Labelling) -> None:
    signs = [label.positive for label in labels(happened, labelling)]

    twice = [happening for happening in happened for _ in range(2)]

    assert [label.positive for label in labels(twice, labelling)] == signs


@given(happenings)
def test_an_offer_that_was_reacted_to_ends_positive(happened: list[Happening]) -> None:
    given_out = labels(happened)

    assert any(label.positive for label in given_out) == any(h in {REDEEMED, CONVERTED} for h in happened)


def test_an_offer_that_was_never_delivered_teaches_nothing() -> None:
    assert labels([DUE, DUE]) == []


def test_no_reaction_until_the_wait_is_over_is_a_negative() -> None:
    assert labels([DELIVERED, DUE]) == [Label(positive=False, corrects=False, at_ms=2)]


def test_a_reaction_inside_the_wait_is_a_positive_and_the_timer_then_means_nothing() -> None:
    assert labels([DELIVERED, REDEEMED, DUE]) == [Label(positive=True, corrects=False, at_ms=2)]


def test_a_reaction_after_the_wait_corrects_the_negative() -> None:
    assert labels([DELIVERED, DUE, CONVERTED])[1] == Label(positive=True, corrects=True, at_ms=3)


def test_a_redemption_that_is_also_reported_as_conversion_counts_once() -> None:
    assert len(labels([DELIVERED, REDEEMED, CONVERTED, REDEEMED])) == 1


def test_a_reaction_before_the_receipt_counts_and_the_receipt_then_changes_nothing() -> None:
    assert labels([REDEEMED, DELIVERED, DUE]) == [Label(positive=True, corrects=False, at_ms=1)]


def test_opening_an_offer_proves_its_delivery_but_is_no_reaction_unless_the_objective_says_so() -> None:
    assert labels([OPENED, DUE]) == [Label(positive=False, corrects=False, at_ms=2)]
    assert labels([OPENED, DUE], Labelling(frozenset({OPENED})))[0].positive


def test_a_second_receipt_after_the_negative_does_not_start_a_second_wait() -> None:
    assert len(labels([DELIVERED, DUE, DELIVERED, DUE])) == 1


def test_a_list_campaign_holds_its_positives_until_the_window_ends() -> None:
    held = Labelling(hold=True)

    assert labels([DELIVERED, REDEEMED, CONVERTED], held) == []
    assert labels([DELIVERED, REDEEMED, CONVERTED, DUE], held) == [Label(True, corrects=False, at_ms=4)]
    assert labels([DELIVERED, DUE, CONVERTED], held)[1].corrects


@pytest.mark.parametrize("wrong", [DELIVERED, DUE])
def test_delivery_and_timer_cannot_be_declared_reactions(wrong: Happening) -> None:
    with pytest.raises(ValueError, match="no reactions"):
        Labelling(frozenset({wrong}))


def test_the_stored_numbers_of_the_phases_never_change() -> None:
    assert {p.name: int(p) for p in Phase} == {"SENT": 0, "WAITING": 1, "NEGATIVE": 2, "POSITIVE": 3, "HELD": 4}
