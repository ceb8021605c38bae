"""Money: whole minor units (cents, fen) and a currency; decimals are parsed exactly, never as floats."""

import re
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

__all__ = ["Currency", "Money", "exponent", "parse"]

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code."""

_WITHOUT_MINOR_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

# Digits alone: no exponent, no underscore, and no more of them than a person could mean.
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,15})(\.(?P<part>[0-9]{1,15}))?( +(?P<unit>[A-Z]{3}))?")


class Money(NamedTuple):
    """An amount in minor units of a currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        """Write the amount with its decimals: `30.00 CNY`."""
        places = exponent(self.currency)
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        whole = len(digits) - places
        sign, point = "-" if self.minor < 0 else "", "." if places else ""
        return f"{sign}{digits[:whole]}{point}{digits[whole:]} {self.currency}"


def exponent(currency: str) -> int:
    """Give the number of decimals of a currency, after ISO 4217.

    Examples
    --------
    >>> exponent("CNY"), exponent("JPY"), exponent("KWD")
    (2, 0, 3)

    """
    if currency in _WITHOUT_MINOR_UNITS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def parse(text: str | int, currency: str) -> Money:
    """Read an amount as people write it: `30`, `30.50` or `12000 JPY`.

    Parameters
    ----------
    text
        The amount, with its own currency behind it or without.
    currency
        The currency of an amount that names none.

    Raises
    ------
    ValueError
        It is no amount, or finer than the currency's minor unit.

    Examples
    --------
    >>> parse(30, "CNY")
    Money(minor=3000, currency='CNY')
    >>> str(parse("12000 JPY", "CNY"))
    '12000 JPY'
    >>> parse("0.005", "CNY")
    Traceback (most recent call last):
    ValueError: '0.005' is finer than the smallest unit of CNY

    """
    found = _AMOUNT.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{text!r} is no amount; write 30, 30.50 or 12000 JPY")
    unit = found["unit"] or currency
    places, part = exponent(unit), (found["part"] or "").rstrip("0")
    if len(part) > places:
        raise ValueError(f"{text!r} is finer than the smallest unit of {unit}")
    return Money(int(found["sign"] + found["whole"] + part.ljust(places, "0")), unit)
