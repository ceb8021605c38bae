"""The settlement: what became of each merchant's coupons in a period, counted from the ledger's entries alone."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from kairos.instants import Millis, from_rfc3339
from kairos.money import Money
from kairos.ports import Record

__all__ = ["Line", "Settlement", "as_csv", "as_json"]


class EntryRow(msgspec.Struct, gc=False):
    """What is read of an entry."""

    what: str
    merchant: str
    pool: str
    programme: str
    value: int
    currency: str
    at: str
    was: str | None = None
    subsidy: dict[str, int] = {}


_read = msgspec.json.Decoder(EntryRow).decode


@dataclass(slots=True)
class Line:
    """One pool of one merchant, in coupons and in minor units of one currency.

    Parameters
    ----------
    merchant, pool, programme, currency
        Whose, and in what.
    issued, released
        Coupons that were given to offers, and that came back because they were definitely not sent.
    delivered
        Coupons that a gateway accepted or that were redeemed before it said so, less those that came back.
    redeemed
        Coupons that were used.
    face_value
        What was redeemed, in money.
    paid
        Who pays how much of that; the merchant where the pool names nobody.

    """

    merchant: str
    pool: str
    programme: str
    currency: str
    issued: int = 0
    delivered: int = 0
    redeemed: int = 0
    released: int = 0
    face_value: int = 0
    paid: Counter[str] = field(default_factory=Counter)

    def take(self, entry: EntryRow) -> None:
        """Count one step of one coupon."""
        match entry.what:
            case "issued":
                self.issued += 1
            case "confirmed":
                self.delivered += 1
            case "redeemed":
                self.redeemed += 1
                self.delivered += entry.was == "reserved"
                self.face_value += entry.value
                self.paid.update(entry.subsidy or {entry.merchant: entry.value})
            case "released":
                self.released += 1
                self.delivered -= entry.was == "confirmed"
            case _:
                raise ValueError(f"no step of a coupon: {entry.what!r}")


class Settlement:
    """Takes the ledger's entries in any order, and says what they come to for each merchant and pool.

    Parameters
    ----------
    since, until
        The period: from the first instant up to, and not with, the second. Each step counts when it happened.
    merchant
        Only this one's.

    """

    def __init__(self, since: Millis, until: Millis, merchant: str | None = None) -> None:
        self._since, self._until, self._merchant = since, until, merchant
        self._lines: dict[tuple[str, str, str, str], Line] = {}

    def take(self, record: Record) -> None:
        """Take one record of the ledger's entries."""
        entry = _read(record.value or b"")
        if self._merchant not in (None, entry.merchant):
            return
        if self._since <= from_rfc3339(entry.at) < self._until:
            name = (entry.merchant, entry.pool, entry.programme, entry.currency)
            self._lines.setdefault(name, Line(*name)).take(entry)

    def lines(self) -> list[Line]:
        """Give a line for each pool, by merchant."""
        return [self._lines[name] for name in sorted(self._lines)]


def as_json(lines: Sequence[Line]) -> str:
    """Write the lines as JSON; money is in minor units.

    Examples
    --------
    >>> line = Line("cafe", "cafe-30", "takeaway", "CNY", issued=2, redeemed=1, face_value=3000)
    >>> print(as_json([line])[:60])
    [{"merchant":"cafe","pool":"cafe-30","programme":"takeaway",

    """
    return msgspec.json.encode(lines).decode()


def as_csv(lines: Sequence[Line]) -> str:
    """Write the lines as CSV for a spreadsheet; money has its decimals, and every other payer a column of its own."""
    payers = others(lines)
    head = ["merchant", "pool", "programme", "currency", "issued", "delivered", "redeemed", "released"]
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow([*head, "face_value", "paid_by_merchant", *(f"paid_by_{payer}" for payer in payers)])
    for line in lines:
        counts = [line.issued, line.delivered, line.redeemed, line.released]
        amounts = [line.face_value, line.paid[line.merchant], *(_paid(line, payer) for payer in payers)]
        named = [line.merchant, line.pool, line.programme, line.currency]
        rows.writerow([*named, *counts, *(plain(amount, line.currency) for amount in amounts)])
    return written.getvalue()


def others(lines: Sequence[Line]) -> list[str]:
    """Name who pays beside the merchants themselves."""
    return sorted({payer for line in lines for payer in line.paid if payer != line.merchant})


def plain(minor: int, currency: str) -> str:
    """Write an amount without its currency.

    Examples
    --------
    >>> plain(123450, "CNY"), plain(500, "JPY")
    ('1234.50', '500')

    """
    return str(Money(minor, currency)).split()[0]


def _paid(line: Line, payer: str) -> int:
    return 0 if payer == line.merchant else line.paid[payer]
