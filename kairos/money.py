"""Money: whole minor units (cents, fen) and a currency; decimals are parsed exactly, never as floats."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

__all__ = ["Currency", "Money", "exponent", "parse"]

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code."""

_WITHOUT_MINOR_UNITS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


class Money(NamedTuple):
    """An amount in minor units of a currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        """Write the amount with its decimals: `30.00 CNY`."""
        places = exponent(self.currency)
        return f"{Decimal(self.minor).scaleb(-places):.{places}f} {self.currency}"


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
    number, _, own = str(text).strip().partition(" ")
    unit = own.strip() or currency
    try:
        minor = Decimal(number).scaleb(exponent(unit))
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount; write 30, 30.50 or 12000 JPY") from None
    if not minor.is_finite():
        raise ValueError(f"{text!r} is no amount; write 30, 30.50 or 12000 JPY")
    if minor != minor.to_integral_value():
        raise ValueError(f"{text!r} is finer than the smallest unit of {unit}")
    return Money(int(minor), unit)
