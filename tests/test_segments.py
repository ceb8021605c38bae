"""Segments of an SMS, held against the standard's own table and a second count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.segments import Segments, is_gsm, segments

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of 3GPP TS 23.038, 6.2.1, but for the escape."""
EXTENDED = "\f^{}\\[~]|€"
"""Its extension, 6.2.1.1: two places each."""


def test_the_alphabet_is_the_one_of_the_standard() -> None:
    assert len(set(BASIC)) == 127
    assert all(map(is_gsm, BASIC + EXTENDED))
    assert [letter for letter in map(chr, range(32, 0x3000)) if is_gsm(letter) and letter not in BASIC + EXTENDED] == []


@pytest.mark.parametrize(
    ("text", "number", "alphabet"),
    [
        ("a" * 160, 1, "GSM"),
        ("a" * 161, 2, "GSM"),
        ("a" * 306, 2, "GSM"),
        ("a" * 307, 3, "GSM"),
        ("€" * 80, 1, "GSM"),
        ("€" * 81, 2, "GSM"),
        # 152 places and an escape: the pair is not cut, so the first message stays a place short.
        ("a" * 152 + "€" * 76, 2, "GSM"),
        ("a" * 152 + "€" * 77, 3, "GSM"),
        ("a" * 152 + "€" + "a" * 151, 2, "GSM"),
        ("a" * 152 + "€" + "a" * 152, 3, "GSM"),
        ("退" * 70, 1, "UTF-16"),
        ("退" * 71, 2, "UTF-16"),
        ("退" * 134, 2, "UTF-16"),
        ("退" * 135, 3, "UTF-16"),
        ("`" + "a" * 69, 1, "UTF-16"),
        ("`" + "a" * 70, 2, "UTF-16"),
        ("\U0001f600" * 35, 1, "UTF-16"),
        # A pair of surrogates at the border of 67 goes into the next message whole.
        ("退" * 66 + "\U0001f600" + "退" * 65, 2, "UTF-16"),
        ("退" * 66 + "\U0001f600" + "退" * 66, 3, "UTF-16"),
        ("ç" * 160, 3, "UTF-16"),
        ("Ç" * 160, 1, "GSM"),
    ],
)
def test_the_borders_are_where_the_standard_puts_them(text: str, number: int, alphabet: str) -> None:
    found = segments(text)

    assert (found.number, found.alphabet) == (number, alphabet)


def counted(text: str) -> Segments:
    """Count again, in the plainest way."""
    gsm = all(letter in BASIC + EXTENDED for letter in text)
    sizes = [(2 if letter in EXTENDED else 1) if gsm else 1 + (ord(letter) > 0xFFFF) for letter in text]
    alone, among = (160, 153) if gsm else (70, 67)
    number, room = 1, among
    for size in sizes:
        if size > room:
            number, room = number + 1, among
        room -= size
    return Segments(1 if sum(sizes) <= alone else number, "GSM" if gsm else "UTF-16", sum(sizes))


@given(st.text(st.sampled_from("aé€[]退\U0001f600`"), min_size=1, max_size=400) | st.text(BASIC + EXTENDED, min_size=1))
def test_every_text_is_counted_as_a_second_count_does(text: str) -> None:
    assert segments(text) == counted(text)
