"""The card feed: how one foreign format, the bank's lines of card payments, becomes our transactions."""

from typing import Any, Final

from pydantic import ValidationError

from kairos.events import Transaction
from kairos.instants import from_rfc3339
from kairos.money import parse
from kairos.ports import Output, Record
from kairos.wire import BadRecord, headers, type_of
from streams.topics import CARD_FEED, TRANSACTIONS

__all__ = ["FIELDS", "TOPIC", "map_line", "mapped"]

TOPIC: Final = CARD_FEED
"""The foreign topic; its key is the terminal's, not the customer's."""
FIELDS: Final = ("time", "customer", "channel", "direction", "amount", "currency", "category", "merchant", "reference")
"""What stands between the semicolons of a line."""

_DIRECTIONS = {"DBT": "debit", "CRD": "credit"}
_SOURCE = "/bank/card-feed"


def map_line(line: bytes) -> Output:
    """Map one line of the feed, and key it by the customer.

    Raises
    ------
    BadRecord
        What is wrong with the line; it is a dead letter.

    Examples
    --------
    >>> out = map_line(b"2017-03-01T12:00:03Z;C000123;POS;DBT;12.50;USD;GROCERY;STORE-31;ref-8842")
    >>> out.topic, out.key, dict(out.headers)["ce_id"]
    ('kairos.events.transactions.v1', b'C000123', b'ref-8842')

    """
    try:
        parts = line.decode().strip().split(";")
    except UnicodeDecodeError:
        raise BadRecord("invalid", "the line is not UTF-8") from None
    if len(parts) != len(FIELDS):
        raise BadRecord("invalid", f"the line has {len(parts)} fields, expected {len(FIELDS)}: {';'.join(FIELDS)}")
    row = dict(zip(FIELDS, parts, strict=True))
    try:
        at = from_rfc3339(row["time"])
        stamped = headers(type_of("transaction"), row["reference"], at, _SOURCE)
        data = Transaction.model_validate(_transaction(row))
    except ValidationError as error:
        places = ", ".join(".".join(map(str, e["loc"])) for e in error.errors(include_input=False, include_url=False))
        raise BadRecord("invalid", f"these fields are not as agreed: {places}") from None
    except (ValueError, KeyError, OverflowError, OSError):
        raise BadRecord("invalid", "the time, the amount or the direction is not as agreed") from None
    if not row["customer"] or not row["reference"]:
        raise BadRecord("no_key", "the line names no customer or no reference")
    written = data.model_dump_json(exclude_defaults=True).encode()
    return Output(TRANSACTIONS, row["customer"].encode(), written, stamped)


def mapped(record: Record) -> Record | None:
    """Give a record as the door would pass it on: a line of the bank's own that cannot be mapped has no way on."""
    if record.topic != TOPIC:
        return record
    try:
        found = map_line(record.value or b"")
    except BadRecord:
        return None
    return Record(found.topic, 0, record.offset, found.key, found.value, found.headers, record.at)


def _transaction(row: dict[str, str]) -> dict[str, Any]:
    return {
        "amount": parse(row["amount"], row["currency"]).minor,
        "currency": row["currency"],
        "direction": _DIRECTIONS[row["direction"]],
        "card": "debit",
        "channel": row["channel"].lower(),
        "merchant": row["merchant"].lower(),
        "merchant_category": row["category"].lower(),
    }
