"""`kairos settle`: what each merchant's coupons came to in a period, for the one who writes the bill."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import typer
from rich.table import Table

from console.output import errors, fail, out, said, settings
from console.settling import Line, Settlement, as_csv, as_json, others, plain
from kairos.instants import HOUR, Millis
from rules.problems import many, suggest
from rules.spelled import in_our_days
from streams.topic_reader import read_piecewise
from streams.topics import LEDGER_ENTRIES

__all__ = ["add_to"]


class Format(StrEnum):
    """How the settlement is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(settle)


def settle(
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="the first day")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="the last day, to its end")],
    merchant: Annotated[str | None, typer.Option(help="only this one's")] = None,
    zone: Annotated[str, typer.Option(help="in which days are meant")] = "Asia/Shanghai",
    format_: Annotated[Format, typer.Option("--format", help="csv for spreadsheets, json for programs")] = Format.TABLE,
    out_: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="a file instead of the terminal")] = None,
) -> None:
    """Settle with merchants: coupons issued, delivered, redeemed, their face value, and who pays how much of it."""
    try:
        days = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        fail(f"there is no time zone {zone}{suggest(zone, available_timezones(), 'nothing')}", 2)
    if until < since:
        fail("the period ends before it begins", 2)
    begin, end = _instant(since, days), _instant(until, days, timedelta(days=1))
    with said():
        lines = asyncio.run(_settled(settings().cluster.for_aiokafka(), Settlement(begin, end, merchant), begin))
        _write(lines, format_, out_)


def _instant(day: datetime, zone: ZoneInfo, ahead: timedelta = timedelta()) -> Millis:
    try:
        return in_our_days(round((day + ahead).replace(tzinfo=zone).timestamp() * 1000))
    except (ValueError, OverflowError):
        fail(f"{day.date()} is no day on which a coupon can have been given", 2)


async def _settled(client: Mapping[str, object], settlement: Settlement, begin: Millis) -> list[Line]:
    with errors.status("reading entries ...") as status:

        def tell(read: int, there: int) -> None:
            status.update(f"reading entries ... {read:,} of {there:,}")

        # Kafka's clock may be behind the worker's.
        since = max(1, begin - HOUR)
        async with aclosing(read_piecewise(client, LEDGER_ENTRIES, since, tell)) as pieces:
            async for _, records in pieces:
                for record in records:
                    settlement.take(record)
    return settlement.lines()


def _write(lines: list[Line], format_: Format, file: Path | None) -> None:
    if format_ is Format.TABLE and file is None:
        out.print(_table(lines) if lines else "no coupons in this period")
        return
    text = as_json(lines) + "\n" if format_ is Format.JSON else as_csv(lines)
    if file is None:
        out.file.write(text)
        return
    file.write_text(text, encoding="utf-8")
    errors.print(f"{many(len(lines), 'line')} in {file}", markup=False, highlight=False)


def _table(lines: list[Line]) -> Table:
    payers = others(lines)
    table = Table("merchant", "pool", "programme", "currency", box=None, pad_edge=False)
    for name in ("issued", "delivered", "redeemed", "released", "face value", "paid by merchant", *payers):
        table.add_column(name, justify="right")
    for line in lines:
        counts = [f"{count:,}" for count in (line.issued, line.delivered, line.redeemed, line.released)]
        paid = [line.paid[payer] if payer != line.merchant else 0 for payer in payers]
        amounts = [plain(minor, line.currency) for minor in (line.face_value, line.paid[line.merchant], *paid)]
        table.add_row(line.merchant, line.pool, line.programme, line.currency, *counts, *amounts)
    return table
