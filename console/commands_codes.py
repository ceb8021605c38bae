"""`kairos codes`: hand a merchant's file of coupon codes to the ledger."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from console.codes import PORTION, CodesError, handed, read_codes, stock_commands
from console.output import errors, fail, out, said, settings
from console.publishing import Known, catalogue
from kairos.ids import content_hash
from kairos.offers import CouponPool
from kairos.ports import Headers
from kairos.reservations import Stock
from kairos.wire import headers
from rules.code_fit import Taker, takers_of, unfit_code
from rules.documents import without_text
from rules.pools import pools_of_content
from rules.problems import suggest
from rules.templates import Templates
from streams import clock
from streams.ledger_told import telling

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(codes)


def codes(
    pool: Annotated[str, typer.Argument(help="the pool's id, as in the file of pools")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a column `code`")],
    wait: Annotated[float, typer.Option(min=0, max=3600, help="how many seconds to wait for the ledger's answer")] = 60,
) -> None:
    """Import coupon codes: the whole file or, if anything in it is wrong, nothing. Codes a pool has are refused.

    Example: kairos codes tea-5 codes.csv

    A code that the texts in force would not tell, for it is too long or has characters they do not take, is refused
    with its line: at the grant it would be too late. What the ledger took is told when it has; after --wait seconds,
    that it has not yet, with exit code 3: the codes stay, and are taken when a worker runs. --wait 0 asks nothing.
    """
    with said():
        client = settings().cluster.for_aiokafka()
        known = asyncio.run(catalogue(client))
        to, takers = _imported(known, pool), _takers(known, pool)
        try:
            count, letters = asyncio.run(_send(client, file, to, takers, wait))
        except CodesError as error:
            errors.print("\n".join(error.problems), markup=False, highlight=False)
            raise typer.Exit(1) from None
    out.print(handed(to.pool, count, letters), markup=False, highlight=False)
    if letters is None and wait:
        raise typer.Exit(3)


def _takers(known: Known, pool: str) -> tuple[Taker, ...]:
    rules, templates = known.current("rules"), known.current("templates")
    return takers_of(pool, without_text(rules), Templates.of_content(templates)) if rules and templates else ()


def _imported(known: Known, pool: str) -> CouponPool:
    content = known.current("pools")
    pools = {found.pool: found for found in pools_of_content(content)} if content else {}
    if pool not in pools:
        fail(f"no pool {pool} is in force{suggest(pool, pools)}")
    if pools[pool].codes != "imported":
        fail(f"the pool {pool} makes its codes itself; it says `codes: generated`")
    return pools[pool]


async def _send(
    client: Mapping[str, object], file: Path, to: CouponPool, takers: Sequence[Taker], wait: float
) -> tuple[int, list[tuple[str, str]] | None]:
    """Hand the codes over; gives how many, and the ledger's dead letters about them, None where it did not answer."""
    count = checked = 0
    with errors.status("importing codes ...") as status:

        def tell(number: int) -> None:
            nonlocal checked
            checked = number
            status.update(f"checking codes ... {number:,}")

        portions = read_codes(file, tell, lambda code: unfit_code(code, takers))
        async with telling(client) as told:
            for stock in stock_commands(portions, to.pool, to.programme):
                await told.tell(*_command(stock))
                count += len(stock.codes)
                status.update(f"importing codes ... {count:,} of {checked:,}")
            await told.sent()
            try:
                async with asyncio.timeout(wait):
                    await told.carried_out(lambda done: status.update(f"the ledger takes them ... {done * PORTION:,}"))
                return count, [(letter.kind.code, letter.message) async for letter in told.letters()]
            except TimeoutError:
                return count, None


def _command(stock: Stock) -> tuple[bytes, bytes, Headers]:
    value = stock.model_dump_json().encode()
    # The id ends with its kind, as all commands' do; people send this one, and no stage.
    head = headers("kairos.ledger.command.v1", f"{content_hash(value)}:stock", clock.now(), "/kairos/codes")
    return stock.programme.encode(), value, head
