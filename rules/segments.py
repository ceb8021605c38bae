"""Segments: how many short messages a text is sent as, which is what an SMS costs.

A text whose characters are all in the GSM alphabet (3GPP TS 23.038) has 160 places in one message and 153 in each of
several; the characters of its extension take two. Any other character makes the whole text UTF-16: 70 places, and 67
in each of several. Neither a character of two places nor a surrogate pair is ever cut in two.
"""

from typing import NamedTuple

import smsutil

__all__ = ["Segments", "is_gsm", "places", "segments"]


class Segments(NamedTuple):
    """How a text goes out: in how many short messages, in which alphabet, and how many places it takes."""

    number: int
    alphabet: str
    places: int

    def __str__(self) -> str:
        return f"{self.number} {'segment' if self.number == 1 else 'segments'} ({self.alphabet}, {self.places} places)"


def segments(text: str) -> Segments:
    """Count the segments of a text.

    Examples
    --------
    >>> print(segments("a" * 160), segments("a" * 161), sep="; ")
    1 segment (GSM, 160 places); 2 segments (GSM, 161 places)
    >>> print(segments("退订" * 35), segments("€" * 81), sep="; ")
    1 segment (UTF-16, 70 places); 2 segments (GSM, 162 places)

    References
    ----------
    3GPP TS 23.038, Alphabets and language-specific information; TS 23.040, 9.2.3.24.1, concatenated short messages.

    """
    found = smsutil.split(text)
    if found.encoding == "gsm0338":
        return Segments(len(found.parts), "GSM", found.total_bytes)
    return Segments(len(found.parts), "UTF-16", found.total_bytes // 2)


def is_gsm(text: str) -> bool:
    """Whether every character is in the GSM alphabet."""
    return smsutil.split(text).encoding == "gsm0338"


def places(text: str) -> int:
    """Count the places a value takes where a text is Chinese: a character outside the first plane takes two.

    Examples
    --------
    >>> places("咖啡"), places("咖啡☕"), places("\U0001f600")
    (2, 3, 2)

    """
    return len(text) + sum(1 for letter in text if ord(letter) > 0xFFFF)
