"""`kairos codes`: hand a merchant's file of coupon codes to the ledger."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer

from console.codes import CodesError, stock_commands
from console.output import errors, out, said, settings
from console.publishing import catalogue
from kairos.ids import content_hash
from kairos.reservations import Stock
from kairos.wire import headers
from rules.pools import pools_of_content
from rules.problems import suggest
from streams import clock
from streams.topics import LEDGER_COMMANDS

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(codes)


def codes(
    pool: Annotated[str, typer.Argument(help="the pool's id, as in the file of pools")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a column `code`")],
) -> None:
    """Import coupon codes: the whole file or, if anything in it is wrong, nothing. Codes a pool has are refused."""
    with said():
        client = settings().cluster.for_aiokafka()
        programme = asyncio.run(_programme(client, pool))
        try:
            count = asyncio.run(_send(client, file, pool, programme))
        except CodesError as error:
            errors.print("\n".join(error.problems), markup=False, highlight=False)
            raise typer.Exit(1) from None
    out.print(
        f"{count:,} codes handed to the ledger for {pool}; duplicates are among the dead letters", highlight=False
    )


async def _programme(client: Mapping[str, object], pool: str) -> str:
    content = (await catalogue(client)).current("pools")
    pools = {found.pool: found for found in pools_of_content(content)} if content else {}
    if pool not in pools:
        errors.print(f"no pool {pool} is in force{suggest(pool, pools)}", style="red", markup=False, highlight=False)
        raise typer.Exit(1)
    if pools[pool].codes != "imported":
        errors.print(f"the pool {pool} makes its codes itself; it says `codes: generated`", style="red", markup=False)
        raise typer.Exit(1)
    return pools[pool].programme


async def _send(client: Mapping[str, object], file: Path, pool: str, programme: str) -> int:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **client)
    await producer.start()
    count = 0
    try:
        with errors.status("importing codes ...") as status:
            checked = 0

            def tell(number: int) -> None:
                nonlocal checked
                checked = number
                status.update(f"checking codes ... {number:,}")

            for stock in stock_commands(file, pool, programme, tell):
                await producer.send_and_wait(LEDGER_COMMANDS, *_record(stock))
                count += len(stock.codes)
                status.update(f"importing codes ... {count:,} of {checked:,}")
    finally:
        await producer.stop()
    return count


def _record(stock: Stock) -> tuple[bytes, bytes, None, None, list[tuple[str, bytes]]]:
    value = stock.model_dump_json().encode()
    # The id ends with its kind, as all commands' do; people send this one, and no stage.
    attributes = headers("kairos.ledger.command.v1", f"{content_hash(value)}:stock", clock.now(), "/kairos/codes")
    return value, stock.programme.encode(), None, None, list(attributes)
